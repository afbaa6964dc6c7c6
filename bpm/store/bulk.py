"""Many rows in one statement, many changes by one.

SQLite gives the interpreter's lock away at every step and has to wait for it again. A statement for each row
makes a group of 30 wait 30 times beside a busy event loop; one statement for all of them waits once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, cast

from sqlalchemy import ARRAY, BindParameter, Column, Connection, Dialect, Executable, Table, bindparam, column, func
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlalchemy.sql.visitors import replacement_traverse

from bpm.errors import Fenced
from bpm.store.rows import JsonColumn, UtcDateTime, write_json, write_moment

MAX_ROWS = 64
MAX_VARIABLES = 32_766
"""What SQLite takes in one statement (https://sqlite.org/limits.html#max_variable_number); PostgreSQL 32,767."""

AppendedRow = tuple[Table, Mapping[str, Any]]
Change = tuple[Executable, Mapping[str, Any]]


def insert_appended(connection: Connection, rows: Sequence[AppendedRow]) -> None:
    """Insert appended rows, those of one table that set the same columns together.

    A table's `info` may say `on_conflict="nothing"`: rows that a unique index has already are left out. With
    `insert`, a prepared statement that takes a list for each column, PostgreSQL computes some of the values itself.
    """
    alike: dict[tuple[Table, tuple[str, ...]], list[Mapping[str, Any]]] = {}
    for table, row in rows:
        alike.setdefault((table, tuple(row)), []).append(row)
    for (table, columns), alike_rows in alike.items():
        prepared = table.info.get("insert") if connection.dialect.name == "postgresql" else None
        if prepared is not None:
            connection.execute(prepared, _lists(alike_rows))
        else:
            _bulk_insert(table, columns, type(connection.dialect)).execute(connection, alike_rows)


def apply_changes(connection: Connection, changes: Sequence[Change]) -> None:
    """Apply changes, those by one statement together; raises `Fenced` unless each changes exactly one row."""
    by_statement: dict[Executable, list[Mapping[str, Any]]] = {}
    for statement, parameters in changes:
        by_statement.setdefault(statement, []).append(parameters)
    for statement, many in by_statement.items():
        if connection.dialect.supports_sane_multi_rowcount or len(many) == 1:
            changed = connection.execute(statement, many if len(many) > 1 else many[0])
        else:
            changed = connection.execute(_join_statement(statement, connection.dialect), _lists(many))
        if changed.rowcount != len(many):
            raise Fenced


@lru_cache(maxsize=256)
def _join_statement(statement: Any, dialect: Dialect) -> Any:
    """Return the statement joined with rows of parameters, for a driver that does not count what many changed."""
    binds = {name: bind for name, bind in statement.compile(dialect=dialect).binds.items() if bind.required}
    lists = func.unnest(*(bindparam(name, type_=ARRAY(bind.type, dimensions=1)) for name, bind in binds.items()))
    columns = (column(name, bind.type) for name, bind in binds.items())
    given = lists.table_valued(*columns, name="given").render_derived()

    def replace(element: Any, **_: Any) -> Any:
        is_ours = isinstance(element, BindParameter) and element.key in binds
        return given.c[element.key] if is_ours else None

    return cast("Any", replacement_traverse)(statement, {}, replace)


def _lists(many: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [parameters[name] for parameters in many] for name in many[0]}


class BulkInsert:
    """The statements that insert 64, 32, ... 1 rows with the same columns into one table."""

    def __init__(self, table: Table, columns: Sequence[str], dialect: Dialect) -> None:
        """Prepare how values are written; the statements' texts follow when they are needed."""
        self._defaults = _defaults(table, columns)
        chosen = [table.c[name] for name in (*columns, *self._defaults)]
        preparer = dialect.identifier_preparer
        names = ", ".join(preparer.format_column(column) for column in chosen)
        self._head = f"INSERT INTO {preparer.format_table(table)} ({names}) VALUES "  # noqa: S608 names of our own
        self._tail = " ON CONFLICT DO NOTHING" if table.info.get("on_conflict") == "nothing" else ""
        self._width = len(chosen)
        self._numbered = dialect.paramstyle == "numeric_dollar"
        self._most = min(MAX_ROWS, MAX_VARIABLES // len(chosen))
        self._writers = [(column.key, _writer(column, dialect)) for column in chosen]
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
            rows = ", ".join(self._row(at * self._width) for at in range(count))
            text = self._texts[count] = f"{self._head}{rows}{self._tail}"
        return text

    def _row(self, first: int) -> str:
        places = (f"${first + at + 1}" if self._numbered else "?" for at in range(self._width))
        return f"({', '.join(places)})"


def _writer(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Return how a column's values are written; None as they are.

    For SQLite moments and JSON are written here: a third of a bulk insert's cost is the way through SQLAlchemy's types.
    """
    if dialect.name == "sqlite" and isinstance(column.type, UtcDateTime):
        return write_moment
    if isinstance(column.type, JsonColumn):
        return write_json
    return column.type.dialect_impl(dialect).bind_processor(dialect)


def _defaults(table: Table, columns: Sequence[str]) -> dict[str, Any]:
    """Return the values, other than NULL, that the table's classes give to columns which are not set."""
    unset = [column for column in table.columns if column.key not in columns]
    given = {c.key: c.default.arg for c in unset if isinstance(c.default, ScalarElementColumnDefault)}
    return {name: value for name, value in given.items() if value is not None}


@cache
def _bulk_insert(table: Table, columns: tuple[str, ...], dialect: type[Dialect]) -> BulkInsert:
    return BulkInsert(table, columns, dialect())
