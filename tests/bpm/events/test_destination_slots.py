"""Places at a destination, and who may wait for one: many at a quick one, nobody at a hanging one."""

import asyncio

import pytest

from bpm.events import destination_slots
from bpm.events.destination_slots import DestinationLimiter, DestinationLimiters

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long."""
    monkeypatch.setattr(destination_slots, "PATIENCE_SECONDS", 0.05)


async def test_who_finds_no_place_waits_for_one() -> None:
    """The place that is given back goes to whoever waits."""
    places = DestinationLimiter(2)
    assert [await places.enter(), await places.enter()] == [True, True]
    waiting = asyncio.create_task(places.enter())
    await asyncio.sleep(0)
    assert not waiting.done()
    places.leave()
    assert await waiting
    assert places.under_way == 2


async def test_behind_a_new_destination_few_wait() -> None:
    """As long as nothing is known of it, as many wait as there are places."""
    places = DestinationLimiter(1)
    await places.enter()
    waiting = asyncio.create_task(places.enter())
    await asyncio.sleep(0)
    async with asyncio.timeout(0.02):
        assert not await places.enter()
    places.leave()
    assert await waiting


async def test_behind_a_quick_destination_many_wait() -> None:
    """Who was served often in a second is worth waiting for."""
    places = DestinationLimiter(1)
    for _ in range(20):
        assert await places.enter()
        places.leave()
    await places.enter()
    waiting = [asyncio.create_task(places.enter()) for _ in range(10)]
    for _ in range(10):
        await asyncio.sleep(0.001)
        places.leave()
    assert await asyncio.gather(*waiting) == [True] * 10


async def test_nobody_waits_at_a_hanging_destination() -> None:
    """When no place is given back for a while, those who wait go, and those who come do not begin to wait."""
    places = DestinationLimiter(1)
    await places.enter()
    assert not await places.enter()
    async with asyncio.timeout(0.02):
        assert not await places.enter()
    places.leave()
    assert await places.enter()


async def test_a_subscription_may_set_its_own_limit() -> None:
    """A limit of one's own counts, and each destination has its own places."""
    gates = DestinationLimiters(5, 100)
    place = await gates.enter(1, 1)
    assert place is not None
    assert await gates.enter(2, None)
    assert not await gates.enter(1, 1)
    place.leave()
    assert await gates.enter(1, 1)
    assert not await gates.enter(1, 1)
    assert gates.held == 2


async def test_who_has_yet_to_answer_has_few_places() -> None:
    """Five may be under way to a destination that is new or failed last, however many it wants."""
    gates = DestinationLimiters(25, 400)
    entered = [await gates.enter(1, 100, is_proven=False) for _ in range(6)]
    assert [place is not None for place in entered] == [True] * 5 + [False]


async def test_hanging_destinations_share_half_of_the_worker() -> None:
    """However many hang, a destination that answers finds a place, and half of the workers do the rest."""
    gates = DestinationLimiters(2, 10)
    hanging = [await gates.enter(number, None, is_proven=False) for number in range(20)]
    assert sum(place is not None for place in hanging) == 5
    assert await gates.enter(100, None, is_proven=True)
    assert gates.held == 6


async def test_a_destination_that_begins_to_hang_counts_as_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """So does one whose last delivery took long, until one is quick again."""
    monkeypatch.setattr(destination_slots, "SLOW_SECONDS", 0.02)
    gates = DestinationLimiters(5, 4)
    first = await gates.enter(1, None)
    assert await gates.enter(1, None)
    await asyncio.sleep(0.03)
    assert await gates.enter(1, None) is None
    assert first is not None
    first.leave()
    assert await gates.enter(1, None)
    assert await gates.enter(1, None) is None
    quick = await gates.enter(2, None)
    assert quick is not None
    quick.leave()
    assert await gates.enter(2, None)
