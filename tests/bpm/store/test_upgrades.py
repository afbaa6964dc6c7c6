"""Stores of every earlier migration, with a row in each table, are brought up to date."""

import sqlite3
import warnings
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import Column, Connection, Engine, MetaData, create_engine, inspect, select
from sqlalchemy.pool import NullPool

from bpm.app import build_registry
from bpm.errors import Misconfigured
from bpm.settings import Settings
from bpm.store import open_database
from bpm.store.application_migrations import own_tables
from bpm.store.backup import files, read_manifest
from bpm.store.backup.automatic import KEPT, PREFIX
from bpm.store.copy import count_rows
from bpm.store.database_check import examine
from bpm.store.migrate import FOLDER, newest_revision, revisions
from bpm.store.sync_runner import run_sync

pytestmark = pytest.mark.anyio

EARLIER = revisions()[:-1]
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
VALUES: tuple[tuple[type[Any], object], ...] = (
    (sa.Boolean, True),
    (sa.Integer, 1),
    (sa.Float, 1.0),
    (sa.DateTime, MOMENT),
    (sa.LargeBinary, b"{}"),
    (sa.Text, "{}"),
    (sa.String, "1"),
)
"""The value of a column by its type; subclasses first."""
MOVED = {"feature"}
"""Tables whose rows are columns of others now."""


def value_of(column: Column[Any]) -> object:
    return next(value for kind, value in VALUES if isinstance(column.type, kind))


def migrate(connection: Connection, revision: str) -> None:
    """Bring the database to a revision, as the version that ended with it did."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER))
    command.upgrade(config, revision)


def fill_new_tables(connection: Connection, filled: set[str]) -> None:
    """Give every table that is not among the filled ones, and is empty, a row."""
    names = set(inspect(connection).get_table_names())
    found = MetaData()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*expression-based index")  # SQLite can't show them
        found.reflect(connection, only=sorted(names - filled))
    for table in found.sorted_tables:
        if connection.execute(select(table).limit(1)).first() is None:
            connection.execute(table.insert(), {column.name: value_of(column) for column in table.columns})
    filled |= names


def engine_of(file: Path) -> Engine:
    return create_engine(f"sqlite:///{file}", poolclass=NullPool)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, int]]]:
    """A file as each earlier version left it, with the number of rows of its tables."""
    folder = tmp_path_factory.mktemp("stores")
    made: dict[str, tuple[Path, dict[str, int]]] = {}
    filled = set[str]()
    with engine_of(folder / "growing.db").connect() as connection:
        for revision in EARLIER:
            migrate(connection, revision)
            fill_new_tables(connection, filled)
            connection.commit()
            file = folder / f"{revision}.db"
            file.write_bytes((folder / "growing.db").read_bytes())
            made[revision] = (file, rows_of(file))
    return made


def rows_of(file: Path) -> dict[str, int]:
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    with closing(sqlite3.connect(file)) as connection:
        names = [name for (name,) in connection.execute(tables)]
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 names of the file
            for name in names
        }


@pytest.mark.embedded
@pytest.mark.parametrize("revision", EARLIER)
async def test_a_store_of_every_migration_starts_with_all_its_rows(
    revision: str, stores: dict[str, tuple[Path, dict[str, int]]], settings: Settings
) -> None:
    """The new version makes what is missing and keeps what is there; what was before lies beside it, verified."""
    source, rows = stores[revision]
    settings.sqlite_path.write_bytes(source.read_bytes())
    build_registry(settings)
    database = open_database(settings)
    await database.start()
    await database.stop()
    now = rows_of(settings.sqlite_path)
    assert {name for name, many in rows.items() if now.get(name, 0) < many} <= MOVED
    found = await examine(database)
    assert (found.revision, [problem for problem in found.problems if "is missing" in problem]) == (
        newest_revision(),
        [],
    )
    (backup,) = settings.data_dir.glob(f"{PREFIX}*")
    assert (read_manifest(backup).revision, read_manifest(backup).rows) == (revision, rows)


async def test_every_step_goes_with_rows_on_postgresql(databases: Any, tmp_path: Path) -> None:
    """One database walks through all migrations, and every table that a step makes gets a row before the next."""
    url = databases.empty()
    database = open_database(Settings(data_dir=tmp_path, database_url=url))
    await database.check()

    def walk() -> set[int]:
        filled = set[str]()
        with database.maintenance.connect() as connection:
            for revision in revisions():
                migrate(connection, revision)
                fill_new_tables(connection, filled)
                connection.commit()
            return set(count_rows(connection, own_tables()).values())

    try:
        assert await run_sync(walk, database.maintenance) == {1}
    finally:
        databases.drop(url)


@pytest.fixture
def older(stores: dict[str, tuple[Path, dict[str, int]]], settings: Settings) -> Settings:
    """An installation that stands one migration back."""
    settings.sqlite_path.write_bytes(stores[EARLIER[-1]][0].read_bytes())
    return settings


@pytest.mark.embedded
async def test_a_backup_that_can_not_be_made_stops_the_migration(
    older: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file stays as it was, and the sentence names the setting that goes on without; that one does."""

    def as_large_as_no_disk(_file: Path) -> int:
        return 2**60

    monkeypatch.setattr(files, "size_of", as_large_as_no_disk)
    with pytest.raises(Misconfigured, match=r"MB free.*BPM_BACKUP_BEFORE_UPGRADE=false"):
        await open_database(older).start()
    with closing(sqlite3.connect(older.sqlite_path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(EARLIER[-1],)]
    assert list(older.data_dir.glob(f"{PREFIX}*")) == []
    await open_database(older.model_copy(update={"backup_before_upgrade": False})).upgrade()
    assert list(older.data_dir.glob(f"{PREFIX}*")) == []


@pytest.mark.embedded
async def test_only_the_last_backups_stay(older: Settings) -> None:
    """The oldest goes when a new one is whole; folders that are no backup are left alone."""
    for day in (1, 2):
        folder = older.data_dir / f"{PREFIX}2026010{day}T000000Z-0001"
        folder.mkdir()
        (folder / "manifest.json").write_text("{}")
    (older.data_dir / f"{PREFIX}mine").mkdir()
    await open_database(older).upgrade()
    kept = sorted(path.name for path in older.data_dir.glob(f"{PREFIX}2*"))
    assert (len(kept), kept[0]) == (KEPT, f"{PREFIX}20260102T000000Z-0001")
    assert (older.data_dir / f"{PREFIX}mine").exists()
