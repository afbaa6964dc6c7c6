"""Queries that are asked thousands of times a second: compiled once, and asked of SQLite's driver directly.

SQLAlchemy finds the compiled statement anew at each execution, and wraps the result, the rows and their values: for
a look-up of one row that is three quarters of its cost. What PostgreSQL costs is the way there and back, so it is asked
as usual.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar, cast

from sqlalchemy import Dialect, Executable
from sqlalchemy.sql.compiler import SQLCompiler

from bpm.store.records import Records
from bpm.store.transaction import Transaction

R = TypeVar("R", bound=NamedTuple)
Processor = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Direct:
    """A statement as the driver takes it, and how values become its own and columns ours."""

    text: str
    parameters: Sequence[tuple[str, Any, Processor | None]]
    columns: Sequence[tuple[int, Processor]]

    def ask(self, driver: sqlite3.Connection, values: dict[str, Any]) -> list[list[Any]]:
        """Return every row of the result."""
        given = [
            write(values.get(name, fixed)) if write is not None else values.get(name, fixed)
            for name, fixed, write in self.parameters
        ]
        rows = [list(row) for row in driver.execute(self.text, given)]
        for row in rows:
            for at, read in self.columns:
                row[at] = read(row[at])
        return rows


class PreparedQuery(Generic[R]):
    """A query whose statement never changes; its values are given at each question."""

    def __init__(self, records: Records[R], statement: Executable) -> None:
        """Take a statement that narrows `records.select`."""
        self._records = records
        self._statement = statement
        self._direct: _Direct | None = None

    def first(self, tx: Transaction, **values: Any) -> R | None:
        """Return the first record, or None."""
        if tx.driver is None:
            return self._records.first(tx.reading, self._statement, **values)
        rows = self._ask(tx, tx.driver, values)
        return self._records.make(rows[0]) if rows else None

    def all(self, tx: Transaction, **values: Any) -> list[R]:
        """Return every record."""
        if tx.driver is None:
            return self._records.all(tx.reading, self._statement, **values)
        return [self._records.make(row) for row in self._ask(tx, tx.driver, values)]

    def _ask(self, tx: Transaction, driver: sqlite3.Connection, values: dict[str, Any]) -> list[list[Any]]:
        connection = tx.reading  # opens what savepoints are due
        if self._direct is None:
            self._direct = _compiled(self._statement, connection.dialect)
        return self._direct.ask(driver, values)


def _compiled(statement: Any, dialect: Dialect) -> _Direct:
    """Compile a statement; one with an `IN`, whose text depends on the values, is none that is prepared."""
    compiled = cast("SQLCompiler", statement.compile(dialect=dialect))
    binds = [compiled.binds[name] for name in compiled.positiontup or ()]
    parameters = [
        (str(bind.key), bind.value, bind.type.dialect_impl(dialect).bind_processor(dialect)) for bind in binds
    ]
    readers = [
        (at, read)
        for at, column in enumerate(statement.selected_columns)
        if (read := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
    ]
    return _Direct(str(compiled), parameters, readers)
