"""Move every row from one database to another, whichever two they are."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, cast

from sqlalchemy import Column, Connection, MetaData, Table, Text, TypeDecorator, func, inspect, select, text
from sqlmodel import SQLModel

from bpm.errors import Misconfigured
from bpm.store.bulk import BulkInsert
from bpm.store.database import APPLICATION, Database
from bpm.store.migrate import application_tables, newest_revision, own_tables, revision_of
from bpm.store.numbering import continue_numbers
from bpm.store.sync_runner import run_sync

BATCH = 200

TOKENS = "pgqueuer"
"""How the names of the job engine's tables begin: the tokens in them are made anew from the rows."""

Progress = Callable[[str, int, int], None]
"""Is told a table's name, how many of its rows were copied, and how many there are."""


async def copy_database(source: Database, target: Database, progress: Progress) -> dict[str, int]:
    """Copy all tables in one transaction and return how many rows each of them has.

    Both must have been checked, the target upgraded. Raises `Misconfigured` when the target is not empty, the
    source is at another revision, or it has tables that no class describes; nothing was copied then.
    """
    return await run_sync(partial(_copy, source, target, progress), source.maintenance, target.maintenance)


def _copy(source: Database, target: Database, progress: Progress) -> dict[str, int]:
    tables = known_tables()
    with source.maintenance.begin() as reading, target.maintenance.begin() as writing:
        _refuse_servers(reading)
        _refuse_other_revision(reading)
        _refuse_unknown_tables(reading, tables)
        _refuse_rows(writing, tables)
        copied = {table.name: _copy_table(reading, writing, table, progress) for table in tables}
        _refuse_difference(writing, tables, copied)
    return copied


def known_tables() -> list[Table]:
    """Return our tables and the application's, each after those it refers to."""
    known = {table.name for table in (*own_tables(), *application_tables())}
    return [table for table in SQLModel.metadata.sorted_tables if table.name in known]


def count_rows(connection: Connection, tables: Iterable[Table]) -> dict[str, int]:
    """Return the number of rows of each table."""
    return {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}


def unknown_tables(connection: Connection, tables: Iterable[Table]) -> list[str]:
    """Return the names of tables that hold neither rows of ours nor tokens."""
    known = {"alembic_version", *(table.name for table in tables)}
    names = inspect(connection).get_table_names()
    return [name for name in names if name not in known and not name.startswith(TOKENS)]


def _refuse_servers(connection: Connection) -> None:
    """Find servers on PostgreSQL; that nobody works on a file is told by its lock."""
    if connection.dialect.name != "postgresql":
        return
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = :name"
    connections = connection.execute(text(asked), {"name": APPLICATION}).scalar_one()
    if connections:
        raise Misconfigured(f"servers are working on the source ({connections} connections); stop them first")


def _refuse_other_revision(connection: Connection) -> None:
    revision = revision_of(connection)
    if revision != newest_revision():
        raise Misconfigured(
            f"the source stands at revision {revision}, not {newest_revision()}; run `bpm db upgrade` on it first"
        )


def _refuse_unknown_tables(connection: Connection, tables: Iterable[Table]) -> None:
    unknown = unknown_tables(connection, tables)
    if unknown:
        raise Misconfigured(
            f"the source has tables that nothing here describes: {', '.join(unknown)}; "
            "name the packages they belong to in BPM_COMMAND_PACKAGES, or drop them"
        )


def _refuse_rows(connection: Connection, tables: Iterable[Table]) -> None:
    full = [name for name, rows in count_rows(connection, tables).items() if rows]
    if full:
        raise Misconfigured(f"the target is not empty: there are rows in {', '.join(full)}")


def _refuse_difference(connection: Connection, tables: Iterable[Table], copied: Mapping[str, int]) -> None:
    found = count_rows(connection, tables)
    different = [name for name, rows in copied.items() if found[name] != rows]
    if different:
        raise Misconfigured(f"the copy differs from the source in {', '.join(different)}; nothing was kept")


def _copy_table(source: Connection, target: Connection, table: Table, progress: Progress) -> int:
    plain = _plain(table)
    total = source.execute(select(func.count()).select_from(plain)).scalar_one()
    insert = BulkInsert(plain, list(plain.columns.keys()), target.dialect)
    done = 0
    progress(table.name, done, total)
    rows = source.execute(select(plain).execution_options(yield_per=BATCH))
    for batch in rows.mappings().partitions():
        insert.execute(target, [_storable({**row}, target) for row in batch])
        done += len(batch)
        progress(table.name, done, total)
    continue_numbers(source, target, table)
    return total


def _plain(table: Table) -> Table:
    """Return the table with texts as they are stored, so that what is in them arrives to the letter."""
    columns = (Column(column.name, _plain_type(column.type)) for column in table.columns)
    return Table(table.name, MetaData(), *columns)


def _plain_type(declared: Any) -> Any:
    stored = declared.impl_instance if isinstance(declared, TypeDecorator) else None
    return stored if isinstance(stored, Text) else cast("Any", declared)


def _storable(row: Mapping[str, Any], target: Connection) -> Mapping[str, Any]:
    """Replace the one character that PostgreSQL's texts can't hold."""
    if target.dialect.name != "postgresql" or not any(isinstance(v, str) and "\x00" in v for v in row.values()):
        return row
    return {name: value.replace("\x00", "\ufffd") if isinstance(value, str) else value for name, value in row.items()}
