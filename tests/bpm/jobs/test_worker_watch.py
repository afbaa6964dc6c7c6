"""Whether anybody runs the jobs of a database, as a server without a worker of its own sees it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bpm.jobs.worker_tables import KEPT, WorkerRow, remove_worker, worker_rows, write_beat
from bpm.jobs.worker_watch import LOOK_SECONDS, SILENT_SECONDS, WorkerWatch
from bpm.settings import Settings
from bpm.store import Database, open_database, utc_now

pytestmark = pytest.mark.anyio


@dataclass
class Watched:
    """A watch whose seconds pass when the test says so, and a worker that beats when it says so."""

    database: Database
    now: float = 1_000.0
    row: WorkerRow = field(default_factory=lambda: WorkerRow("w", "there", 4711, 1, utc_now()))
    watch: WorkerWatch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = WorkerWatch(self.database, lambda: self.now)

    async def passes(self, seconds: float, *, beats: bool) -> None:
        """Let so many seconds pass, with a look every few of them."""
        for _ in range(round(seconds / LOOK_SECONDS)):
            self.now += LOOK_SECONDS
            if beats:
                await self.beat(self.row)
            await self.watch.look()

    async def beat(self, row: WorkerRow) -> None:
        """Write one sign of life."""
        await self.database.write(lambda tx: write_beat(tx, row))


@pytest.fixture
def watched(database: Database) -> Watched:
    """Nobody has worked on the database yet."""
    return Watched(database)


async def test_no_worker_at_all(watched: Watched) -> None:
    """It is too early to tell at first; then nobody runs the jobs, and the sentence says what to do."""
    await watched.passes(SILENT_SECONDS, beats=False)
    assert (watched.watch.alive, watched.watch.is_missing) == (None, False)
    await watched.passes(LOOK_SECONDS, beats=False)
    assert (watched.watch.alive, watched.watch.is_missing) == (0, True)
    assert "none has been seen for the 35 seconds" in watched.watch.describe()
    assert "start `bpm worker`" in watched.watch.describe()


async def test_a_worker_that_starts_later_and_dies(watched: Watched) -> None:
    """It is seen within two looks, and missed once its last sign of life is old."""
    await watched.passes(60, beats=False)
    await watched.passes(2 * LOOK_SECONDS, beats=True)
    assert (watched.watch.alive, watched.watch.describe()) == (1, "runs elsewhere")
    await watched.passes(SILENT_SECONDS, beats=False)
    assert watched.watch.alive == 1
    await watched.passes(SILENT_SECONDS, beats=False)
    assert watched.watch.is_missing
    assert "the last one (process 4711 on there) was seen 60 seconds ago" in watched.watch.describe()
    await watched.passes(2 * LOOK_SECONDS, beats=True)
    assert watched.watch.alive == 1


@pytest.mark.parametrize("days", [-400, 400])
async def test_a_clock_that_jumps(watched: Watched, days: int) -> None:
    """What the worker's clock says makes it neither dead nor alive: its count does."""
    watched.row = watched.row._replace(beat_at=utc_now() + timedelta(days=days))
    await watched.passes(2 * LOOK_SECONDS, beats=True)
    assert watched.watch.alive == 1
    await watched.passes(2 * SILENT_SECONDS, beats=False)
    assert watched.watch.alive == 0


async def test_what_a_worker_left_before_the_server_started(watched: Watched) -> None:
    """A row that was written just now by a worker which was killed is no sign of life; it says when that was."""
    await watched.beat(watched.row)
    await watched.passes(60, beats=False)
    assert watched.watch.is_missing
    assert "(process 4711 on there) was alive at 20" in watched.watch.describe()


async def test_a_worker_that_ends_in_good_order(watched: Watched) -> None:
    """It leaves no row behind."""
    await watched.passes(10, beats=True)
    await watched.database.write(lambda tx: remove_worker(tx, "w"))
    assert await watched.database.read(worker_rows) == []


async def test_workers_of_long_ago_are_forgotten(watched: Watched) -> None:
    """The next worker that starts takes their rows away, so that killed ones do not pile up."""
    await watched.beat(watched.row._replace(id="old", beat_at=utc_now() - KEPT - timedelta(minutes=1)))
    await watched.beat(watched.row._replace(id="recent"))
    await watched.beat(watched.row)
    assert {row.id for row in await watched.database.read(worker_rows)} == {"recent", "w"}


@pytest.fixture
async def elsewhere(tmp_path: Path) -> AsyncIterator[Database]:
    """The database of another data folder."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    database = open_database(Settings(data_dir=folder))
    await database.start()
    yield database
    await database.stop()


async def test_the_worker_of_another_folder(watched: Watched, elsewhere: Database) -> None:
    """It runs the jobs of its own database, and counts for nothing here."""
    other = replace(watched, database=elsewhere)
    for _ in range(10):
        await other.passes(LOOK_SECONDS, beats=True)
        await watched.passes(LOOK_SECONDS, beats=False)
    assert (other.watch.alive, watched.watch.alive) == (1, 0)
