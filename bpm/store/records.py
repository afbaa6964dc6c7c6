"""Typed records: what a query returns, made in one place from the driver's row.

A record is a `NamedTuple` whose fields are columns. It is as quick to make as the row it is made of, nobody can change
it, and a type checker knows what it holds. What is to be changed and saved is an entity of a session instead.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, Executable, FromClause, Select, select

R = TypeVar("R", bound=NamedTuple)


class Records(Generic[R]):
    """Records of one type: the columns to select for them, and how a result's rows become them."""

    def __init__(self, record: type[R], *sources: FromClause, **expressions: ColumnElement[Any]) -> None:
        """Take each field from `expressions`, or from the first of `sources` that has a column of its name.

        Raises `KeyError` for a field that stands in none of them.
        """
        self.record = record
        self.columns = tuple(
            expressions[name].label(name) if name in expressions else _column(name, sources) for name in record._fields
        )
        self.select: Select[Any] = select(*self.columns)
        self.make: Callable[[Iterable[Any]], R] = record._make

    def first(self, connection: Connection, statement: Executable, **values: Any) -> R | None:
        """Return the first record of a statement that narrows `select`, or None."""
        row = connection.execute(statement, values).first()
        return self.make(row) if row is not None else None

    def one(self, connection: Connection, statement: Executable, **values: Any) -> R:
        """Return the only record of a statement, such as a change that returns `columns`."""
        return self.make(connection.execute(statement, values).one())

    def all(self, connection: Connection, statement: Executable, **values: Any) -> list[R]:
        """Return every record of a statement that narrows `select`."""
        return list(self.each(connection.execute(statement, values)))

    def each(self, result: Iterable[Iterable[Any]]) -> Iterator[R]:
        """Yield a result's rows as records, one by one as they are read."""
        return map(self.make, result)


def _column(name: str, sources: Iterable[FromClause]) -> ColumnElement[Any]:
    for source in sources:
        if name in source.c:
            return source.c[name]
    raise KeyError(name)
