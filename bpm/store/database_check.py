"""What is in a database, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, inspect

from bpm.store.application_tables import is_any_behind
from bpm.store.copy import count_rows, known_tables, unknown_tables
from bpm.store.copy_marker import unfinished_source
from bpm.store.database import Database
from bpm.store.migrate import newest_revision, revision_of
from bpm.store.sync_runner import run_sync


@dataclass(frozen=True, slots=True)
class DatabaseReport:
    """The revision a database stands at, the rows of each table, and sentences about what should be mended."""

    revision: str | None
    rows: Mapping[str, int]
    problems: Sequence[str]


async def examine(database: Database) -> DatabaseReport:
    """Look at a database that was checked; nothing is changed."""

    def look() -> DatabaseReport:
        with database.maintenance.connect() as connection:
            return _examination(connection)

    return await run_sync(look, database.maintenance)


def _examination(connection: Connection) -> DatabaseReport:
    revision = revision_of(connection)
    names = set(inspect(connection).get_table_names())
    present = [table for table in known_tables() if table.name in names]
    problems = _problems_of_revision(revision)
    if not problems and is_any_behind(connection):
        problems.append("migrations of applications are still to be made; `bpm db upgrade` runs them")
    if not problems:
        problems += [f"the table {table.name} is missing" for table in known_tables() if table.name not in names]
        problems += [words for table in present if (words := _lacking(connection, table))]
    problems += [f"nothing here describes the table {name}" for name in unknown_tables(connection, present)]
    if (source := unfinished_source(connection)) is not None:
        problems.append(f"the copy of {source} into it is not finished; run the same `bpm db copy` again")
    if connection.dialect.name == "sqlite":
        problems += _problems_of_file(connection)
    return DatabaseReport(revision, count_rows(connection, present), problems)


def _lacking(connection: Connection, table: Table) -> str:
    """Say which columns a table lacks; a server would not start, or fail where it needs them."""
    there = {column["name"] for column in inspect(connection).get_columns(table.name)}
    missing = [column.name for column in table.columns if column.name not in there]
    return f"the table {table.name} lacks {', '.join(missing)}" if missing else ""


def _problems_of_revision(revision: str | None) -> list[str]:
    newest = newest_revision()
    if revision == newest:
        return []
    if revision is None:
        return ["it is empty; `bpm db upgrade` makes the tables"]
    if revision > newest:
        return [f"it stands at revision {revision}, which this version does not know"]
    return [f"it stands at revision {revision}, not {newest}; `bpm db upgrade` brings it up to date"]


def _problems_of_file(connection: Connection) -> list[str]:
    """Ask SQLite itself (https://sqlite.org/pragma.html#pragma_integrity_check)."""
    damage = [row for row in connection.exec_driver_sql("PRAGMA quick_check").scalars() if row != "ok"]
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    found = {f"a row of {orphan[0]} refers to one of {orphan[2]} that is gone" for orphan in orphans}
    return [f"the file is damaged: {sentence}" for sentence in damage] + sorted(found)
