"""Lanes: width, order, pace, and that nobody waits for ever."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.event import listen

from bpm.jobs import Job, Lane, Lanes
from bpm.jobs.lane_tables import LANES, TICKETS, waits_in_lane
from bpm.store import Database, Transaction
from bpm.testing import Clock

pytestmark = pytest.mark.anyio


class KeptJobs:
    """Where lanes ask for jobs: what they let through and committed, in order."""

    def __init__(self) -> None:
        self.kept: list[Job] = []

    def enqueue(self, tx: Transaction, *jobs: Job) -> None:
        tx.after_commit(lambda: self.kept.extend(jobs))

    @property
    def refs(self) -> list[str]:
        return [job.ref for job in self.kept]


class StoredLanes:
    """A database, and the jobs that lanes let through."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock()
        self.jobs = KeptJobs()
        self.lanes = Lanes(self.jobs, self.clock)

    def job(self, ref: str, attempt: int = 0) -> Job:
        return Job("note", ref, attempt, self.clock(), 1)

    async def enter(self, lane: Lane, *refs: str) -> None:
        for ref in refs:
            await self.database.write(lambda tx, ref=ref: self.lanes.enter(tx, lane, self.job(ref)))

    async def leave(self, lane: Lane, *refs: str) -> None:
        for ref in refs:
            await self.database.write(lambda tx, ref=ref: self.lanes.leave(tx, lane, self.job(ref)))

    async def repair(self) -> None:
        await self.database.write(self.lanes.repair)

    async def waiting(self) -> list[str]:
        statement = select(TICKETS.c.ref).where(waits_in_lane("note", TICKETS.c.ref)).order_by(TICKETS.c.number)
        return list(await self.database.read(lambda tx: tx.connection.execute(statement).scalars().all()))

    async def names(self) -> Sequence[str]:
        return await self.database.read(lambda tx: tx.connection.execute(select(LANES.c.name)).scalars().all())


@pytest.fixture
async def stored(database: Database) -> StoredLanes:
    return StoredLanes(database)


async def test_one_at_a_time_in_order(stored: StoredLanes) -> None:
    """In a lane one job wide each job is started when the one before has left."""
    lane = Lane("a")
    await stored.enter(lane, "1", "2", "3")
    assert (stored.jobs.refs, await stored.waiting()) == (["1"], ["2", "3"])
    await stored.leave(lane, "1")
    assert stored.jobs.refs == ["1", "2"]
    await stored.leave(lane, "2", "3")
    assert (stored.jobs.refs, await stored.waiting()) == (["1", "2", "3"], [])


async def test_as_many_as_the_lane_is_wide(stored: StoredLanes) -> None:
    """A wider lane starts so many, and one more for each that leaves."""
    lane = Lane("a", width=2)
    await stored.enter(lane, "1", "2", "3", "4")
    assert stored.jobs.refs == ["1", "2"]
    await stored.leave(lane, "2")
    assert stored.jobs.refs == ["1", "2", "3"]


async def test_lanes_do_not_wait_for_one_another(stored: StoredLanes) -> None:
    """A full lane holds up its own jobs only."""
    await stored.enter(Lane("a"), "1", "2")
    await stored.enter(Lane("b"), "3")
    assert stored.jobs.refs == ["1", "3"]


async def test_a_job_keeps_its_place_between_attempts(stored: StoredLanes) -> None:
    """Asking again for a job that is under way starts neither it nor another one."""
    lane = Lane("a")
    await stored.enter(lane, "1", "2", "1")
    assert (stored.jobs.refs, await stored.waiting()) == (["1"], ["2"])


async def test_one_that_waits_may_leave(stored: StoredLanes) -> None:
    """A job that is cancelled while it waits is never started, and the order of the others stays."""
    lane = Lane("a")
    await stored.enter(lane, "1", "2", "3")
    await stored.leave(lane, "2")
    assert stored.jobs.refs == ["1"]
    await stored.leave(lane, "1")
    assert stored.jobs.refs == ["1", "3"]


