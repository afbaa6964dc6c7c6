"""The numbers of new rows: taken ahead of a group's inserts, and carried over from one database to another."""

from collections.abc import Iterator
from itertools import count

from sqlalchemy import Connection, Table, func, select, text

MOST_AT_ONCE = 64
_NEXT = text(
    "SELECT nextval(pg_get_serial_sequence(:table, :column)::regclass) FROM generate_series(1, CAST(:many AS integer))"
)


def new_numbers(connection: Connection, table: Table) -> Iterator[int]:
    """Yield numbers that no row of the table has; to be used before the transaction ends.

    Rows that know their number need not be inserted one by one; every row of the table has to get its number here.
    Where others insert at the same time, numbers are taken from the sequence, twice as many each time, so that a
    single row leaves no gap.
    """
    if connection.dialect.name != "postgresql":
        yield from count(_highest(connection, table) + 1)
        return
    assert table.autoincrement_column is not None
    name = connection.dialect.identifier_preparer.format_table(table)
    many = 1
    while True:
        wanted = {"table": name, "column": table.autoincrement_column.name, "many": many}
        yield from connection.execute(_NEXT, wanted).scalars().all()
        many = min(many * 2, MOST_AT_ONCE)


def continue_numbers(source: Connection, target: Connection, table: Table) -> None:
    """Let the target number new rows after the highest number that the source ever gave."""
    numbered = table.autoincrement_column
    if numbered is None:
        return
    highest = max(_highest(target, table), _given(source, table))
    if highest == 0:
        return
    if target.dialect.name == "postgresql":
        restart = text("SELECT setval(pg_get_serial_sequence(:table, :column), :highest)")
        quoted = target.dialect.identifier_preparer.format_table(table)
        target.execute(restart, {"table": quoted, "column": numbered.name, "highest": highest})
    elif table.dialect_options["sqlite"]["autoincrement"]:
        named = {"table": table.name, "highest": highest}
        target.execute(text("DELETE FROM sqlite_sequence WHERE name = :table"), named)
        target.execute(text("INSERT INTO sqlite_sequence VALUES (:table, :highest)"), named)


def _highest(connection: Connection, table: Table) -> int:
    """Return the highest number that a row has or, as far as that is remembered, ever had."""
    assert table.autoincrement_column is not None
    present: int = connection.execute(select(func.max(table.autoincrement_column))).scalar() or 0
    return max(present, _given(connection, table))


def _given(source: Connection, table: Table) -> int:
    """Return the highest number given so far, to rows that are gone as well; 0 when that is not remembered."""
    assert table.autoincrement_column is not None
    if source.dialect.name == "postgresql":
        asked = text("SELECT pg_sequence_last_value(pg_get_serial_sequence(:table, :column)::regclass)")
        quoted = source.dialect.identifier_preparer.format_table(table)
        named = {"table": quoted, "column": table.autoincrement_column.name}
        return source.execute(asked, named).scalar() or 0
    if not table.dialect_options["sqlite"]["autoincrement"]:
        return 0
    asked = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
    return source.execute(asked, {"table": table.name}).scalar() or 0
