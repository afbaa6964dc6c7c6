"""What every job engine must do, whatever its tokens are kept in; inherited by a test class for each database."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import TextClause

from bpm.errors import Poisoned, StorageUnavailable
from bpm.fair_slots import NoFreeSlot
from bpm.jobs import Job, JobQueue, Lane, Lanes
from bpm.jobs.factory import open_jobs
from bpm.jobs.interface import NOBODY
from bpm.jobs.tables import DEATHS, TOKENS
from bpm.settings import Settings
from bpm.store import Database, Transaction
from bpm.testing import Clock, until

NewJob = Callable[..., Job]
Working = Callable[..., AbstractAsyncContextManager[JobQueue]]


class Notes:
    """A kind of job that notes what was run, and when by the loop's clock."""

    name = "note"

    def __init__(self, *open_rows: Job, seconds: float = 0, failures: int = 0) -> None:
        self.open_rows = list(open_rows)
        self.seconds = seconds
        self.failures = failures
        self.begun: list[str] = []
        self.ran: list[str] = []
        self.given_up: list[tuple[str, str]] = []
        self.times: dict[str, float] = {}
        self.at_once = 0
        self.most_at_once = 0

    def pending(self, tx: Transaction, limit: int) -> Sequence[Job]:
        known = set(tx.connection.execute(TOKENS.select()).scalars())
        return [row for row in self.open_rows if row.key not in known][:limit]

    async def run(self, job: Job) -> None:
        self.begun.append(job.ref)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.at_once -= 1
        if self.failures:
            self.failures -= 1
            raise StorageUnavailable
        self.times[job.ref] = asyncio.get_running_loop().time()
        self.ran.append(job.ref)
        self.open_rows = [row for row in self.open_rows if row.ref != job.ref]

    async def give_up(self, job: Job, error: Poisoned) -> None:
        self.given_up.append((job.ref, str(error)))


class Crowd(Notes):
    """Jobs of which those of one organisation have no place, and take half a second to say so."""

    async def run(self, job: Job) -> None:
        if job.ref.startswith("crowd"):
            await asyncio.sleep(0.5)
            raise NoFreeSlot
        await super().run(job)