async def test_leaving_twice_or_without_a_place_harms_nobody(stored: StoredLanes) -> None:
    """Who is not in a lane may leave it; the width is kept all the same."""
    lane = Lane("a")
    await stored.enter(lane, "1", "2", "3")
    await stored.leave(lane, "1", "1", "9")
    assert stored.jobs.refs == ["1", "2"]
    await stored.leave(Lane("never entered"), "9")


async def test_a_job_leaves_the_lane_it_entered(stored: StoredLanes) -> None:
    """A lane that is called otherwise by now lets the right one go."""
    await stored.enter(Lane("old"), "1", "2")
    await stored.leave(Lane("new"), "1")
    assert stored.jobs.refs == ["1", "2"]


async def test_a_promoted_job_has_the_attempt_it_came_with(stored: StoredLanes) -> None:
    """The token names the row's attempt, so that its run is not fenced."""
    lane = Lane("a")
    await stored.enter(lane, "1")
    await stored.database.write(lambda tx: stored.lanes.enter(tx, lane, stored.job("2", attempt=4)))
    await stored.leave(lane, "1")
    assert stored.jobs.kept[-1].attempt == 4


async def test_what_fails_has_not_happened(stored: StoredLanes) -> None:
    """A transaction that fails after entering or leaving changes nothing."""
    lane = Lane("a")
    await stored.enter(lane, "1", "2")

    def work(tx: Transaction) -> None:
        stored.lanes.leave(tx, lane, stored.job("1"))
        stored.lanes.enter(tx, lane, stored.job("3"))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await stored.database.write(work)
    assert await stored.waiting() == ["2"]
    await stored.leave(lane, "1")
    assert await stored.waiting() == []


async def test_starts_are_paced(stored: StoredLanes) -> None:
    """With two starts a second, five that come at once start half a second apart, and a rest costs nothing."""
    lane = Lane("a", width=10, per_second=2)
    await stored.enter(lane, "1", "2", "3", "4", "5")
    began = stored.clock()
    assert [(job.due_at - began).total_seconds() for job in stored.jobs.kept] == [0, 0.5, 1, 1.5, 2]
    stored.clock.advance(timedelta(minutes=1))
    await stored.enter(lane, "6", "7")
    assert [(job.due_at - stored.clock()).total_seconds() for job in stored.jobs.kept[5:]] == [0, 0.5]


async def test_lanes_may_share_a_pace(stored: StoredLanes) -> None:
    """Lanes of several keys start so many a second together, also those who are let through when others leave."""
    shared = Lane("all", width=10, per_second=2)
    lanes = [Lane(name, per_second=2, pace=shared) for name in ("a", "b", "c")]
    for lane in lanes:
        await stored.enter(lane, f"{lane.name}1", f"{lane.name}2")
    await stored.leave(lanes[1], "b1")
    starts = {job.ref: (job.due_at - stored.clock()).total_seconds() for job in stored.jobs.kept}
    assert starts == {"a1": 0, "b1": 0.5, "c1": 1, "b2": 1.5}


async def test_a_lane_costs_six_statements(stored: StoredLanes) -> None:
    """Three to enter and three to leave; one less where nobody else has entered."""
    lane = Lane("a")

    def count(tx: Transaction, number: int) -> int:
        said: list[str] = []
        listen(tx.connection, "before_cursor_execute", lambda *call: said.append(call[2]))
        job = stored.job(str(number))
        stored.lanes.enter(tx, lane, job)
        stored.lanes.leave(tx, lane, job)
        return len([one for one in said if "job_" in one])

    assert [await stored.database.write(lambda tx, n=n: count(tx, n)) for n in range(2)] == [5, 6]


