"""The numbers that databases give to new rows, carried over from one to the other."""

from sqlalchemy import Connection, Table, func, select, text


def continue_numbers(source: Connection, target: Connection, table: Table) -> None:
    """Let the target number new rows after the highest number that the source ever gave."""
    numbered = table.autoincrement_column
    if numbered is None:
        return
    highest: int = max(target.execute(select(func.max(numbered))).scalar() or 0, _given(source, table))
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
