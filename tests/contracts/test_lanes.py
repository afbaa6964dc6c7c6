"""Lanes shared by processes on one PostgreSQL."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bpm.clock import system_clock
from bpm.jobs import Job, Lane, Lanes
from bpm.settings import Settings
from bpm.store import Database, Transaction, open_database

pytestmark = pytest.mark.anyio

LANES = [Lane("a"), Lane("b"), Lane("c", width=3), Lane("d", width=2)]
JOBS = 12
"""How many jobs enter each lane through each process."""


class Started:
    """What the lanes let through, of both processes, in the order of the commits."""

    def __init__(self) -> None:
        self.jobs: asyncio.Queue[Job] = asyncio.Queue()

    def enqueue(self, tx: Transaction, *jobs: Job) -> None:
        tx.after_commit(lambda: [self.jobs.put_nowait(job) for job in jobs])


@pytest.fixture
async def two(tmp_path: Path, postgres_url: str) -> AsyncIterator[list[Database]]:
    """Two writers on one database, as two processes have."""
    async with AsyncExitStack() as stack:
        databases = [open_database(Settings(data_dir=tmp_path, database_url=postgres_url)) for _ in range(2)]
        for database in databases:
            await database.start()
            stack.push_async_callback(database.stop)
        yield databases


async def test_processes_agree_on_width_and_order(two: list[Database]) -> None:
    """Whatever enters and leaves through two processes, every job is started once and no lane is ever overfull."""
    started, under_way, most = Started(), Counter[str](), Counter[str]()
    lanes = Lanes(started, system_clock)
    of_lane = {lane.name: lane for lane in LANES}

    async def enter(database: Database, process: int) -> None:
        for number in range(JOBS):
            jobs = [Job("note", f"{lane.name}:{process}:{number:02}", 0, system_clock(), 1) for lane in LANES]
            random.shuffle(jobs)
            await asyncio.gather(
                *(database.write(lambda tx, job=job: lanes.enter(tx, of_lane[job.ref[0]], job)) for job in jobs)
            )

    async def leave() -> list[str]:
        order: list[str] = []
        while len(order) < 2 * JOBS * len(LANES):
            job = await started.jobs.get()
            order.append(job.ref)
            name = job.ref[0]
            under_way[name] += 1
            most[name] = max(most[name], under_way[name])
            database = random.choice(two)  # noqa: S311 whichever process executes it
            under_way[name] -= 1
            await database.write(lambda tx, job=job: lanes.leave(tx, of_lane[job.ref[0]], job))
        return order

    async with asyncio.timeout(60):
        entering = [asyncio.create_task(enter(database, number)) for number, database in enumerate(two)]
        order = await leave()
        await asyncio.gather(*entering)
    assert len(set(order)) == len(order)
    for lane in LANES:
        for process in range(2):
            own = [ref for ref in order if ref.startswith(f"{lane.name}:{process}:")]
            assert own == sorted(own)
        assert most[lane.name] <= lane.width
