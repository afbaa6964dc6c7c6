"""SQLite's write-ahead log stays small while others read, and its room is given back."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bpm.settings import Settings
from bpm.store import Database, open_database
from bpm.store.checkpoints import LOOK_SECONDS, Checkpoints
from bpm.store.gate import SnapshotGate
from bpm.testing import until
from tests.contracts.database import insert, words

pytestmark = [pytest.mark.anyio, pytest.mark.embedded]

MIB = 1024 * 1024


def log_of(settings: Settings) -> Path:
    """Return the log beside the database."""
    return settings.sqlite_path.with_name("bpm.db-wal")


async def test_the_log_is_emptied_beside_readers_that_take_turns(database: Database, settings: Settings) -> None:
    """Reads that overlap without a pause leave SQLite no moment to begin the log anew; a checkpoint makes one."""
    checkpoints = Checkpoints(settings.sqlite_path, database.readers.gate, log_bytes=0)
    checkpoints.start()
    reading = True

    async def read() -> None:
        while reading:
            await database.read(words)

    readers = [asyncio.create_task(read()) for _ in range(4)]
    await database.write(insert("x" * MIB))
    await until(lambda: log_of(settings).stat().st_size == 0, pause=0.05)
    reading = False
    await asyncio.gather(*readers)
    await asyncio.to_thread(checkpoints.stop)
    assert len(await database.read(words)) == 1


async def test_a_foreign_reader_delays_it_and_loses_nothing(database: Database, settings: Settings) -> None:
    """A backup that holds a snapshot keeps the log as it is, for as long as it goes on."""
    other = sqlite3.connect(settings.sqlite_path, isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM writer_sample").fetchone()
    await database.write(insert("x" * MIB))
    checkpoints = Checkpoints(settings.sqlite_path, SnapshotGate())
    await asyncio.to_thread(checkpoints.empty)
    await asyncio.to_thread(checkpoints.empty)
    assert log_of(settings).stat().st_size > MIB
    assert checkpoints.pause == 4 * LOOK_SECONDS, "each vain try holds others up, so they become rare"
    await database.write(insert("meanwhile"))
    other.close()
    await asyncio.to_thread(checkpoints.empty)
    assert log_of(settings).stat().st_size == 0
    assert checkpoints.pause == LOOK_SECONDS
    assert "meanwhile" in await database.read(words)


async def test_nothing_is_left_beside_a_file_that_was_closed(tmp_path: Path) -> None:
    """After the stop there is the database alone."""
    database = open_database(Settings(data_dir=tmp_path))
    await database.start()
    await database.stop()
    assert not log_of(Settings(data_dir=tmp_path)).exists()