async def test_a_clock_that_is_set_back_stops_no_lane(stored: StoredLanes) -> None:
    """After the clock went back an hour a paced lane goes on within what a full lane takes."""
    lane = Lane("a", width=4, per_second=2)
    await stored.enter(lane, "1")
    stored.clock.advance(timedelta(hours=-1))
    await stored.enter(lane, "2")
    assert stored.jobs.kept[-1].due_at <= stored.clock() + timedelta(seconds=2)


async def test_a_job_for_later_holds_up_no_pace(stored: StoredLanes) -> None:
    """A job that is due in an hour starts in an hour, and the next one of a wide lane at once."""
    lane = Lane("a", width=4, per_second=1)
    later = Job("note", "later", 0, stored.clock() + timedelta(hours=1), 1)
    await stored.database.write(lambda tx: stored.lanes.enter(tx, lane, later))
    await stored.enter(lane, "soon")
    assert [(job.due_at - stored.clock()).total_seconds() for job in stored.jobs.kept] == [3600, 1]


async def test_a_wider_lane_is_used(stored: StoredLanes) -> None:
    """Whoever enters last says how wide a lane is, and those who wait go at once."""
    await stored.enter(Lane("a"), "1", "2", "3")
    await stored.enter(Lane("a", width=3), "4")
    assert stored.jobs.refs == ["1", "2", "3"]


async def test_repair_lets_go_who_need_not_wait(stored: StoredLanes) -> None:
    """A waiting ticket in a lane with room is promoted by the repair, in order, and no other one."""
    await stored.enter(Lane("full"), "1", "2")
    await stored.enter(Lane("a"), "3", "4", "5")
    await stored.database.write(lambda tx: tx.connection.execute(TICKETS.delete().where(TICKETS.c.ref == "3")))
    await stored.repair()
    assert stored.jobs.refs == ["1", "3", "4"]


async def test_repair_forgets_lanes_nobody_is_in(stored: StoredLanes) -> None:
    """Lanes are as many as there are keys in use, not as many as there ever were."""
    await stored.enter(Lane("used"), "1")
    await stored.enter(Lane("left"), "2")
    await stored.enter(Lane("paced", per_second=1), "3")
    await stored.leave(Lane("left"), "2")
    await stored.leave(Lane("paced"), "3")
    await stored.repair()
    assert set(await stored.names()) == {"used", "paced"}
    stored.clock.advance(timedelta(seconds=2))
    await stored.repair()
    assert await stored.names() == ["used"]
    await stored.enter(Lane("left"), "4", "5")
    assert (stored.jobs.refs, await stored.waiting()) == (["1", "2", "3", "4"], ["5"])


async def test_many_at_once_keep_width_and_order(stored: StoredLanes) -> None:
    """Whatever enters and leaves at the same time, no lane is ever overfull, and each lane's order is kept."""
    lanes = {name: Lane(name, width=width) for name, width in (("a", 1), ("b", 3))}
    done: dict[str, list[str]] = {"a": [], "b": []}
    most = dict.fromkeys(lanes, 0)

    async def enter(name: str) -> None:
        for number in range(40):
            await stored.enter(lanes[name], f"{name}{number:02}")

    async def work() -> None:
        seen = 0
        while sum(map(len, done.values())) < 80:
            fresh, seen = stored.jobs.refs[seen:], len(stored.jobs.refs)
            for name in lanes:
                under_way = [ref for ref in stored.jobs.refs if ref[0] == name and ref not in done[name]]
                most[name] = max(most[name], len(under_way))
            random.shuffle(fresh)
            for ref in fresh:
                done[ref[0]].append(ref)
            await asyncio.gather(*(stored.leave(lanes[ref[0]], ref) for ref in fresh))
            await asyncio.sleep(0)

    async with asyncio.timeout(20):
        await asyncio.gather(enter("a"), enter("b"), work())
    assert (most["a"], most["b"] <= 3) == (1, True)
    assert done["a"] == sorted(done["a"])
    for name in lanes:
        order = [ref for ref in stored.jobs.refs if ref[0] == name]
        assert order == sorted(order)
        assert len(order) == 40
