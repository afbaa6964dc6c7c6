"""What a back-test of a webhook configuration found."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field

from bpm.bus import Moment, View
from router.backtest import BackTest, Change
from router.backtest import tables as backtest_tables
from router.tables.requests import State


class FateView(View):
    """The verdict (`passed` or the cause of a refusal), the message's `$type`, and why there is none."""

    verdict: str
    detail: str = ""
    """What is the matter, in words."""
    message_type: str | None = None
    error: str | None = None
    """Why there is no message."""


class ChangedRequestView(View):
    """One captured request whose fate would change; `state` is the one it is stored in.

    `fields` names the message's fields that the draft fills in another way than the saved configuration.
    """

    request_id: str
    received_at: Moment
    method: str
    path: str
    state: State
    """The state in which it is stored."""
    change: Change
    """What changes."""
    then: FateView
    """What was done with it."""
    now: FateView
    """What would be done with it."""
    fields: list[str] = Field(default_factory=list[str])
    """The fields of the message that differ."""
    unchecked: list[str] = Field(default_factory=list[str])
    """What could not be examined."""


class BackTestView(View):
    """A back-test: how far it is, how many requests there are of each kind of change, and the first changed ones.

    `backTestId` is there when it runs in the background. `unchecked` counts requests of which something could not be
    examined, because what proves it is never stored. `problems` would keep the draft from being saved.
    """

    back_test_id: str | None = None
    """Its id, when it runs in the background."""
    state: backtest_tables.State
    """How far it is."""
    total: int | None = None
    """How many requests there are."""
    compared: int = 0
    """How many were compared."""
    counts: dict[str, int]
    """How many requests there are of each kind of change."""
    unchecked: dict[str, int]
    """Of how many requests something could not be examined."""
    changed_count: int
    """How many would change."""
    changed: list[ChangedRequestView]
    """The first that would change."""
    problems: list[str] = Field(default_factory=list[str])
    """What would keep the draft from being saved."""
    error: str | None = None
    started_at: Moment | None = None
    completed_at: Moment | None = None

    @classmethod
    def of(cls, row: BackTest, limit: int, offset: int) -> Self:
        """Show a stored back-test with `limit` of the changed requests from `offset` on."""
        changed = row.changed[offset : offset + limit]
        fields = {name: getattr(row, name) for name in STORED}
        return cls.model_validate(
            {**fields, "back_test_id": row.id, "changed": changed, "changed_count": changed_count(row.counts)}
        )


STORED = ("state", "total", "compared", "counts", "unchecked", "error", "started_at", "completed_at")


def changed_count(counts: Mapping[str, Any]) -> int:
    """Return how many requests would change."""
    return sum(count for change, count in counts.items() if change not in ("same", "unknown"))
