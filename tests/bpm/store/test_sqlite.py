"""What is particular to the embedded database: its file, its lock, its disk."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from bpm.errors import Misconfigured, StorageUnavailable
from bpm.settings import Settings
from bpm.store import Database, Transaction, open_database, sqlite
from tests.contracts.database import insert, words

pytestmark = [pytest.mark.anyio, pytest.mark.embedded]


async def test_what_was_written_is_in_the_file(database: Database, settings: Settings) -> None:
    """A returned write is there for any process that opens the file."""
    assert await database.write(insert("a")) == "a"
    with closing(sqlite3.connect(settings.sqlite_path)) as other, other:
        assert other.execute("SELECT word FROM writer_sample").fetchall() == [("a",)]


async def test_a_file_that_can_not_grow_refuses_and_recovers(database: Database) -> None:
    """When the file can't grow nothing is acknowledged; when it can again, writing goes on without a restart."""
    await database.write(insert("before"))

    def cap(pages: int) -> Callable[[Transaction], Any]:
        return lambda tx: tx.connection.exec_driver_sql(f"PRAGMA max_page_count={pages}").scalar()

    await database.write(cap(1))
    with pytest.raises(StorageUnavailable):
        await database.write(insert("x" * 10_000_000))
    assert await database.write(insert("after")) == "after"
    assert "before" in await database.read(words)


def without_memory(tx: Transaction) -> None:
    """Insert a row for which SQLite finds no memory; it undoes the whole transaction then."""

    def nothing() -> None:
        raise MemoryError

    assert tx.driver is not None
    tx.driver.create_function("no_memory", 0, nothing)
    tx.connection.exec_driver_sql("INSERT INTO writer_sample (word, mood) VALUES (no_memory(), 'calm')")


def without_a_word(tx: Transaction) -> None:
    """Do the same, and let nobody know."""
    with suppress(MemoryError):
        without_memory(tx)


@pytest.mark.parametrize("work", [without_memory, without_a_word])
async def test_a_transaction_that_sqlite_undid_is_not_acknowledged(
    database: Database, work: Callable[[Transaction], None]
) -> None:
    """What stood in it before is written again: whoever was told that it is on disk finds it there."""
    asked = (insert("a"), work, insert("b"))
    answers = await asyncio.gather(*map(database.write, asked), return_exceptions=True)
    assert (answers[0], answers[2]) == ("a", "b")
    assert isinstance(answers[1], StorageUnavailable)
    assert await database.read(words) == ["a", "b"]


async def test_a_second_process_that_holds_the_lock_is_waited_for(database: Database, settings: Settings) -> None:
    """A short foreign write delays ours and does not fail it."""
    other = sqlite3.connect(settings.sqlite_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    pending = asyncio.create_task(database.write(insert("a")))
    await asyncio.sleep(0.2)
    assert not pending.done()
    other.execute("COMMIT")
    other.close()
    assert await pending == "a"


async def test_a_start_waits_for_a_process_that_migrates(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long SQLite itself waits; and one that holds the file for good is told."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(settings.sqlite_path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(1, other.execute, ["ROLLBACK"]).start()
        second = open_database(settings)
        await second.start()
        await second.stop()
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(sqlite, "MIGRATION_SECONDS", 0.5)
        with pytest.raises(Misconfigured, match="is held by another process"):
            await open_database(settings).start()


async def test_a_folder_that_is_missing_is_created(tmp_path: Path) -> None:
    """A first start needs no preparation."""
    database = open_database(Settings(data_dir=tmp_path / "new" / "folder"))
    await database.start()
    await database.stop()
    assert (tmp_path / "new" / "folder" / "bpm.db").exists()


async def test_a_file_that_is_no_database_is_refused(settings: Settings) -> None:
    """Whatever else lies in the database's place is left alone, with a sentence that names it."""
    settings.sqlite_path.write_bytes(b"a letter to a friend" * 100)
    with pytest.raises(Misconfigured, match=r"bpm\.db can't be used as the database"):
        await open_database(settings).start()
    assert settings.sqlite_path.read_bytes().startswith(b"a letter")


async def test_the_facts_tell_how_the_promise_is_kept(database: Database) -> None:
    """Health and `bpm db check` show the journal, the waiting for the disk, and that nothing was relaxed."""
    facts = database.facts
    assert facts["database"].startswith("SQLite 3.")
    assert (facts["journal_mode"], facts["synchronous"], facts["durability"]) == ("wal", "FULL", "full")


async def test_pages_are_kept_where_they_stay_true(database: Database) -> None:
    """The writer keeps 16 MB of the file in memory; a reader, who loses its pages at every commit, half of it."""

    def kept(tx: Transaction) -> int:
        return tx.connection.exec_driver_sql("PRAGMA cache_size").scalar_one()

    assert await database.write(kept) == -16_000
    assert await database.read(kept) == -8_000
