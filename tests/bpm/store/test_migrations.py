"""Migrations: what they build is what the classes say, and a database of another version is refused."""

import sqlite3
import warnings
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from bpm.app import discovered
from bpm.errors import Misconfigured
from bpm.settings import Settings
from bpm.store import Database, Transaction, open_database
from bpm.store.migrate import newest_revision, own_tables

pytestmark = pytest.mark.anyio


async def test_the_migrations_build_what_the_classes_say(tmp_path: Path) -> None:
    """Every table, column, index and constraint of our classes is in a migrated database, and nothing else is."""
    discovered(Settings(data_dir=tmp_path))
    own = {table.name for table in own_tables()}
    database = open_database(Settings(data_dir=tmp_path))
    await database.start()

    def differences(tx: Transaction) -> list[Any]:
        def is_own(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
            return kind != "table" or name in own

        options = {"compare_type": True, "include_object": is_own}
        context = MigrationContext.configure(tx.connection, opts=options)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*expression-based index")  # SQLite can't show them
            return list(compare_metadata(context, SQLModel.metadata))

    found = await database.read(differences)
    await database.stop()
    assert found == []


async def test_a_user_name_is_unique_whatever_its_capitals(database: Database) -> None:
    """The one index that can't be compared is there."""

    def indexes(tx: Transaction) -> list[str]:
        return list(
            tx.connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'ux_user_username'").scalars()
        )

    (statement,) = await database.read(indexes)
    assert "UNIQUE" in statement
    assert "lower(username)" in statement


async def test_an_unknown_revision_is_refused(settings: Settings) -> None:
    """A database of a newer version is left alone, with a sentence that says what to do."""
    database = open_database(settings)
    await database.start()
    await database.stop()
    with sqlite3.connect(settings.sqlite_path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Misconfigured, match="revision 9999, which this version does not know"):
        await open_database(settings).start()
    assert newest_revision() < "9999"
