"""Migrations: what they build is what the classes say, and a database of another version is refused."""

import asyncio
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import bindparam, inspect, text
from sqlmodel import SQLModel

from bpm.accounts.tables import User
from bpm.app import build_registry
from bpm.errors import Misconfigured
from bpm.settings import Settings
from bpm.store import Transaction, UtcDateTime, open_database, utc_now
from bpm.store.application_migrations import own_tables
from bpm.store.migrate import revisions
from bpm.store.organizations import Organization, keep_organization

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.embedded), "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an installation without a table yet."""
    if request.param == "sqlite":
        yield Settings(data_dir=tmp_path)
    else:
        databases = request.getfixturevalue("databases")
        url = databases.empty()
        yield Settings(data_dir=tmp_path, database_url=url)
        databases.drop(url)


async def read(settings: Settings, work: Callable[[Transaction], Any]) -> Any:
    """Start, read and stop."""
    database = open_database(settings)
    await database.start()
    try:
        return await database.read(work)
    finally:
        await database.stop()


async def write(settings: Settings, work: Callable[[Transaction], Any]) -> None:
    """Start, write and stop."""
    database = open_database(settings)
    await database.start()
    try:
        await database.write(work)
    finally:
        await database.stop()


async def test_the_migrations_build_what_the_classes_say(settings: Settings) -> None:
    """Every table, column, index and constraint of our classes is in a migrated database, and nothing else is."""
    build_registry(settings)
    own = {table.name for table in own_tables()}

    def differences(tx: Transaction) -> list[Any]:
        def is_own(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
            return kind != "table" or name in own

        options = {"compare_type": True, "include_object": is_own}
        context = MigrationContext.configure(tx.connection, opts=options)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*expression-based index")  # SQLite can't show them
            return list(compare_metadata(context, SQLModel.metadata))

    assert await read(settings, differences) == []


@pytest.mark.embedded
async def test_no_number_is_given_twice(tmp_path: Path) -> None:
    """Where a class says so, SQLite remembers the numbers of deleted rows: no comparison above shows that."""
    settings = Settings(data_dir=tmp_path)
    build_registry(settings)
    remembering = {table.name for table in own_tables() if table.dialect_options["sqlite"]["autoincrement"]}
    made = text("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")
    assert set(await read(settings, lambda tx: tx.connection.execute(made).scalars().all())) == remembering


async def test_a_user_name_is_unique_whatever_its_capitals(settings: Settings) -> None:
    """The one index that can't be compared is there."""

    def is_unique(tx: Transaction) -> bool:
        catalogue = {
            "sqlite": "sql FROM sqlite_master WHERE name",
            "postgresql": "indexdef FROM pg_indexes WHERE indexname",
        }
        wanted = catalogue[tx.connection.dialect.name]
        statement = tx.connection.exec_driver_sql(f"SELECT {wanted} = 'ux_user_username'").scalar_one()
        return "UNIQUE" in statement and "lower" in statement

    assert await read(settings, is_unique)


async def test_an_unknown_revision_is_refused(settings: Settings) -> None:
    """A database of a newer version is left alone, with a sentence that says what to do."""
    database = open_database(settings)
    await database.start()
    change = "UPDATE alembic_version SET version_num = '9999'"
    await database.write(lambda tx: tx.connection.exec_driver_sql(change))
    await database.stop()
    with pytest.raises(Misconfigured, match="revision 9999, which this version does not know"):
        await open_database(settings).start()


async def test_processes_that_start_together_migrate_once(settings: Settings) -> None:
    """Several processes may meet an empty database; all of them find it whole."""

    def start_and_stop() -> None:
        async def run() -> None:
            database = open_database(settings)
            await database.start()
            await database.stop()

        asyncio.run(run())

    await asyncio.gather(*(asyncio.to_thread(start_and_stop) for _ in range(3)))
    tables = await read(settings, lambda tx: inspect(tx.connection).get_table_names())
    assert "webhook_config" in tables


def test_every_migration_follows_the_one_before() -> None:
    """The numbers have no gap, so that two made at the same time are noticed."""
    assert revisions() == [f"{number:04}" for number in range(1, len(revisions()) + 1)]


def migrate_only_to(patch: pytest.MonkeyPatch, revision: str) -> None:
    """Stop every migration at a revision, as a former version did."""
    upgrade = command.upgrade

    def upgrade_there(config: Config, _revision: str) -> None:
        upgrade(config, revision)

    patch.setattr(command, "upgrade", upgrade_there)


async def test_organisations_that_have_rows_are_carried_over(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each gets a row with its features and keeps its number; the next one that is made gets a number of its own."""
    with monkeypatch.context() as before:
        migrate_only_to(before, "0011")
        await write(settings, _two_organisations)
    await write(settings, lambda tx: keep_organization(tx, Organization(name="New", created_at=utc_now())))
    rows = await read(settings, lambda tx: tx.connection.execute(Organization.table().select()).all())
    assert {row.id: (row.name, row.features) for row in rows} == {
        1: ("Installation", {}),
        7: ("Organisation 7", {"webhooks": False}),
        8: ("New", {}),
    }


def _two_organisations(tx: Transaction) -> None:
    """Write accounts of two organisations, one of which lacks a feature, as it was done before they had a table."""
    for number in (1, 7):
        row: dict[str, Any] = {
            "username": f"u{number}",
            "kind": "user",
            "roles": [],
            "permissions": [],
            "token_version": 0,
        }
        about = {"organization_id": number, "created_at": utc_now()}
        tx.connection.execute(User.table().insert(), {**row, **about})
    feature = {"number": 7, "name": "webhooks", "is_on": False, "now": utc_now()}
    _execute(tx, "INSERT INTO feature VALUES (:number, :name, :is_on, :now)", feature)


async def test_ids_of_deleted_configurations_are_not_given_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the table is copied, so that captured requests never belong to a later configuration."""
    with monkeypatch.context() as before:
        migrate_only_to(before, "0026")
        await write(settings, lambda tx: _configuration(tx, "first"))
        await write(settings, _forget_configurations)
    await write(settings, lambda tx: _configuration(tx, "second"))
    rows = await read(settings, lambda tx: tx.connection.execute(text("SELECT id FROM webhook_config")).all())
    assert [row.id for row in rows] == [2]


def _configuration(tx: Transaction, key: str) -> None:
    """Write a configuration as it was before its order had a meaning."""
    names = ("key", "description", "path", "shape", "action", "definition", "labels", "author_id", "author_name")
    texts = dict.fromkeys(names, "a") | {"key": key, "permissions": "[]", "definition": "{}"}
    numbers = {"organization_id": 1, "is_enabled": True, "execution_type": 0, "revision": 1, "is_contested": False}
    values = {**texts, **numbers, "created_at": utc_now()}
    _insert(tx, "webhook_config", values)


def _insert(tx: Transaction, table: str, values: dict[str, Any]) -> None:
    """Write a row as its table was before."""
    columns = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(f":{name}" for name in values)
    _execute(tx, f"INSERT INTO {table} ({columns}) VALUES ({places})", values)  # noqa: S608


def _execute(tx: Transaction, statement: str, values: dict[str, Any]) -> None:
    """Execute a statement as it stands; a driver's own way to write moments is not asked for."""
    moments = [bindparam(name, type_=UtcDateTime()) for name, value in values.items() if isinstance(value, datetime)]
    tx.connection.execute(text(statement).bindparams(*moments), values)


def _forget_configurations(tx: Transaction) -> None:
    """Delete every configuration."""
    tx.connection.execute(text("DELETE FROM webhook_config"))


async def test_rows_of_histories_get_their_places(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each stands behind the rows of its own instance, which knows how many entries there are; one has none."""
    with monkeypatch.context() as before:
        migrate_only_to(before, "0047")
        await write(settings, _histories)
    places = "SELECT instance_id, entries_before, entry_count FROM process_history_entry ORDER BY id"
    rows = await read(settings, lambda tx: tx.connection.execute(text(places)).all())
    assert [(row.instance_id, row.entries_before, row.entry_count) for row in rows] == [
        (1, 0, 2),
        (2, 0, 1),
        (1, 2, 3),
        (2, 1, 1),
        (1, 5, 1),
    ]
    counts = "SELECT id, history_count FROM process_instance ORDER BY id"
    rows = await read(settings, lambda tx: tx.connection.execute(text(counts)).all())
    assert [(row.id, row.history_count) for row in rows] == [(1, 6), (2, 2), (3, 0)]


def _histories(tx: Transaction) -> None:
    """Write three instances, and steps of two of them in turns."""
    texts = dict.fromkeys(("process_key", "state", "starter_id", "starter_name", "correlation_id"), "a")
    numbers = {"organization_id": 1, "definition_id": 1, "state_version": 1, "parts_size": 0, "depth": 0}
    fixed = {**texts, **numbers, "status": "WAITING", "permissions": "[]", "created_at": utc_now()}
    for number in (1, 2, 3):
        _insert(tx, "process_instance", {**fixed, "id": number})
    entry = {"element_id": "a", "event": "completed", "at": utc_now(), "token": 1, "values": "{}", "flows": "[]"}
    for instance, entries in ((1, 2), (2, 1), (1, 3), (2, 1), (1, 1)):
        _insert(tx, "process_history_entry", {**entry, "instance_id": instance, "entry_count": entries})
