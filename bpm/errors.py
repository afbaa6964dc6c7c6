"""Everything that can go wrong on purpose.

    BpmError
    ├── Refused                    the caller can mend it
    │   ├── Malformed              the body is not what JSON or the protocol asks for
    │   ├── Unauthenticated        who are you?
    │   ├── Unverified             a webhook whose signature is missing or wrong
    │   ├── Forbidden              we know who you are; you may not
    │   │   └── SwitchedOff        nor may anybody of the organisation, until it is switched on again
    │   ├── NotFound               no such thing, or not yours to see
    │   ├── MethodNotAllowed       the address knows other methods; `allowed` names them
    │   ├── Conflict               true of the request, false of the present state
    │   ├── TooLarge               over a size limit
    │   │   └── HeadTooLarge       so is what stands before the body
    │   ├── TooSlow                the request did not arrive in time
    │   ├── UnsupportedMedia       a content type we do not read
    │   ├── Invalid                well formed, but a field is wrong
    │   ├── TooCostly              working it out would take more steps than are allowed
    │   └── RateLimited            too fast; `retry_after` seconds
    ├── Unavailable                try again later; `retry_after` seconds
    │   ├── Overloaded             the queue of waiting work is full
    │   ├── StorageUnavailable     disk full, database away
    │   ├── NoTurn                 others were first; nothing of the work stands in the way of trying it again
    │   └── Draining               the server is stopping
    ├── Failed                     the work was tried and did not succeed
    │   ├── TookTooLong            the work was ended at its time limit
    │   ├── StillRunning           an earlier call of the handler does not come back
    │   ├── Poisoned               the work ended its process, several times
    │   └── Exhausted              one cause has set too much in motion; trying again changes nothing
    ├── Fenced                     somebody else has done this attempt; its effect is undone
    ├── Defect                     our own mistake; the log has the trace
    └── Misconfigured              found at start-up; the process must not run like this

Each class's docstring is its default message. Status codes live in `bpm.edge.problems`, nowhere else.
"""

from collections.abc import Sequence
from typing import ClassVar


class BpmError(Exception):
    """The operation failed."""

    speaks_for_itself: ClassVar[bool] = False
    """Whether the class's message says more than that what was tried has failed."""
    is_final: ClassVar[bool] = False
    """Whether another attempt at the same work is pointless, so that none is made."""

    def __init__(self, *errors: str, message: str | None = None) -> None:
        """Take the sentences for `errors`, and a `message` that replaces the class's own."""
        self.message = message or (type(self).__doc__ or "").strip()
        self.errors: Sequence[str] = errors or (self.message,)
        self.has_own_message = message is not None
        super().__init__("; ".join(self.errors))

    def message_for(self, failed: str) -> str:
        """Return the error's own message, else `failed`, the text of what was tried, else its class's message."""
        return self.message if self.has_own_message or self.speaks_for_itself or not failed else failed


class Refused(BpmError):
    """The request was refused."""


class Malformed(Refused):
    """The request is malformed."""


class Unauthenticated(Refused):
    """Authentication is required."""


class Unverified(Refused):
    """The signature was not accepted."""


class Forbidden(Refused):
    """You do not have the permission for this."""

    speaks_for_itself = True


class SwitchedOff(Forbidden):
    """The organisation is switched off."""


class NotFound(Refused):
    """There is no such thing."""


class MethodNotAllowed(Refused):
    """The method is not allowed."""

    def __init__(self, method: str, allowed: str) -> None:
        """Say which method was tried and which are allowed, separated by commas."""
        super().__init__(f"{method} is not possible here; use {allowed}")
        self.allowed = allowed


class Conflict(Refused):
    """The request conflicts with the present state."""


class TooLarge(Refused):
    """The request is too large."""


class HeadTooLarge(TooLarge):
    """The request's head is too large."""


class TooSlow(Refused):
    """The request did not arrive in time."""


class UnsupportedMedia(Refused):
    """The content type is not supported."""


class Invalid(Refused):
    """Validation failed"""  # noqa: D400, D415 fixed by the API that this one is compatible with


class TooCostly(Refused):
    """Working this out would take too many steps."""

    is_final = True


class RateLimited(Refused):
    """Too many requests."""

    speaks_for_itself = True

    def __init__(self, *errors: str, message: str | None = None, retry_after: float = 1) -> None:
        """Say after how many seconds another try is welcome."""
        super().__init__(*errors, message=message)
        self.retry_after = retry_after


class Unavailable(BpmError):
    """The service is not available just now."""

    speaks_for_itself = True

    def __init__(self, *errors: str, message: str | None = None, retry_after: float = 1) -> None:
        """Say after how many seconds another try is welcome."""
        super().__init__(*errors, message=message)
        self.retry_after = retry_after


class Overloaded(Unavailable):
    """Too much work is waiting already; try again in a moment."""


class StorageUnavailable(Unavailable):
    """The database can't be written just now; nothing was accepted."""


PUTS_OFF = (Overloaded, StorageUnavailable, SwitchedOff)
"""What says nothing about the work that it stopped: that is done later, and no attempt is counted."""


class NoTurn(Unavailable):
    """Others are at work, and the turn of this has not come."""


class Draining(Unavailable):
    """The server is stopping; try again on the next one."""


class Failed(BpmError):
    """The work did not succeed."""


class TookTooLong(Failed):
    """The work took longer than it may and was ended."""


class StillRunning(Failed):
    """An earlier call of the same handler does not come back, so it is not called again yet."""


class Poisoned(Failed):
    """The work ended the process that executed it, and is not tried again."""

    is_final = True


class Exhausted(Failed):
    """One cause has set too much in motion."""

    is_final = True


class Fenced(BpmError):
    """Somebody else has settled the attempt already."""


class Defect(BpmError):
    """Something went wrong on our side; the request id finds it in the log."""


class Misconfigured(BpmError):
    """The configuration does not allow a start."""


def describe(error: BaseException) -> str:
    """Return an error's class and text for the log; an error whose own text can't be had is named by its class."""
    try:
        return repr(error)
    except Exception:
        return f"{type(error).__name__}: its text can't be had"
