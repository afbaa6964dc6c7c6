"""Move every row from one database to another, whichever two they are; a copy that was broken off goes on."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from sqlalchemy import Connection, Engine, Table, func, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from bpm.errors import Misconfigured
from bpm.store.application_migrations import VERSION_TABLE, application_migrations, application_tables, own_tables
from bpm.store.application_tables import is_any_behind
from bpm.store.bulk import BulkInsert
from bpm.store.copy_marker import UNFINISHED, begin_copy, end_copy, unfinished_source
from bpm.store.copy_pages import Row, digest_of, in_pages, plain_table, read_rows, storable
from bpm.store.database import Database
from bpm.store.migrate import newest_revision, revision_of
from bpm.store.numbering import continue_numbers
from bpm.store.servers import connected_servers
from bpm.store.sync_runner import run_sync

TOKENS = "pgqueuer"
"""How the names of the job engine's tables begin: the tokens in them are made anew from the rows."""

TOLD_EVERY = 1_000
"""After how many compared rows it is told how far that is."""

AGAIN = "empty the target and begin again"

Progress = Callable[[str, int, int], None]
"""Is told what is being done to which table, how many of its rows are done, and how many there are."""


async def copy_database(source: Database, target: Database, progress: Progress) -> dict[str, int]:
    """Copy all tables, a page of rows a transaction, and return how many rows each of them has.

    Both must have been checked, the target upgraded. A copy that was broken off goes on after the last page that
    arrived. At the end the rows of both sides are counted and summed up, and only then may servers work on the
    target. Raises `Misconfigured` when the target holds other rows, the source is at another revision, or one of
    them was changed meanwhile.
    """
    return await run_sync(partial(_copy, source, target, progress), source.maintenance, target.maintenance)


async def is_unfinished(target: Database) -> bool:
    """Tell whether a copy into a database was broken off."""

    def look() -> bool:
        with target.maintenance.connect() as connection:
            return unfinished_source(connection) is not None

    return await run_sync(look, target.maintenance)


def _copy(source: Database, target: Database, progress: Progress) -> dict[str, int]:
    tables = known_tables()
    with source.maintenance.connect() as reading, reading.begin():
        _hold_still(reading)
        _refuse_servers(reading)
        _refuse_other_revision(reading)
        _refuse_unknown_tables(reading, tables)
        with target.maintenance.begin() as writing:
            _begin(writing, source.facts["place"], tables)
        for table in tables:
            _copy_table(reading, target.maintenance, table, progress)
        with target.maintenance.begin() as writing:
            copied = {table.name: _proven_rows(reading, writing, table, progress) for table in tables}
            _refuse_servers(reading)
            for table in tables:
                continue_numbers(reading, writing, table)
            end_copy(writing)
    return copied


def known_tables() -> list[Table]:
    """Return our tables and the application's, each after those it refers to."""
    known = {table.name for table in (*own_tables(), *application_tables())}
    return [table for table in SQLModel.metadata.sorted_tables if table.name in known]


def count_rows(connection: Connection, tables: Iterable[Table]) -> dict[str, int]:
    """Return the number of rows of each table."""
    return {table.name: _count(connection, table) for table in tables}


def unknown_tables(connection: Connection, tables: Iterable[Table]) -> list[str]:
    """Return the names of tables that hold neither rows of ours nor tokens."""
    versions = (VERSION_TABLE, *(each.version_table for each in application_migrations()))
    known = {*versions, UNFINISHED.name, *(table.name for table in tables)}
    names = inspect(connection).get_table_names()
    return [name for name in names if name not in known and not name.startswith(TOKENS)]


def _hold_still(connection: Connection) -> None:
    """Read one moment of a server; a transaction on a file keeps its writers away by itself."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _refuse_servers(connection: Connection) -> None:
    connections = connected_servers(connection)
    if connections:
        raise Misconfigured(f"servers are working on the source ({connections} connections); stop them first")


def _refuse_other_revision(connection: Connection) -> None:
    revision = revision_of(connection)
    if revision != newest_revision():
        raise Misconfigured(
            f"the source stands at revision {revision}, not {newest_revision()}; run `bpm db upgrade` on it first"
        )
    if is_any_behind(connection):
        raise Misconfigured("the source lacks migrations of applications; run `bpm db upgrade` on it first")


def _refuse_unknown_tables(connection: Connection, tables: Iterable[Table]) -> None:
    unknown = unknown_tables(connection, tables)
    if unknown:
        raise Misconfigured(
            f"the source has tables that nothing here describes: {', '.join(unknown)}; "
            "name the packages they belong to in BPM_COMMAND_PACKAGES, or drop them"
        )


def _begin(target: Connection, source: str, tables: Iterable[Table]) -> None:
    """Begin a copy into an empty database, or go on with the one that was broken off."""
    former = unfinished_source(target)
    if former is None:
        _refuse_rows(target, tables)
        begin_copy(target, source)
    elif former != source:
        raise Misconfigured(f"the target holds an unfinished copy of {former}, not of {source}; {AGAIN}")
    elif revision_of(target) != newest_revision():
        raise Misconfigured(f"the copy was begun by another version; {AGAIN}")


def _refuse_rows(connection: Connection, tables: Iterable[Table]) -> None:
    full = [name for name, rows in count_rows(connection, tables).items() if rows]
    if full:
        raise Misconfigured(f"the target is not empty: there are rows in {', '.join(full)}")


def _copy_table(reading: Connection, target: Engine, table: Table, progress: Progress) -> None:
    """Copy the rows that the target lacks: those that it has are the first ones in the source's order."""
    plain = plain_table(table)
    with target.connect() as writing:
        total, done = _count(reading, plain), _count(writing, plain)
        writing.rollback()
        insert = BulkInsert(plain, list(plain.columns.keys()), target.dialect)
        progress(table.name, done, total)
        for page in in_pages(read_rows(reading, plain, skip=done)):
            with writing.begin():
                _insert(writing, insert, page, table.name)
            done += len(page)
            progress(table.name, done, total)


def _insert(target: Connection, insert: BulkInsert, page: list[dict[str, object]], name: str) -> None:
    try:
        insert.execute(target, [storable(row, target) for row in page])
    except IntegrityError as error:
        raise Misconfigured(
            f"a row of {name} stands in the target already: another copy is at work, or one of the two was changed "
            f"since the copy began; {AGAIN}"
        ) from error


def _proven_rows(reading: Connection, writing: Connection, table: Table, progress: Progress) -> int:
    """Return how many rows a table has on both sides; raises `Misconfigured` unless they are the same ones."""
    plain = plain_table(table)
    total = 2 * _count(reading, plain)

    def seen(rows: Iterable[Row], done: int = 0) -> Iterator[Row]:
        for number, row in enumerate(rows, done):
            if number % TOLD_EVERY == 0:
                progress(f"comparing {table.name}", number, total)
            yield row

    rows, digest = digest_of(seen(storable(row, writing) for row in read_rows(reading, plain)))
    if (rows, digest) != digest_of(seen(read_rows(writing, plain), rows)):
        raise Misconfigured(
            f"the rows of {table.name} are not those of the source: one of the two was changed since the copy began; "
            f"{AGAIN}"
        )
    progress(f"comparing {table.name}", total, total)
    return rows


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()