class JobsContract:
    """Enqueueing, due times, retries, limits, restarts, deaths and drains."""

    died: TextClause
    """Makes every token look as if its process had died."""

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def working(self, database: Database, settings: Settings, clock: Clock) -> Working:
        @asynccontextmanager
        async def start(notes: Notes, concurrency: int = 10) -> AsyncGenerator[JobQueue]:
            jobs = open_jobs(database, settings.model_copy(update={"worker_concurrency": concurrency}), clock)
            await jobs.prepare()
            await jobs.start(notes)
            try:
                yield jobs
            finally:
                await jobs.drain(2)

        return start

    @pytest.fixture
    async def idle(self, database: Database, settings: Settings, clock: Clock) -> JobQueue:
        """A queue that is prepared and runs nothing."""
        jobs = open_jobs(database, settings, clock)
        await jobs.prepare()
        return jobs

    @pytest.fixture
    def job(self, clock: Clock) -> NewJob:
        def new(ref: str, seconds: float = 0) -> Job:
            return Job("note", ref, 0, clock() + timedelta(seconds=seconds), NOBODY)

        return new

    async def test_a_job_of_a_committed_transaction_runs(
        self, database: Database, working: Working, job: NewJob
    ) -> None:
        """Asked for in a transaction, it runs after the commit."""
        notes = Notes()
        async with working(notes) as jobs:
            await database.write(lambda tx: jobs.enqueue(tx, job("a")))
            await until(lambda: notes.ran == ["a"])

    async def test_a_job_of_a_failed_transaction_does_not_run(
        self, database: Database, working: Working, job: NewJob
    ) -> None:
        """Without its commit there is no job."""
        notes = Notes()

        def work(tx: Transaction) -> None:
            jobs.enqueue(tx, job("a"))
            raise ValueError("no")

        async with working(notes) as jobs:
            with pytest.raises(ValueError, match="no"):
                await database.write(work)
            await database.write(lambda tx: jobs.enqueue(tx, job("b")))
            await until(lambda: notes.ran == ["b"])

    async def test_a_group_of_appended_tokens_runs_once_each(
        self, database: Database, working: Working, job: NewJob
    ) -> None:
        """Tokens that are appended with many rows at once are all run, none twice."""
        notes = Notes()
        async with working(notes, 100) as jobs:
            appends = [database.append(*jobs.tokens(job(str(n))), then=jobs.wake) for n in range(500)]
            await asyncio.gather(*appends)
            await until(lambda: len(notes.ran) == 500, seconds=20)
        assert sorted(map(int, notes.ran)) == list(range(500))

    async def test_what_is_put_off_comes_behind_what_was_due_before(
        self, database: Database, working: Working, job: NewJob
    ) -> None:
        """Work whose organisation has its places, however much it is, keeps no other from its turn."""
        notes = Crowd()
        async with working(notes, 2) as jobs:
            await database.write(lambda tx: jobs.enqueue(tx, *(job(f"crowd-{number}") for number in range(10))))
            await database.write(lambda tx: jobs.enqueue(tx, job("other")))
            await until(lambda: notes.ran == ["other"])

    async def test_organisations_take_turns(self, database: Database, working: Working, clock: Clock) -> None:
        """However much one has due, another one's job is among the next."""
        notes = Notes(seconds=0.01)
        many = [Job("note", f"one-{number}", 0, clock(), 1) for number in range(1_500)]
        async with working(notes, 4) as jobs:
            await database.write(lambda tx: jobs.enqueue(tx, *many))
            await until(lambda: bool(notes.begun))
            await database.write(lambda tx: jobs.enqueue(tx, Job("note", "other", 0, clock(), 2)))
            await until(lambda: "other" in notes.begun, seconds=20)
            assert notes.begun.index("other") < 500

    async def test_what_waited_in_a_lane_takes_its_organisations_turn(
        self, database: Database, working: Working, clock: Clock
    ) -> None:
        """Whoever has many jobs let go at once, by widening their lane, keeps nobody's own lane waiting."""
        notes = Notes(seconds=0.01)
        lane, of_other = Lane("one"), Lane("other")
        many = [Job("note", f"one-{number}", 0, clock(), 1) for number in range(1_500)]
        async with working(notes, 4) as jobs:
            lanes = Lanes(jobs, clock)

            def enter(tx: Transaction) -> None:
                for job in many:
                    lanes.enter(tx, lane, job)
                for ref in ("front", "other"):
                    lanes.enter(tx, of_other, Job("note", ref, 0, clock(), 2))

            await database.write(enter)
            await database.write(
                lambda tx: lanes.enter(tx, replace(lane, width=2_000), Job("note", "one", 0, clock(), 1))
            )
            await until(lambda: len(notes.begun) > 10)
            await database.write(lambda tx: lanes.leave(tx, of_other, Job("note", "front", 0, clock(), 2)))
            await until(lambda: "other" in notes.begun, seconds=30)
            assert notes.begun.index("other") < 700

    async def test_jobs_run_when_they_are_due(self, database: Database, working: Working, job: NewJob) -> None:
        """None runs before its time, and none waits for the next look at the whole queue."""
        notes = Notes()
        async with working(notes) as jobs:
            begun = asyncio.get_running_loop().time()
            waits = {"third": 1.2, "second": 0.8, "first": 0.4}
            await database.write(lambda tx: jobs.enqueue(tx, *(job(ref, wait) for ref, wait in waits.items())))
            await until(lambda: len(notes.ran) == 3)
        assert notes.ran == ["first", "second", "third"]
        late = {ref: notes.times[ref] - begun - wait for ref, wait in waits.items()}
        assert all(-0.01 <= seconds < 10 for seconds in late.values()), late

    async def test_a_clock_that_jumps_back_delays_nothing(
        self, database: Database, working: Working, job: NewJob, clock: Clock
    ) -> None:
        """What was asked for keeps its wait when the clock is set back an hour."""
        notes = Notes()
        async with working(notes) as jobs:
            await database.write(lambda tx: jobs.enqueue(tx, job("a", 0.2)))
            clock.advance(timedelta(hours=-1))
            await database.write(lambda tx: jobs.enqueue(tx, job("b")))
            await until(lambda: sorted(notes.ran) == ["a", "b"])

    async def test_open_rows_are_taken_up_at_the_start(self, working: Working, job: NewJob) -> None:
        """A token that is missing is made anew from the tables."""
        notes = Notes(job("left over"))
        async with working(notes):
            await until(lambda: notes.ran == ["left over"])

    async def test_the_same_token_is_held_once(
        self, database: Database, idle: JobQueue, working: Working, job: NewJob
    ) -> None:
        """A token that comes twice before it runs is one job."""
        notes = Notes()
        await database.write(lambda tx: idle.enqueue(tx, job("a"), job("a")))
        await database.write(lambda tx: idle.enqueue(tx, job("a")))
        assert await database.read(idle.waiting) == 1
        async with working(notes) as jobs:
            await until(lambda: notes.ran == ["a"])
            await database.write(lambda tx: jobs.enqueue(tx, job("b", 0.3)))
            await until(lambda: len(notes.ran) == 2)
        assert notes.ran == ["a", "b"]

    async def test_a_job_can_be_taken_back(
        self, database: Database, idle: JobQueue, working: Working, job: NewJob
    ) -> None:
        """A cancelled token is not run; others are."""
        notes = Notes()
        await database.write(lambda tx: idle.enqueue(tx, job("a"), job("b")))
        await database.write(lambda tx: idle.cancel(tx, job("a")))
        async with working(notes):
            await until(lambda: notes.ran == ["b"])

    async def test_no_more_than_so_many_run_at_once(self, database: Database, working: Working, job: NewJob) -> None:
        """The bound on concurrency holds, and everything is run in the end."""
        notes = Notes(seconds=0.02)
        async with working(notes, 4) as jobs:
            await database.write(lambda tx: jobs.enqueue(tx, *(job(str(n)) for n in range(20))))
            await until(lambda: len(notes.ran) == 20, seconds=20)
        assert 2 <= notes.most_at_once <= 4

    async def test_a_job_that_could_not_record_its_failure_is_run_again(
        self, database: Database, working: Working, job: NewJob
    ) -> None:
        """An outage loses no job."""
        notes = Notes(failures=1)
        async with working(notes) as jobs:
            await database.write(lambda tx: jobs.enqueue(tx, job("a")))
            await until(lambda: notes.ran == ["a"])

    async def test_draining_waits_for_what_runs(self, database: Database, working: Working, job: NewJob) -> None:
        """Within the grace period running jobs finish; waiting ones stay for the next start."""
        notes = Notes(seconds=0.3)
        async with working(notes, 2) as jobs:
            await database.write(lambda tx: jobs.enqueue(tx, *(job(str(n)) for n in range(6))))
            await until(lambda: notes.at_once == 2)
        first = list(notes.ran)
        assert len(first) == 2
        async with working(notes, 2):
            await until(lambda: len(notes.ran) == 6, seconds=10)
        assert len(set(notes.ran)) == 6

    async def test_what_a_drain_cuts_off_runs_at_the_next_start(
        self, database: Database, working: Working, job: NewJob
    ) -> None:
        """A job longer than the grace period is cut off and given back."""
        notes = Notes(seconds=30)
        async with working(notes) as jobs:
            await database.write(lambda tx: jobs.enqueue(tx, job("long")))
            await until(lambda: notes.at_once == 1)
            await jobs.drain(0.1)
        assert notes.ran == []
        notes.seconds = 0
        async with working(notes):
            await until(lambda: notes.ran == ["long"])

    async def test_what_a_dead_process_was_running_is_counted_run_alone_and_given_up(
        self, database: Database, idle: JobQueue, working: Working, job: NewJob
    ) -> None:
        """Two deaths are borne, a third is the job's own; one that waited for its turn is not to blame."""
        deaths = {"first": 0, "second": 1, "third": 2, "fourth": 3, "waiting": 2}
        await database.write(lambda tx: idle.enqueue(tx, *map(job, deaths)))
        await database.write(lambda tx: tx.connection.execute(self.died))
        known = [{"key": job(ref).key, "deaths": n, "is_waiting": ref == "waiting"} for ref, n in deaths.items() if n]
        await database.write(lambda tx: tx.connection.execute(DEATHS.insert(), known))
        notes = Notes(seconds=0.1)
        async with working(notes):
            await until(lambda: len(notes.ran) == 3 and bool(notes.given_up), seconds=10)
        assert set(notes.ran) == {"first", "second", "waiting"}
        reason = "the server process ended 3 times while it executed this, so it is not tried again"
        assert notes.given_up == [("third", reason)]
        left = await database.read(lambda tx: tx.connection.execute(DEATHS.select()).all())
        assert [(row.key, row.deaths) for row in left] == [(job("fourth").key, 4)]

    async def test_after_a_death_those_that_were_there_run_one_by_one(
        self, database: Database, idle: JobQueue, working: Working, job: NewJob
    ) -> None:
        """A second death counts for the one that had begun; the most suspicious one begins last."""
        await database.write(lambda tx: idle.enqueue(tx, *map(job, ("suspicious", "a", "b"))))
        await database.write(lambda tx: tx.connection.execute(self.died))
        twice = {"key": job("suspicious").key, "deaths": 1, "is_waiting": False}
        await database.write(lambda tx: tx.connection.execute(DEATHS.insert(), twice))
        notes = Notes(seconds=30)
        async with working(notes):
            await until(lambda: notes.at_once == 1, seconds=20)
            left = await database.read(lambda tx: tx.connection.execute(DEATHS.select()).all())
        assert sorted((row.deaths, row.is_waiting) for row in left) == [(1, False), (1, True), (2, True)]
        notes.seconds = 0
        async with working(notes):
            await until(lambda: len(notes.ran) == 3, seconds=20)
        assert (sorted(notes.ran[:2]), notes.ran[2], notes.most_at_once) == (["a", "b"], "suspicious", 1)
        assert await database.read(lambda tx: tx.connection.execute(DEATHS.select()).all()) == []

    async def test_what_is_new_does_not_wait_for_all_that_are_tried_one_by_one(
        self, database: Database, idle: JobQueue, working: Working, job: NewJob
    ) -> None:
        """However long each takes: whoever has a server's places filled with slow work would stop it when it dies."""
        suspects = [f"slow {number}" for number in range(6)]
        await database.write(lambda tx: idle.enqueue(tx, *map(job, suspects)))
        await database.write(lambda tx: tx.connection.execute(self.died))
        notes = Notes(seconds=60)
        async with working(notes, 4) as jobs:
            await until(lambda: notes.begun, seconds=20)
            await database.write(lambda tx: jobs.enqueue(tx, job("new")))
            await until(lambda: "new" in notes.begun, seconds=20)
