"""What is asked of an application's tables, beyond what its classes say by themselves."""

from collections.abc import Iterable

from sqlalchemy import Connection, DateTime, Float, Numeric, Table, inspect
from sqlmodel import SQLModel

from bpm.errors import Misconfigured
from bpm.store.application_migrations import application_migrations, application_tables, unmigrated_tables
from bpm.store.application_upgrade import migrate_applications


def bring_up_to_date(connection: Connection) -> None:
    """Run the applications' migrations, and create the tables of packages without any that are missing.

    A table that exists is altered by migrations alone. Raises `Misconfigured` for a table that lacks a column of its
    class, and for one that would lose something on one of the two databases.
    """
    tables = application_tables()
    faults = [fault for table in tables for fault in _lossy_columns(table)]
    if faults:
        raise Misconfigured(*faults)
    migrate_applications(connection)
    SQLModel.metadata.create_all(connection, tables=unmigrated_tables())
    faults = [fault for table in tables for fault in _missing_columns(connection, table)]
    if faults:
        raise Misconfigured(*faults)


def is_any_behind(connection: Connection) -> bool:
    """Tell whether migrations of applications are still to be made."""
    return any(each.is_behind(connection) for each in application_migrations())


def _lossy_columns(table: Table) -> Iterable[str]:
    """Say what one of the databases does not keep as it was given."""
    for column in table.columns:
        place = f"{column.name} of the table {table.name}"
        if isinstance(column.type, DateTime):
            yield f"{place} loses its zone on SQLite; declare it with Field(sa_type=UtcDateTime)"
        if isinstance(column.type, Numeric) and not isinstance(column.type, Float) and column.type.asdecimal:
            yield f"{place} is rounded on SQLite; keep a decimal number as text (str), or whole cents (int)"


def _missing_columns(connection: Connection, table: Table) -> Iterable[str]:
    if not inspect(connection).has_table(table.name):
        yield f"no migration makes the table {table.name}; write one that does, and start again"
        return
    present = {column["name"] for column in inspect(connection).get_columns(table.name)}
    missing = [column.name for column in table.columns if column.name not in present]
    if missing:
        yield (
            f"the table {table.name} lacks {', '.join(missing)}; tables of applications are created once and never "
            "altered by themselves, so add the columns in a migration of the package (docs/how-to/"
            "bring-tables-of-your-own.md), or by ALTER TABLE … ADD COLUMN, and start again"
        )
