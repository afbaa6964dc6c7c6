"""However many slow queries and changes one organisation asks for, those of others are soon done."""

import asyncio

import pytest

from bpm.bus.message_turns import READS, SLOW_WRITES
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
            await until(lambda number=number: len(begun) == min(number + 1, READS))
            await asyncio.sleep(0)  # so that each is handed over by itself
        await asyncio.wait_for(other.client.cmd("GetSubscriptionListQuery"), SECONDS / 2)
        released.release(MANY)
        await asyncio.gather(*asked)


async def test_many_slow_changes_of_one_organisation() -> None:
    """Others wait for those few that stand in the line before the writer, and not for all that were asked for."""
    begun.clear()
    async with running_app(
        worker=False, command_packages=("tests.attacks.held_queries",), handler_seconds=SECONDS
    ) as app:
        one, other = [await tenant(app, app.http, name) for name in ("Acme", "Beta")]
        await one.client.cmd("HeldCommand", name="slow")
        await other.client.cmd("GetSubscriptionListQuery")
        asked = [asyncio.create_task(one.client.cmd("HeldCommand", name=str(number))) for number in range(MANY)]
        await until(lambda: len(begun) > 1)
        await until(lambda: app.app.database.waiting >= SLOW_WRITES - 1)
        answered = asyncio.create_task(other.client.cmd("PublishEventCommand", event="order.created"))
        await until(lambda: app.app.database.waiting >= SLOW_WRITES)
        freed = 0
        while not answered.done():
            before, freed = len(begun), freed + 1
            released.release()
            await until(lambda before=before: len(begun) > before or answered.done())
        assert len(begun) < MANY - SLOW_WRITES
        released.release(MANY - freed)
        await asyncio.gather(answered, *asked)
