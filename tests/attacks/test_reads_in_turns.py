"""Queries of one organisation keep nobody else's waiting, however long they take and however many they are."""

import asyncio

import pytest

from bpm.bus.read_turns import AT_ONCE
from bpm.testing import running_app, until
from tests.attacks.held_queries import SECONDS, begun, released
from tests.contracts.tenants import tenant

pytestmark = pytest.mark.anyio

MANY = 20


async def test_many_slow_queries_of_one_organisation() -> None:
    """All of them stood in the one line before the threads that read, in front of everybody's sign-in."""
    begun.clear()
    async with running_app(
        worker=False, command_packages=("tests.attacks.held_queries",), handler_seconds=SECONDS
    ) as app:
        one, other = [await tenant(app, app.http, name) for name in ("Acme", "Beta")]
        asked = list[asyncio.Task[object]]()
        for number in range(MANY):
            asked.append(asyncio.create_task(one.client.cmd("HeldQuery", name=str(number))))
            await until(lambda number=number: len(begun) == min(number + 1, AT_ONCE))
            await asyncio.sleep(0)  # so that each is handed over by itself
        await asyncio.wait_for(other.client.cmd("GetSubscriptionListQuery"), SECONDS / 2)
        released.release(MANY)
        await asyncio.gather(*asked)
