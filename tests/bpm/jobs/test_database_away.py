"""PostgreSQL goes away under running jobs and comes back: nothing waits for the reconciler, and nobody died."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bpm.jobs import Job, JobQueue
from bpm.jobs.factory import open_jobs
from bpm.jobs.tables import DEATHS
from bpm.settings import Settings
from bpm.store import Database, open_database, utc_now
from bpm.testing import until
from tests.contracts.jobs import Notes
from tests.postgres import Cluster

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(own_cluster: Cluster, tmp_path: Path) -> AsyncGenerator[Database]:
    """A database on it."""
    database = open_database(Settings(data_dir=tmp_path, database_url=own_cluster.url))
    await database.start()
    yield database
    await database.stop()


@asynccontextmanager
async def working(database: Database, cluster: Cluster, folder: Path, notes: Notes) -> AsyncGenerator[JobQueue]:
    """Run a worker, as another process would."""
    jobs = open_jobs(database, Settings(data_dir=folder, database_url=cluster.url), utc_now)
    await jobs.prepare()
    await jobs.start(notes)
    yield jobs
    await jobs.drain(5)


def job(ref: str) -> Job:
    """A job that is due."""
    return Job("note", ref, 0, utc_now(), 1)


async def deaths(database: Database) -> int:
    """Count the deaths that are noted."""
    return await database.read(lambda tx: len(tx.connection.execute(DEATHS.select()).all()))


class Watching(Notes):
    """Notes how many deaths are known when something is run again."""

    def __init__(self, database: Database, seconds: float) -> None:
        super().__init__(seconds=seconds)
        self._database = database
        self.deaths: list[int] = []

    async def run(self, job: Job) -> None:
        if self.ran:
            self.deaths.append(await deaths(self._database))
        await super().run(job)


async def test_what_could_not_be_put_off_is_run_again(own_cluster: Cluster, database: Database, tmp_path: Path) -> None:
    """It fails while the database is away, which keeps its token from being given back at once."""
    refs = [str(number) for number in range(6)]
    notes = Notes(seconds=1, failures=len(refs))
    async with working(database, own_cluster, tmp_path, notes) as jobs:
        await database.write(lambda tx: [jobs.enqueue(tx, job(ref)) for ref in refs])
        await until(lambda: notes.at_once == len(refs))
        own_cluster.stop()
        await until(lambda: notes.at_once == 0)
        own_cluster.start()
        await until(lambda: sorted(notes.ran) == refs, seconds=50)
    assert notes.given_up == []
    assert await deaths(database) == 0


async def test_what_ended_meanwhile_is_nobody_s_death(own_cluster: Cluster, database: Database, tmp_path: Path) -> None:
    """Its end could not be noted, so it is looked at again, as a job of a process that lives."""
    notes = Watching(database, seconds=1)
    async with working(database, own_cluster, tmp_path, notes) as jobs:
        await database.write(lambda tx: jobs.enqueue(tx, job("ended")))
        await until(lambda: notes.at_once == 1)
        own_cluster.stop()
        await until(lambda: notes.ran == ["ended"])
        await until(lambda: not jobs.alive)
        own_cluster.start()
        await until(lambda: notes.ran == ["ended", "ended"], seconds=50)
    assert notes.deaths == [0]
