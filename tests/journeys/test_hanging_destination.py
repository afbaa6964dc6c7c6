"""A destination that hangs holds up its own lane, and nobody else."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bpm.testing import PreparedAnswer, ServerProcess, WebhookReceiver, until

pytestmark = pytest.mark.anyio

ENVIRONMENT = {
    "BPM_COMMAND_PACKAGES": "tests.router.probes",
    "PYTHONPATH": str(Path(__file__).parents[2]),
    "BPM_WORKER_CONCURRENCY": "10",
}
HANGING = 60
LATE_SECONDS = 1.0
"""How late others may be; the workers of one machine are seldom later than a tenth of that."""


async def test_a_hanging_destination_does_not_slow_the_others() -> None:
    """With more requests for a hanging destination than workers, those of another rule are executed at once."""
    async with WebhookReceiver() as receiver, ServerProcess(**ENVIRONMENT) as server:
        receiver.answer(*[PreparedAnswer(delay=60)] * HANGING)
        hanging = {"commandName": "CallOutCommand", "parameters": {"url": receiver.url}}
        await server.rule("hangs", **hanging, lane={"maxInFlight": 2})
        await server.rule("works", commandName="NoteCommand", parameters={"event": "works"})
        await asyncio.gather(*(server.hook("hangs", {}) for _ in range(HANGING)))
        await receiver.wait_for(2)
        for _ in range(20):
            assert (await server.hook("works", {})).status == 200
            await asyncio.sleep(0.02)
        done = await until(
            lambda: server.requests(configKey="works", state="done"), lambda found: len(found) == 20, pause=0.05
        )
        assert max(map(lateness, done)) < LATE_SECONDS
        assert len(receiver.requests) == 2
        assert len(await server.requests(configKey="hangs", state="pending")) == HANGING
        await server.kill()


def lateness(request: dict[str, Any]) -> float:
    """Return the seconds between a request's acceptance and the end of its execution."""
    received, completed = (datetime.fromisoformat(request[name]) for name in ("receivedAt", "completedAt"))
    return (completed - received).total_seconds()
