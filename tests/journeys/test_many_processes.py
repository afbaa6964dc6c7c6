"""Two servers and two workers on one PostgreSQL: what one learns the others know, and what one leaves the others do."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from bpm.testing import ServerProcess, WorkerProcess
from tests.journeys.flood import ENVIRONMENT, Flood, everything_done, prepare

pytestmark = pytest.mark.anyio

Installation = tuple[ServerProcess, ServerProcess, WorkerProcess, WorkerProcess]
"""Two servers and two workers."""
REQUESTS = 3_000
GUARD_SECONDS = 60.0


@pytest.fixture
async def processes(postgres_url: str) -> AsyncIterator[Installation]:
    """Two servers that only accept and two workers."""
    environment = {**ENVIRONMENT, "BPM_WORKER": "false", "BPM_DATABASE_URL": postgres_url, "BPM_SECRET_KEY": "k" * 32}
    async with contextlib.AsyncExitStack() as stack:
        first, second = ServerProcess(**environment), ServerProcess(**environment)
        workers = WorkerProcess(first, "one"), WorkerProcess(second, "two")
        await asyncio.gather(*map(stack.enter_async_context, (first, second)))
        await asyncio.gather(*map(stack.enter_async_context, workers))
        yield first, second, *workers


async def test_one_of_each_is_killed_and_the_others_finish(processes: Installation) -> None:
    """A server and a worker die in the middle of a flood at both servers; the other two do everything exactly once."""
    first, second, worker, _ = processes
    await prepare(first)
    await asyncio.sleep(1)
    async with Flood([first.url, second.url], REQUESTS).flowing() as flood:
        await flood.reached(0.3)
        await asyncio.gather(first.kill(), worker.kill())
        flood.go_to(second.url)
    await everything_done(second, REQUESTS)


async def test_a_rule_is_live_everywhere(processes: Installation) -> None:
    """A rule made or switched on at one server answers at the other at once; one switched off within a second."""
    first, second, *_ = processes
    rule = await first.rule("shared", commandName="EnterCommand", parameters={"reference": "{{payload.ref}}"})
    assert (await second.hook("shared", {"ref": "a"})).status == 200
    await first.cmd("DeactivateWebHookConfigCommand", id=rule["id"])
    await answers(second, 404)
    await second.cmd("ActivateWebHookConfigCommand", id=rule["id"])
    assert (await first.hook("shared", {"ref": "b"})).status == 200
    await first.cmd("DeleteWebHookConfigCommand", id=rule["id"])
    await answers(second, 404)


async def answers(server: ServerProcess, status: int) -> None:
    """Wait until the rule's address answers so, which takes about a second."""
    async with asyncio.timeout(GUARD_SECONDS):
        while (await server.hook("shared", {"ref": "x"})).status != status:
            await asyncio.sleep(0.05)


async def test_a_dead_workers_jobs_are_taken_over(processes: Installation) -> None:
    """What a killed worker was running is run by the other, and settled once."""
    first, _, killed, other = processes
    await first.rule("slow", commandName="DawdleCommand", parameters={"reference": "{{payload.ref}}", "seconds": 2})
    for number in range(20):
        assert (await first.hook("slow", {"ref": f"ref-{number}"})).ok
    await asyncio.sleep(1)
    await killed.kill()
    begun = time.monotonic()
    await everything_done(first, 20, GUARD_SECONDS)
    seconds = time.monotonic() - begun
    assert seconds > 5, "the killed worker was running nothing"
    assert "Traceback" not in other.log


async def test_a_worker_told_to_stop_finishes_what_it_runs(processes: Installation) -> None:
    """SIGTERM ends both workers with status 0 within the grace period, and what they had not begun is still there."""
    first, _, *workers = processes
    await prepare(first)
    async with Flood([first.url], 500).flowing():
        pass
    statuses = await asyncio.gather(*(worker.stop() for worker in workers))
    assert statuses == [0, 0]
    await asyncio.gather(*(worker.start() for worker in workers))
    await everything_done(first, 500)
