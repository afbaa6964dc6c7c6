"""Space of a SQLite file that nothing uses any more goes back to the disk."""

import sqlite3
from contextlib import closing

import pytest

from bpm.clock import system_clock
from bpm.errors import Misconfigured
from bpm.settings import MIB, Settings
from bpm.store import Database, Transaction, open_database
from bpm.store.compaction import INCREMENTAL, compact
from bpm.store.retention import Retention
from tests.contracts.database import SAMPLES, insert, words

pytestmark = [pytest.mark.anyio, pytest.mark.embedded]

MANY = 12


async def fill_and_empty(database: Database) -> None:
    """Let the file grow by megabytes that nothing needs afterwards."""
    for number in range(MANY):
        await database.write(insert(f"{number}" + "x" * MIB))
    await database.write(delete_all)


def delete_all(tx: Transaction) -> None:
    tx.connection.execute(SAMPLES.delete())


async def test_a_run_of_retention_lets_the_file_shrink(database: Database, settings: Settings) -> None:
    """Most of what is free goes, in pieces; what is written afterwards finds its place."""
    await fill_and_empty(database)
    retention = Retention(database, settings.retention, system_clock, "test", ())
    assert await retention.run() == {}
    await database.write(insert("after"))
    await database.stop()  # which moves the log into the file
    assert settings.sqlite_path.stat().st_size < MANY * MIB / 2
    with closing(sqlite3.connect(settings.sqlite_path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_an_older_file_is_compacted_and_shrinks_by_itself_from_then_on(
    settings: Settings, database: Database
) -> None:
    """Files of before were made without `auto_vacuum`; `compact` gives them that, too."""
    await database.stop()
    with closing(sqlite3.connect(settings.sqlite_path, isolation_level=None)) as file:
        file.execute("PRAGMA journal_mode=DELETE")
        file.execute("PRAGMA auto_vacuum=NONE")
        file.execute("VACUUM")
    grown = open_database(settings)
    await grown.start()
    await fill_and_empty(grown)
    await grown.write(insert("kept"))
    retention = Retention(grown, settings.retention, system_clock, "test", ())
    assert await retention.run() == {}
    await grown.stop()
    before, after = compact(settings.sqlite_path)
    assert before > MANY * MIB > 2 * MIB > after
    with closing(sqlite3.connect(settings.sqlite_path)) as file:
        assert file.execute("PRAGMA auto_vacuum").fetchone() == (INCREMENTAL,)
    again = open_database(settings)
    await again.start()
    assert await again.read(words) == ["kept"]
    await again.stop()


async def test_a_file_that_is_in_use_is_not_compacted(database: Database, settings: Settings) -> None:
    """A server that is at work would be held up for as long as it takes."""
    with pytest.raises(Misconfigured, match=r"another process has .* open"):
        compact(settings.sqlite_path)
    assert await database.write(insert("still here")) == "still here"
