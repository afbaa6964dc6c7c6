"""What became of a request: statements fenced by its attempt and state."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from bpm.store import Transaction
from router.tables.requests import DEAD, INBOUND, IS_OPEN, PENDING, RUNNING, RequestRow

_OPEN_AT = select(INBOUND.c.request_id).where(
    INBOUND.c.request_id == bindparam("id"), INBOUND.c.attempt == bindparam("at_attempt"), IS_OPEN
)
_SETTLED = ("state", "attempt", "next_attempt_at", "completed_at", "message_type", "result", "errors")
_SETTLE = (
    update(INBOUND)
    .where(INBOUND.c.request_id == bindparam("id_"), INBOUND.c.attempt == bindparam("at_attempt"), IS_OPEN)
    .values({name: bindparam(f"{name}_") for name in _SETTLED})
)
_REOPEN = (
    update(INBOUND)
    .where(
        INBOUND.c.request_id == bindparam("id_"),
        INBOUND.c.attempt == bindparam("at_attempt"),
        INBOUND.c.state == DEAD,
    )
    .values(
        state=PENDING,
        errors=None,
        next_attempt_at=bindparam("now"),
        completed_at=None,
        attempts_before=bindparam("at_attempt"),
        replay_count=INBOUND.c.replay_count + 1,
        replayed_by=bindparam("by"),
        lane=bindparam("lane_"),
    )
)
_FINISHED = (*_SETTLED, "dedupe_key", "answer_status", "answer_type", "answer_body", "answer_headers")
_FINISH = (
    update(INBOUND)
    .where(INBOUND.c.request_id == bindparam("id_"), INBOUND.c.attempt == 0, INBOUND.c.state == RUNNING)
    .values({name: bindparam(f"{name}_") for name in _FINISHED})
)


def note_cause(tx: Transaction, request_id: str, cause: str) -> None:
    """Write why a request is dead, other than that it failed."""
    tx.connection.execute(update(INBOUND).where(INBOUND.c.request_id == request_id).values(cause=cause))


def reopen(tx: Transaction, row: RequestRow, by: str, now: datetime, lane: str | None) -> bool:
    """Open a dead request again; False when it is not dead any more."""
    values = {"id_": row.request_id, "at_attempt": row.attempt, "now": now, "by": by, "lane_": lane}
    return tx.connection.execute(_REOPEN, values).rowcount == 1


def finish(tx: Transaction, request_id: str, values: Mapping[str, Any]) -> bool:
    """Write the outcome of a request that is executed at once; False when nobody executes it like that any more."""
    return tx.connection.execute(_FINISH, {"id_": request_id, **_bound(values)}).rowcount == 1


def is_open(tx: Transaction, request_id: str, attempt: int) -> bool:
    """Tell whether a request still waits for this attempt."""
    return tx.reading.execute(_OPEN_AT, {"id": request_id, "at_attempt": attempt}).first() is not None


def settle(tx: Transaction, request_id: str, attempt: int, values: Mapping[str, Any]) -> None:
    """Write the outcome of an attempt; the unit fails with `Fenced` unless the request is open at it."""
    tx.change(_SETTLE, {"id_": request_id, "at_attempt": attempt, **_bound(values)})


def _bound(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name}_": value for name, value in values.items()}
