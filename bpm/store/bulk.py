"""Many rows in one statement, many changes by one.

SQLite gives the interpreter's lock away at every step and has to wait for it again. A statement for each row
makes a group of 30 wait 30 times beside a busy event loop; one statement for all of them waits once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Executable, Table, insert
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from bpm.errors import Fenced

MAX_ROWS = 64
MAX_VARIABLES = 32_766
"""What SQLite takes in one statement (https://sqlite.org/limits.html#max_variable_number)."""

AppendedRow = tuple[Table, Mapping[str, Any]]
Change = tuple[Executable, Mapping[str, Any]]


def insert_appended(connection: Connection, rows: Sequence[AppendedRow]) -> None:
    """Insert appended rows, those of one table that set the same columns together."""
    alike: dict[tuple[Table, tuple[str, ...]], list[Mapping[str, Any]]] = {}
    for table, row in rows:
        alike.setdefault((table, tuple(row)), []).append(row)
    for (table, columns), alike_rows in alike.items():
        if connection.dialect.name == "sqlite":
            _bulk_insert(table, columns, connection.dialect).execute(connection, alike_rows)
        else:
            connection.execute(_core_insert(table), alike_rows)


def apply_changes(connection: Connection, changes: Sequence[Change]) -> None:
    """Apply changes, those by one statement together; raises `Fenced` unless each changes exactly one row."""
    by_statement: dict[Executable, list[Mapping[str, Any]]] = {}
    for statement, parameters in changes:
        by_statement.setdefault(statement, []).append(parameters)
    for statement, many in by_statement.items():
        if connection.execute(statement, many).rowcount != len(many):
            raise Fenced


class BulkInsert:
    """The statements that insert 64, 32, ... 1 rows with the same columns into one table of SQLite."""

    def __init__(self, table: Table, columns: Sequence[str], dialect: Dialect) -> None:
        """Prepare how values are written; the statements' texts follow when they are needed."""
        self._defaults = _defaults(table, columns)
        chosen = [table.c[name] for name in (*columns, *self._defaults)]
        preparer = dialect.identifier_preparer
        names = ", ".join(preparer.format_column(column) for column in chosen)
        self._head = f"INSERT INTO {preparer.format_table(table)} ({names}) VALUES "  # noqa: S608 names of our own
        self._row = f"({', '.join('?' * len(chosen))})"
        self._most = min(MAX_ROWS, MAX_VARIABLES // len(chosen))
        self._writers: list[tuple[str, Callable[[Any], Any] | None]] = [
            (column.key, column.type.dialect_impl(dialect).bind_processor(dialect)) for column in chosen
        ]
        self._texts: dict[int, str] = {}

    def execute(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert the rows in as few statements as the sizes allow."""
        at = 0
        while at < len(rows):
            count = min(self._most, 1 << (len(rows) - at).bit_length() - 1)
            values = [
                write(row[name]) if write is not None else row[name]
                for row in self._complete(rows[at : at + count])
                for name, write in self._writers
            ]
            connection.exec_driver_sql(self._text(count), tuple(values))
            at += count

    def _complete(self, rows: Sequence[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
        return ({**self._defaults, **row} for row in rows) if self._defaults else rows

    def _text(self, count: int) -> str:
        text = self._texts.get(count)
        if text is None:
            text = self._texts[count] = self._head + ", ".join([self._row] * count)
        return text


def _defaults(table: Table, columns: Sequence[str]) -> dict[str, Any]:
    """Return the values that the table's classes give to columns which are not set."""
    unset = [column for column in table.columns if column.key not in columns]
    return {c.key: c.default.arg for c in unset if isinstance(c.default, ScalarElementColumnDefault)}


_BULK: dict[tuple[Table, tuple[str, ...]], BulkInsert] = {}
_CORE: dict[Table, Any] = {}


def _bulk_insert(table: Table, columns: tuple[str, ...], dialect: Dialect) -> BulkInsert:
    prepared = _BULK.get((table, columns))
    if prepared is None:
        prepared = _BULK[table, columns] = BulkInsert(table, columns, dialect)
    return prepared


def _core_insert(table: Table) -> Any:
    return _CORE.setdefault(table, insert(table))
