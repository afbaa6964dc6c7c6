"""What was answered with 2xx is executed exactly once, whenever the server is killed."""

import asyncio
import random
import sqlite3
from collections import Counter
from contextlib import closing

import httpx
import pytest

from bpm.testing import ServerProcess
from tests.journeys.orders import ENVIRONMENT, order, placed, published

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

ROUNDS = 3
REQUESTS = 300
CALLERS = 16


@pytest.mark.embedded
async def test_acknowledged_requests_are_executed_exactly_once():
    """A kill -9 of the whole process group, at a random moment of three floods, loses nothing and doubles nothing."""
    waiting = 0
    async with ServerProcess(**ENVIRONMENT, BPM_WORKER_CONCURRENCY="2") as server:
        await server.rule("orders", commandName="PlaceOrderCommand")
        acknowledged: set[str] = set()
        for number in range(ROUNDS):
            acknowledged |= await flood_until_killed(server, f"round{number}")
            waiting += requests_waiting(server)
            await server.start()
            await server.login()
            await server.settled(30)
            orders = Counter(await placed(server))
            assert acknowledged <= set(orders)
            assert set(orders.values()) == {1}
            assert Counter(await published(server)) == orders
            assert await server.count_requests("done") == len(orders)
            assert await server.count_requests("failed", "dead", "rejected", "quarantined") == 0
    assert waiting > 0, "every kill came too late to find work that was acknowledged and not yet done"


async def flood_until_killed(server: ServerProcess, name: str) -> set[str]:
    """Post orders, kill the server when some were acknowledged, and return the references of these."""
    acknowledged: set[str] = set()
    references = iter([f"{name}-{number}" for number in range(REQUESTS)])
    enough = random.randrange(REQUESTS // 6, REQUESTS * 5 // 6)  # noqa: S311 a moment, not a secret

    async def call() -> None:
        for reference in references:
            try:
                reply = await server.hook("orders", order(reference))
            except httpx.TransportError:
                return
            assert reply.status == 200, reply
            acknowledged.add(reference)
            if len(acknowledged) >= enough:
                await server.kill()

    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(call())
    assert len(acknowledged) >= enough
    return acknowledged


def requests_waiting(server: ServerProcess) -> int:
    """Count, in the dead server's file, the requests that were stored and not executed."""
    with closing(sqlite3.connect(server.data_dir / "bpm.db")) as connection:
        return connection.execute("SELECT count(*) FROM inbound_request WHERE state = 'pending'").fetchone()[0]
