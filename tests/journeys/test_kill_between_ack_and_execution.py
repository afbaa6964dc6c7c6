"""What was answered with 2xx is executed exactly once, whenever the server is killed."""

import asyncio
import random
import sqlite3
from collections import Counter
from contextlib import closing

import httpx
import pytest

from bpm.testing import ServerProcess, until
from tests.journeys.orders import ENVIRONMENT, order, placed, published

pytestmark = pytest.mark.anyio

ROUNDS = 3
REQUESTS = 300
CALLERS = 16
HELD_BACK = 10
"""Every so many orders one is posted to a rule whose lane stands still until after the restart."""

PLACE_OR_STOP = """
if payload.get("stop"):
    raise ValueError("not before the restart")
send("PlaceOrderCommand", payload, at_end=True)
"""


@pytest.mark.embedded
async def test_acknowledged_requests_are_executed_exactly_once() -> None:
    """A kill -9 of the whole process group, at a random moment of three floods, loses nothing and doubles nothing."""
    async with ServerProcess(**ENVIRONMENT, BPM_WORKER_CONCURRENCY="2") as server:
        await server.rule("orders", commandName="PlaceOrderCommand")
        retry = {"attempts": 2, "backoffSeconds": [3600.0]}
        await server.rule("held", executionType=2, executionCode=PLACE_OR_STOP, lane={}, retry=retry)
        acknowledged: set[str] = set()
        for number in range(ROUNDS):
            front = await stop_the_lane(server)
            acknowledged |= await flood_until_killed(server, f"round{number}")
            assert requests_waiting(server) > 0
            await server.start()
            await server.login()
            await server.cmd("DiscardInboundRequestCommand", requestId=front, reason="the kill has been")
            await server.settled(30)
            orders = Counter(await placed(server))
            assert acknowledged <= set(orders)
            assert set(orders.values()) == {1}
            assert Counter(await published(server)) == orders
            assert await server.count_requests("done") == len(orders)
            assert await server.count_requests("dead") == number + 1, "only what stopped the lane"
            assert await server.count_requests("failed", "rejected", "quarantined") == 0


async def flood_until_killed(server: ServerProcess, name: str) -> set[str]:
    """Post orders, kill the server when some were acknowledged, and return the references of these."""
    acknowledged: set[str] = set()
    references = iter([f"{name}-{number}" for number in range(REQUESTS)])
    enough = random.randrange(REQUESTS // 6, REQUESTS * 5 // 6)  # noqa: S311 a moment, not a secret

    async def call() -> None:
        for reference in references:
            try:
                reply = await server.hook(rule_of(reference), order(reference))
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


def rule_of(reference: str) -> str:
    """Return the key of the rule that an order is posted to."""
    return "orders" if int(reference.rpartition("-")[2]) % HELD_BACK else "held"


async def stop_the_lane(server: ServerProcess) -> str:
    """Let a request fail at the front of the lane, and return its id; its next try is an hour away."""
    await server.hook("held", {"stop": True})
    return (await until(lambda: server.requests(state="failed")))[0]["requestId"]


def requests_waiting(server: ServerProcess) -> int:
    """Count, in the dead server's file, the requests that were stored and not executed."""
    with closing(sqlite3.connect(server.data_dir / "bpm.db")) as connection:
        return connection.execute("SELECT count(*) FROM inbound_request WHERE state = 'pending'").fetchone()[0]
