"""Statements that open stored requests again, or give them up; each is fenced by attempt and state."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col
from sqlmodel.sql.expression import SelectOfScalar

from bpm.store import Transaction
from bpm.store.session import ScopedSession
from router.tables.requests import DEAD, INBOUND, InboundRequest, RequestRow


def change(tx: Transaction, row: RequestRow, values: Mapping[str, Any]) -> bool:
    """Change a request unless it was executed, emptied or changed since `row` was read; tells whether it was."""
    where = (
        INBOUND.c.request_id == row.request_id,
        INBOUND.c.attempt == row.attempt,
        INBOUND.c.state == row.state,
        INBOUND.c.replay_count == row.replay_count,
        INBOUND.c.body_pruned == row.body_pruned,
    )
    return tx.connection.execute(update(INBOUND).where(*where).values(**values)).rowcount == 1


def claim(tx: Transaction, row: RequestRow, dedupe_key: str) -> bool:
    """Let the request be known by a provider's id; tells False when another one is by now."""
    try:
        with tx.savepoint():
            return change(tx, row, {"dedupe_key": dedupe_key})
    except IntegrityError:
        return False


def discard(tx: Transaction, row: RequestRow, cause: str, errors: list[str], now: datetime) -> bool:
    """Give a request up; tells False when it has changed since `row` was read."""
    values = {"state": DEAD, "cause": cause, "errors": errors, "next_attempt_at": None, "completed_at": now}
    return change(tx, row, values)


def among(statement: SelectOfScalar[InboundRequest], request_ids: Sequence[str]) -> SelectOfScalar[InboundRequest]:
    """Narrow to the requests with these ids."""
    return statement.where(col(InboundRequest.request_id).in_(request_ids))


def count(session: ScopedSession, statement: SelectOfScalar[InboundRequest]) -> int:
    """Return how many requests a select finds."""
    counted = statement.with_only_columns(func.count(), maintain_column_froms=True)
    return Session.execute(session, counted).scalar_one()


def oldest(session: ScopedSession, statement: SelectOfScalar[InboundRequest], limit: int) -> list[str]:
    """Return the ids of the requests that a select finds, the oldest first."""
    ids = statement.with_only_columns(col(InboundRequest.request_id))
    ids = ids.order_by(col(InboundRequest.received_at), col(InboundRequest.request_id)).limit(limit)
    return list(Session.execute(session, ids).scalars())
