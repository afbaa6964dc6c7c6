"""What became of a request, what would become of it, and in which way that differs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from router.tables.requests import PASSED

Change = Literal["same", "accepted", "refused", "cause", "message", "fields", "failing", "mended", "unknown"]
"""How a request's fate changes.

`accepted` was refused and would pass, `refused` the reverse; `cause` is refused for another cause; `message` and
`fields` become another message, or the same one with other fields; `failing` no longer becomes a message at all,
`mended` does so only now; `unknown` can't be told, because the body is not kept.
"""

CHANGES: tuple[Change, ...] = get_args(Change)


@dataclass(frozen=True, slots=True)
class Fate:
    """The verdict on a request (`passed` or the cause of its refusal), and the message made of it or why not.

    `message_type` is None as well where it is not known: a request that waits has not become a message yet.
    """

    verdict: str = PASSED
    detail: str = ""
    message_type: str | None = None
    error: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the guard let it pass."""
        return self.verdict == PASSED


@dataclass(frozen=True, slots=True)
class Difference:
    """One request and how its fate changes.

    `fields` names the fields of the message that differ, `unchecked` what could not be examined because it is
    never stored.
    """

    request_id: str
    received_at: datetime
    method: str
    path: str
    state: str
    change: Change
    then: Fate
    now: Fate
    fields: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


def change_of(then: Fate, now: Fate, differing: tuple[str, ...]) -> Change:
    """Say in which way two fates differ; `differing` are the fields of the message that do."""
    if not (then.passed and now.passed):
        return _change_of_verdict(then, now)
    if then.error is None and now.error is not None:
        return "failing"
    if then.error is not None and now.error is None:
        return "mended"
    if then.message_type is not None and now.message_type is not None and then.message_type != now.message_type:
        return "message"
    return "fields" if differing else "same"


def _change_of_verdict(then: Fate, now: Fate) -> Change:
    if now.passed:
        return "accepted"
    if then.passed:
        return "refused"
    return "same" if then.verdict == now.verdict else "cause"
