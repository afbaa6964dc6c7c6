"""The numbers that databases give to new rows, carried over from one to the other."""

from sqlalchemy import Connection, Table, func, select, text


def continue_numbers(source: Connection, target: Connection, table: Table) -> None:
    """Let the target number new rows after the highest number that the source ever gave."""
    numbered = table.autoincrement_column
    if numbered is None:
        return
    highest = target.execute(select(func.coalesce(func.max(numbered), 0))).scalar_one()
    highest = max(highest, _given(source, table))
    if target.dialect.name == "postgresql":
        restart = text("SELECT setval(pg_get_serial_sequence(:table, :column), :next, false)")
        quoted = target.dialect.identifier_preparer.format_table(table)
        target.execute(restart, {"table": quoted, "column": numbered.name, "next": highest + 1})
    elif table.dialect_options["sqlite"]["autoincrement"]:
        name = {"table": table.name}
        target.execute(text("DELETE FROM sqlite_sequence WHERE name = :table"), name)
        target.execute(text("INSERT INTO sqlite_sequence VALUES (:table, :highest)"), {**name, "highest": highest})


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
    return (
        source.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :table"), {"table": table.name}).scalar() or 0
    )
