"""The disk is full for five seconds, the clock is set back an hour: what was acknowledged is done exactly once."""

import asyncio
import resource
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from bpm.store import utc_now
from bpm.testing import ServerProcess, running_app
from tests.journeys.flood import ENVIRONMENT, Flood, everything_done, prepare

pytestmark = pytest.mark.anyio

REQUESTS = 10_000
FULL_SECONDS = 5
LARGEST_FILE = 64 * 1024
"""So large may files get while the disk is full; the database is larger."""


@pytest.mark.embedded
async def test_the_disk_is_full_for_a_while() -> None:
    """Callers get 503 while nothing can be written, and everything goes on without a restart."""
    async with ServerProcess(**ENVIRONMENT) as server:
        await prepare(server)
        async with Flood([server.url], REQUESTS).flowing() as flood:
            await flood.reached(0.3)
            with full_disk(server.pid):
                await asyncio.sleep(1)
                before = len(flood.acknowledged)
                await asyncio.sleep(FULL_SECONDS - 1)
                assert len(flood.acknowledged) == before, "a request was acknowledged although the disk was full"
        assert set(flood.refusals) == {503}
        await everything_done(server, REQUESTS)


@contextmanager
def full_disk(pid: int) -> Generator[None]:
    """Let no file of a process grow, as on a disk without room."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (LARGEST_FILE, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


class SteppingClock:
    """The real clock, until it is set."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.offset


async def test_the_clock_is_set_back_an_hour() -> None:
    """Requests before, during and after a step of the clock are executed, none twice, none an hour late."""
    clock = SteppingClock()
    async with running_app(clock=clock, command_packages=("tests.journeys.ledger",)) as app:
        await prepare(app)

        async def post(number: int) -> None:
            if number == 200:
                clock.offset = timedelta(hours=-1)
            reply = await app.hook("ledger", {"reference": f"ref-{number}"})
            assert reply.status == 200, reply

        for start in range(0, 600, 50):
            await asyncio.gather(*(post(number) for number in range(start, start + 50)))
        await app.login()  # a token from the future is none
        await everything_done(app, 600, 20)
