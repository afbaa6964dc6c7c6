"""Counts of requests by time, from the index of states: no row is read, and never more entries than a bound."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, String, func, select, type_coerce

from bpm.store import Transaction
from router.tables.requests import INBOUND, State

MAX_COUNTED = 100_000
"""Maximum number of requests counted of each state, the newest first."""
BUCKETS = {"minute": len("2026-01-31 12:30"), "hour": len("2026-01-31 12"), "day": len("2026-01-31")}
"""How much of a moment's text tells a bucket."""


class Count(NamedTuple):
    """How many requests of a configuration and cause came in a stretch of time; `oldest` is when the first came."""

    at: str
    config_id: int | None
    cause: str | None
    total: int
    oldest: datetime


def count_by_time(
    tx: Transaction,
    organization_id: int,
    state: State,
    bucket: str,
    start: datetime,
    end: datetime,
    config_id: int | None,
) -> list[Count]:
    """Count an organisation's requests of one state, the newest `MAX_COUNTED` of those between two moments."""
    own = (INBOUND.c.state == state, INBOUND.c.organization_id == organization_id)
    statement = select(INBOUND.c.received_at, INBOUND.c.config_id, INBOUND.c.cause).where(
        *own, INBOUND.c.received_at >= start, INBOUND.c.received_at <= end
    )
    if config_id is not None:
        statement = statement.where(INBOUND.c.config_id == config_id)
    newest = statement.order_by(INBOUND.c.received_at.desc()).limit(MAX_COUNTED).subquery()
    moment = _text(tx, newest.c.received_at)
    columns = (func.substr(moment, 1, BUCKETS[bucket]).label("at"), newest.c.config_id, newest.c.cause)
    counted = select(*columns, func.count(), func.min(newest.c.received_at)).group_by(*columns)
    return [Count._make(row) for row in tx.connection.execute(counted)]


def _text(tx: Transaction, column: ColumnElement[Any]) -> ColumnElement[str]:
    """Return a moment in UTC as text, which is how SQLite holds it."""
    if tx.connection.dialect.name == "sqlite":
        return type_coerce(column, String)
    return func.to_char(func.timezone("UTC", column), "YYYY-MM-DD HH24:MI")
