"""Which message is being handled, for the lines that are logged meanwhile: ours and those of an application."""

from collections.abc import MutableMapping
from contextvars import ContextVar, Token
from typing import Any

from bpm.bus.envelope import Envelope
from bpm.tracing import trace_id_of

_handled: ContextVar[Envelope | None] = ContextVar("handled", default=None)


class Handling:
    """While it is open, log lines of this task or thread carry the ids of a message; it may be opened in another."""

    __slots__ = ("_envelope", "_token")

    def __init__(self, envelope: Envelope) -> None:
        """Take the message's envelope."""
        self._envelope = envelope

    def __enter__(self) -> None:
        """Begin."""
        self._token: Token[Envelope | None] = _handled.set(self._envelope)

    def __exit__(self, *_: object) -> None:
        """Go on with the message around it, if there is one."""
        _handled.reset(self._token)


def add_ids(_logger: object, _level: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put `request_id` and `correlation_id` of the message that is being handled into a line that lacks them."""
    envelope = _handled.get()
    if envelope is not None:
        line.setdefault("request_id", envelope.request_id)
        line.setdefault("correlation_id", envelope.root)
    return line


def add_trace_id(_logger: object, _level: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put `trace_id` into a line that tells what it goes back to, so that a collector finds both by it."""
    cause = line.get("correlation_id") or line.get("request_id")
    if isinstance(cause, str):
        line.setdefault("trace_id", f"{trace_id_of(cause):032x}")
    return line
