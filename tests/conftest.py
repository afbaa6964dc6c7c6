"""What tests of several packages share: a real database in a temporary folder, or on a real PostgreSQL.

With `BPM_TEST_DATABASE=postgres` every test runs on PostgreSQL, except those marked `embedded`, which are about
SQLite's file.
"""

import asyncio
import gc
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import structlog

import bpm.store.factory
from bpm.clock import system_clock
from bpm.jobs.factory import open_jobs
from bpm.settings import Settings
from bpm.store import Database, open_database
from bpm.store.sqlite import database_file
from bpm.testing.folder import fill_folder

hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

EVERYTHING_ON_POSTGRES = os.environ.get("BPM_TEST_DATABASE") == "postgres"


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker; what is logged stays apart from what a command prints."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    config.addinivalue_line("markers", "embedded: about SQLite's file, so left out on PostgreSQL")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about SQLite's file when everything runs on PostgreSQL."""
    if EVERYTHING_ON_POSTGRES:
        embedded = [item for item in items if item.get_closest_marker("embedded")]
        items[:] = [item for item in items if item not in embedded]
        config.hook.pytest_deselected(items=embedded)


def pytest_collection_finish() -> None:
    """Take thousands of collected tests out of the garbage collector's sight.

    To look at them all took half a second, in the middle of whatever was measured.
    """
    gc.collect()
    gc.freeze()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case after its argument where the value is bytes.

    Packed and signed bytes hold the moment they were made at, so two test processes would name the case differently.
    """
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run every asynchronous test on asyncio, as the server does."""
    return "asyncio"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an installation of its own."""
    return Settings(data_dir=tmp_path)


@pytest.fixture(scope="session")
def empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose database has all tables and no rows."""
    folder = tmp_path_factory.mktemp("empty")
    asyncio.run(fill_folder(Settings(data_dir=folder)))
    return folder


@pytest.fixture
def tables(settings: Settings, empty_folder: Path) -> None:
    """The data folder begins with all tables; on PostgreSQL there is no file to copy."""
    shutil.copytree(empty_folder, settings.data_dir, dirs_exist_ok=True)


@pytest.fixture
async def database(settings: Settings, tables: None) -> AsyncIterator[Database]:
    """A started database."""
    database = open_database(settings)
    await database.start()
    await open_jobs(database, settings, system_clock).prepare()
    yield database
    await database.stop()


@pytest.fixture(scope="session")
def databases() -> Iterator[Any]:
    """Makes databases on a PostgreSQL server that is started when the first test asks for it."""
    from tests import postgres

    with postgres.server() as url:
        made = postgres.Databases(url)
        yield made
        made.drop_all()


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Any]:
    """A PostgreSQL of the module's own, which may be stopped, and whose socket another program may use."""
    from tests.postgres import cluster

    with cluster() as running:
        yield running


@pytest.fixture
def postgres_url(databases: Any) -> Iterator[str]:
    """The address of a PostgreSQL database of the test's own, with all tables and no rows."""
    url = databases.migrated()
    yield url
    databases.drop(url)


@pytest.fixture(scope="session", autouse=EVERYTHING_ON_POSTGRES)
def databases_for_folders(databases: Any) -> Iterator[list[str]]:
    """Give each data folder a PostgreSQL database where it would have had a file; yields those made so far."""
    from bpm.store.postgres import PostgresDatabase
    from bpm.testing import ServerProcess

    made: list[str] = []
    urls: dict[Path, str] = {}

    def new() -> str:
        made.append(databases.migrated())
        return made[-1]

    def on_postgres(settings: Settings) -> Database:
        folder = database_file(settings).resolve()
        urls[folder] = urls.get(folder) or new()
        return PostgresDatabase(settings.model_copy(update={"database_url": urls[folder]}))

    start = ServerProcess.__init__

    def with_database(server: ServerProcess, **environment: str) -> None:
        start(server, **{"BPM_DATABASE_URL": new(), **environment})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bpm.store.factory, "SqliteDatabase", on_postgres)
        patch.setattr(ServerProcess, "__init__", with_database)
        yield made


@pytest.fixture(autouse=EVERYTHING_ON_POSTGRES)
def leave_no_database(databases: Any, databases_for_folders: list[str]) -> Iterator[None]:
    """Drop the databases that a test made, and keep those of fixtures that live longer."""
    before = len(databases_for_folders)
    yield
    for url in databases_for_folders[before:]:
        databases.drop(url)
