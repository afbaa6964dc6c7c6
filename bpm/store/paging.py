"""One page of a select, with the number of rows there are in all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import func, or_

from bpm.store.session import ScopedSession


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page: number from 1, size, words to search, order and bounds of creation."""

    number: int
    size: int
    search: str | None
    search_columns: Sequence[Any]
    order: Any
    tie: Iterable[Any]
    descending: bool
    created: Any
    start: datetime | None
    end: datetime | None


def fetch_page(session: ScopedSession, statement: Any, request: PageRequest) -> tuple[Sequence[Any], int]:
    """Return the page's rows and the total count."""
    if request.search and request.search_columns:
        words = "%" + _escaped(request.search) + "%"
        statement = statement.where(or_(*(c.ilike(words, escape="\\") for c in request.search_columns)))
    if request.start is not None:
        statement = statement.where(request.created >= request.start)
    if request.end is not None:
        statement = statement.where(request.created <= request.end)
    count = statement.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)
    total = cast("Any", session).exec(count).one()
    order = [request.order, *(c for c in request.tie if c.name != request.order.name)]
    ordered = statement.order_by(*(c.desc() if request.descending else c.asc() for c in order))
    offset = (request.number - 1) * request.size
    rows = cast("Any", session).exec(ordered.limit(request.size).offset(offset))
    return rows.all(), total


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
