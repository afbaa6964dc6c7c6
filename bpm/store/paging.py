"""One page of a select, with the number of rows there are in all.

A page is found in two steps: first its keys, which an index alone can tell, then the rows of those keys. So a
deep page skips entries of an index instead of whole rows, and it is counted off from the nearer end, where both are
known: rows are counted up to a bound. The rows are read a few at a time, so that who has seen enough of them need not
read the others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import func, literal_column, or_, tuple_
from sqlalchemy.orm import Session, defer
from sqlmodel import select

from bpm.store.session import ScopedSession
from bpm.store.text_search import pattern

Key = tuple[Any, ...]

ROWS_AT_ONCE = 10
"""Number of rows that one statement reads: a row may hold megabytes."""
MAX_COUNTED = 100_000
"""How many rows are counted for a total; to count a million takes a third of a second on PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows there are; where that is not exact, as many as were counted, and more."""

    rows: int
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a table's rows: number from 1, size, words to search, order and bounds of creation.

    `unloaded` names columns that the page does not need, `skip` is how many of the page's rows are not wanted.
    """

    row_type: type[Any]
    number: int
    size: int
    search: str | None
    search_columns: Sequence[Any]
    order: Any
    descending: bool
    created: Any
    start: datetime | None
    end: datetime | None
    unloaded: Sequence[str] = ()
    skip: int = 0

    @property
    def offset(self) -> int:
        """How many rows stand before the page."""
        return (self.number - 1) * self.size

    @property
    def key(self) -> Sequence[Any]:
        """The attributes of the primary key, which settle the order of rows that are otherwise equal."""
        return tuple(getattr(self.row_type, column.key) for column in self.row_type.__table__.primary_key)


def fetch_page(session: ScopedSession, statement: Any, request: PageRequest) -> tuple[Iterator[Any], Total]:
    """Return the page's rows, to be read one after the other, and how many rows there are on all pages."""
    narrowed = _narrowed(statement, request)
    counted = _count(session, narrowed, MAX_COUNTED + 1)
    if counted > MAX_COUNTED:
        keys, total = _uncounted_page(session, narrowed, request)
    else:
        keys, total = _counted_page(session, narrowed, request, counted), Total(counted)
    return _rows(session, request, keys[request.skip :]), total


def _narrowed(statement: Any, request: PageRequest) -> Any:
    if request.search and request.search_columns:
        words = pattern(request.search)
        statement = statement.where(or_(*(c.ilike(words, escape="\\") for c in request.search_columns)))
    if request.start is not None:
        statement = statement.where(request.created >= request.start)
    if request.end is not None:
        statement = statement.where(request.created <= request.end)
    return statement


def _count(session: ScopedSession, statement: Any, most: int | None = None) -> int:
    """Return how many rows there are, of which so many are counted."""
    some = statement.with_only_columns(literal_column("1"), maintain_column_froms=True).order_by(None).limit(most)
    return cast("Any", session).exec(select(func.count()).select_from(some.subquery())).one()


def _counted_page(session: ScopedSession, statement: Any, request: PageRequest, total: int) -> list[Key]:
    """Return the keys of the page's rows in order, found from the nearer end of all the rows."""
    offset = request.offset
    size = min(request.size, total - offset)
    if size <= 0:
        return []
    if offset <= total // 2:
        return _keys(session, statement, request, offset, size)
    return _keys(session, statement, request, total - offset - size, size, from_end=True)[::-1]


def _uncounted_page(session: ScopedSession, statement: Any, request: PageRequest) -> tuple[list[Key], Total]:
    """Return the keys of the page's rows in order, found from the beginning, and the total as far as it is known."""
    offset = request.offset
    found = _keys(session, statement, request, offset, request.size + 1)
    if not found:
        return [], Total(_count(session, statement))
    if len(found) <= request.size:
        return found, Total(offset + len(found))
    return found[: request.size], Total(max(MAX_COUNTED, offset + request.size), is_exact=False)


def _keys(
    session: ScopedSession, statement: Any, request: PageRequest, offset: int, size: int, *, from_end: bool = False
) -> list[Key]:
    """Return so many keys behind an offset, counted from the beginning or from the end."""
    is_descending = request.descending != from_end
    order = [request.order, *(column for column in request.key if column.key != getattr(request.order, "key", None))]
    keys = (
        statement.with_only_columns(*request.key)
        .order_by(*(column.desc() if is_descending else column.asc() for column in order))
        .limit(size)
        .offset(offset)
    )
    return [tuple(row) for row in Session.execute(session, keys)]


def _rows(session: ScopedSession, request: PageRequest, keys: Sequence[Key]) -> Iterator[Any]:
    for first in range(0, len(keys), ROWS_AT_ONCE):
        yield from _rows_of(session, request, keys[first : first + ROWS_AT_ONCE])


def _rows_of(session: ScopedSession, request: PageRequest, keys: Sequence[Key]) -> list[Any]:
    """Return the rows of the keys, in the keys' order.

    The keys are of the session's organisation already. To ask for it again would let SQLite choose the wrong
    index: it guesses that an organisation has ten rows.
    """
    columns = request.key
    among = columns[0].in_([key[0] for key in keys]) if len(columns) == 1 else tuple_(*columns).in_(keys)
    left_out = (defer(getattr(request.row_type, name)) for name in request.unloaded)
    unscoped = ScopedSession(session.connection(), None)
    rows = unscoped.exec(select(request.row_type).where(among).options(*left_out))
    by_key = {tuple(getattr(row, column.key) for column in columns): row for row in rows}
    return [by_key[key] for key in keys if key in by_key]
