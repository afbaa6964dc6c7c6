"""The job engine of one process."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from bpm.errors import StorageUnavailable
from bpm.jobs import Job
from bpm.jobs.embedded import EmbeddedJobs
from bpm.store import Database, Transaction
from bpm.testing import Clock

pytestmark = pytest.mark.anyio


class Notes:
    """A kind of job that notes what was run."""

    name = "note"

    def __init__(self, *open_rows: Job, seconds: float = 0, failures: int = 0) -> None:
        self.open_rows = list(open_rows)
        self.seconds = seconds
        self.failures = failures
        self.ran: list[str] = []
        self.at_once = 0
        self.most_at_once = 0

    def pending(self, tx: Transaction, limit: int) -> Sequence[Job]:
        return self.open_rows[:limit]

    async def run(self, job: Job) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.seconds)
        self.at_once -= 1
        if self.failures:
            self.failures -= 1
            raise StorageUnavailable
        self.ran.append(job.ref)


def job(ref: str, clock: Clock, seconds: float = 0) -> Job:
    return Job("note", ref, 0, clock() + timedelta(seconds=seconds))


async def until(condition: "asyncio.Future[None] | object", seconds: float = 3) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.005)


async def test_a_job_of_a_committed_transaction_runs(database: Database) -> None:
    """Asked for in a transaction, it runs after the commit."""
    clock, notes = Clock(), Notes()
    jobs = EmbeddedJobs(database, 10, clock)
    await jobs.start(notes)
    await database.write(lambda tx: jobs.enqueue(tx, job("a", clock)))
    await until(lambda: notes.ran == ["a"])
    await jobs.drain(1)


async def test_a_job_of_a_failed_transaction_does_not_run(database: Database) -> None:
    """Without its commit there is no job."""
    clock, notes = Clock(), Notes()
    jobs = EmbeddedJobs(database, 10, clock)
    await jobs.start(notes)

    def work(tx: Transaction) -> None:
        jobs.enqueue(tx, job("a", clock))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.write(work)
    await asyncio.sleep(0.1)
    assert notes.ran == []
    await jobs.drain(1)


async def test_jobs_run_when_they_are_due(database: Database) -> None:
    """The earliest first, none before its time."""
    clock, notes = Clock(), Notes()
    jobs = EmbeddedJobs(database, 10, clock)
    await jobs.start(notes)
    jobs.remember(job("late", clock, 0.2), job("soon", clock, 0.1), job("now", clock))
    await until(lambda: notes.ran == ["now"])
    await until(lambda: notes.ran == ["now", "soon", "late"])
    await jobs.drain(1)


async def test_a_clock_that_jumps_back_delays_nothing(database: Database) -> None:
    """Waits are measured by the monotonic clock."""
    clock, notes = Clock(), Notes()
    jobs = EmbeddedJobs(database, 10, clock)
    await jobs.start(notes)
    jobs.remember(job("a", clock, 0.1))
    clock.advance(timedelta(hours=-1))
    await until(lambda: notes.ran == ["a"], seconds=1)
    await jobs.drain(1)


async def test_open_rows_are_taken_up_at_the_start(database: Database) -> None:
    """A token that was lost with its process is made anew from the tables."""
    clock = Clock()
    notes = Notes(job("left over", clock))
    jobs = EmbeddedJobs(database, 10, clock)
    await jobs.start(notes)
    await until(lambda: notes.ran == ["left over"])
    await jobs.drain(1)


async def test_no_more_than_so_many_run_at_once(database: Database) -> None:
    """The bound on concurrency holds, and everything is run in the end."""
    clock, notes = Clock(), Notes(seconds=0.01)
    jobs = EmbeddedJobs(database, 3, clock)
    await jobs.start(notes)
    jobs.remember(*(job(str(n), clock) for n in range(20)))
    await until(lambda: len(notes.ran) == 20)
    assert notes.most_at_once == 3
    await jobs.drain(1)


async def test_a_job_that_could_not_record_its_failure_is_run_again(database: Database) -> None:
    """An outage loses no job."""
    clock, notes = Clock(), Notes(failures=1)
    jobs = EmbeddedJobs(database, 10, clock)
    await jobs.start(notes)
    jobs.remember(job("a", clock))
    await until(lambda: notes.ran == ["a"])
    await jobs.drain(1)


async def test_the_same_token_is_held_once(database: Database) -> None:
    """A token that comes twice before it runs is one job."""
    clock, notes = Clock(), Notes()
    jobs = EmbeddedJobs(database, 10, clock)
    await jobs.start(notes)
    token = job("a", clock, 0.05)
    jobs.remember(token, token)
    await until(lambda: notes.ran == ["a"])
    await asyncio.sleep(0.1)
    assert notes.ran == ["a"]
    await jobs.drain(1)


async def test_draining_waits_for_what_runs_and_begins_nothing(database: Database) -> None:
    """Within the grace period running jobs finish; waiting ones stay for the next start."""
    clock, notes = Clock(), Notes(seconds=0.1)
    jobs = EmbeddedJobs(database, 1, clock)
    await jobs.start(notes)
    jobs.remember(job("running", clock), job("waiting", clock))
    await until(lambda: notes.at_once == 1)
    await jobs.drain(2)
    assert notes.ran == ["running"]
