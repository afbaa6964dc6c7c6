"""Change stored values wherever they stand, a few rows a transaction, while servers go on."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    Enum,
    LargeBinary,
    Row,
    String,
    Table,
    TypeDecorator,
    func,
    or_,
    select,
    tuple_,
    update,
)

from bpm.store.copy import known_tables
from bpm.store.copy_pages import plain_table
from bpm.store.database import Database
from bpm.store.transaction import Transaction

LOOKED_AT = 1_000
"""How many rows a reader looks at in one step."""
CHANGED = 25
"""How many rows a transaction changes at most."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Rewriter:
    """How values that hold a mark are changed: texts wherever it stands, bytes that begin with it."""

    mark: str
    text: Callable[[str], str]
    data: Callable[[bytes], bytes]

    def changed(self, value: Any) -> Any:
        """Return the new value."""
        return self.text(value) if isinstance(value, str) else self.data(value) if value is not None else None


async def rewrite(database: Database, rewriter: Rewriter, progress: Progress) -> int:
    """Change every value of every table that holds the mark, and return how many rows were changed.

    What was done stays done when it is broken off. A row that others change meanwhile is changed as they left it, so
    that a second run finds what they have written since.
    """
    tables = known_tables()
    total = 0
    for number, table in enumerate(tables):
        progress(table.name, number, len(tables))
        total += await _rewrite_table(database, plain_table(table), rewriter)
    progress("", len(tables), len(tables))
    return total


async def _rewrite_table(database: Database, table: Table, rewriter: Rewriter) -> int:
    columns = [column for column in table.columns if _may_hold(column.type)]
    changed = 0
    after: Sequence[Any] | None = None
    while columns:
        seen = await database.read(partial(_window, table=table, columns=columns, mark=rewriter.mark, after=after))
        marked = [tuple(row[:-1]) for row in seen if row[-1]]
        for keys in _in_parts(marked):
            changed += await database.write(
                partial(_rewrite_rows, table=table, columns=columns, keys=keys, rewriter=rewriter)
            )
        if len(seen) < LOOKED_AT:
            break
        after = seen[-1][:-1]
    return changed


def _may_hold(declared: Any) -> bool:
    stored = declared.impl_instance if isinstance(declared, TypeDecorator) else declared
    return isinstance(stored, String | LargeBinary) and not isinstance(stored, Enum)


def _window(
    tx: Transaction, table: Table, columns: Sequence[Column[Any]], mark: str, after: Sequence[Any] | None
) -> list[Row[Any]]:
    """Return the keys of the next rows, and of each whether it holds the mark."""
    keys = list(table.primary_key)
    holds = or_(*(_holds(column, mark) for column in columns))
    statement = select(*keys, func.coalesce(holds, False)).order_by(*keys).limit(LOOKED_AT)
    if after is not None:
        statement = statement.where(tuple_(*keys) > tuple(after))
    return list(cast("Iterable[Row[Any]]", tx.connection.execute(statement)))


def _holds(column: Column[Any], mark: str) -> ColumnElement[bool]:
    if isinstance(column.type, LargeBinary):
        return func.substr(column, 1, len(mark)) == mark.encode()
    return column.contains(mark, autoescape=True)


def _rewrite_rows(
    tx: Transaction, table: Table, columns: Sequence[Column[Any]], keys: Sequence[tuple[Any, ...]], rewriter: Rewriter
) -> int:
    """Change some rows as they are now, and return how many were changed."""
    changed = 0
    for key in keys:
        it = [column == value for column, value in zip(table.primary_key, key, strict=True)]
        row = tx.connection.execute(select(*columns).where(*it).with_for_update()).mappings().first()
        before = dict(row or {})
        new = {name: rewriter.changed(value) for name, value in before.items()}
        differing = {name: value for name, value in new.items() if value != before[name]}
        if differing:
            tx.connection.execute(update(table).where(*it).values(differing))
            changed += 1
    return changed


def _in_parts(keys: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    yield from (keys[at : at + CHANGED] for at in range(0, len(keys), CHANGED))
