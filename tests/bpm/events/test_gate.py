"""Places at a destination: many for a quick one, few for a slow one, none to wait for at a hanging one."""

import asyncio

import pytest

from bpm.events import gate
from bpm.events.gate import Gate, Gates

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long."""
    monkeypatch.setattr(gate, "PATIENCE_SECONDS", 0.05)


async def test_a_new_destination_has_few_places() -> None:
    """Who finds no place waits for one, and gets the one that is given back."""
    places = Gate(2, 10)
    assert [await places.enter(), await places.enter()] == [True, True]
    waiting = asyncio.create_task(places.enter())
    await asyncio.sleep(0)
    assert not waiting.done()
    places.leave(1.0)
    assert await waiting
    assert places.under_way == 2


async def test_a_quick_destination_has_many_places() -> None:
    """After a quick answer the number of places grows at once."""
    places = Gate(1, 3)
    await places.enter()
    waiting = [asyncio.create_task(places.enter()) for _ in range(4)]
    await asyncio.sleep(0)
    places.leave(0.01)
    await asyncio.sleep(0.01)
    assert [task.done() for task in waiting] == [True, True, True, False]
    places.leave(0.01)
    assert await waiting[3]


async def test_nobody_waits_at_a_hanging_destination() -> None:
    """When no place is given back for a while, those who wait go, and those who come do not begin to wait."""
    places = Gate(1, 5)
    await places.enter()
    assert not await places.enter()
    async with asyncio.timeout(0.02):
        assert not await places.enter()
    places.leave(0.01)
    assert await places.enter()


async def test_nobody_waits_at_a_slow_destination() -> None:
    """Where answers take long, a lane is the place to wait."""
    places = Gate(1, 5)
    await places.enter()
    places.leave(3.0)
    await places.enter()
    async with asyncio.timeout(0.02):
        assert not await places.enter()


async def test_a_subscription_may_set_its_own_limit() -> None:
    """A limit of one's own counts, quick or not, and each destination has its own places."""
    gates = Gates(5, 10)
    assert await gates.enter(1, 1)
    assert await gates.enter(2, None)
    assert not await gates.enter(1, 1)
    gates.leave(1, 0.01)
    assert await gates.enter(1, 1)
    assert not await gates.enter(1, 1)
