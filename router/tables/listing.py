"""Lists of requests: filters, and the bounded search for words."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session
from sqlmodel import col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.store.session import ScopedSession
from bpm.store.text_search import bytes_contain, pattern
from router.tables.requests import PASSED, InboundRequest
from router.tables.revisions import REVISIONS

MAX_SEARCHED = 25_000
"""How many requests, the newest of those that the other filters leave, are looked through for words."""
MAX_SEARCHED_BYTES = 32 * 1024 * 1024
"""How many bytes of bodies are, at most."""


def select_inbound(**wanted: Any) -> SelectOfScalar[InboundRequest]:
    """Select captured requests whose columns equal `wanted` (None: any); the cause `passed` stands for none."""
    statement = select_rows(InboundRequest)
    for name, value in wanted.items():
        if value is not None:
            statement = statement.where(_column(name) == (None if (name, value) == ("cause", PASSED) else value))
    return statement


def with_config_key(statement: SelectOfScalar[InboundRequest], config_key: str) -> SelectOfScalar[InboundRequest]:
    """Narrow to requests for a configuration's key; the revisions know which ids had it."""
    ids = select(REVISIONS.c.config_id).where(REVISIONS.c.key == config_key)
    return statement.where(col(InboundRequest.config_id).in_(ids))


def between(
    statement: SelectOfScalar[InboundRequest], start: datetime | None, end: datetime | None
) -> SelectOfScalar[InboundRequest]:
    """Narrow to requests received from `start` on and until `end`."""
    if start is not None:
        statement = statement.where(col(InboundRequest.received_at) >= start)
    return statement if end is None else statement.where(col(InboundRequest.received_at) <= end)


def searched_since(
    session: ScopedSession, statement: SelectOfScalar[InboundRequest], most: int | None = None
) -> datetime | None:
    """Return when the oldest request came in that is looked through, or None if that is all of them.

    They are the newest `most` (`MAX_SEARCHED`), as far as their bodies are no larger than `MAX_SEARCHED_BYTES`.
    """
    most = MAX_SEARCHED if most is None else most
    newest = statement.with_only_columns(col(InboundRequest.received_at), func.length(col(InboundRequest.body)))
    newest = newest.order_by(col(InboundRequest.received_at).desc()).limit(most)
    size = 0
    for count, (received_at, length) in enumerate(Session.execute(session, newest), start=1):
        size += length
        if size > MAX_SEARCHED_BYTES or count == most:
            return received_at
    return None


def with_words(
    session: ScopedSession, statement: SelectOfScalar[InboundRequest], words: str, since: datetime | None
) -> SelectOfScalar[InboundRequest]:
    """Narrow to requests that have words in the body, the path or the key of the configuration."""
    dialect = session.connection().dialect.name
    places = (col(InboundRequest.path), col(InboundRequest.config_key))
    found = or_(bytes_contain(dialect, col(InboundRequest.body), words), *(p.ilike(pattern(words)) for p in places))
    statement = statement.where(found)
    return statement if since is None else statement.where(col(InboundRequest.received_at) >= since)


def _column(name: str) -> Any:
    return getattr(InboundRequest, name)
