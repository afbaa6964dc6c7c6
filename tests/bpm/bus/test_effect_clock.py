"""The time that an effect may take is its own."""

import asyncio

import pytest

from bpm.bus.effect_clock import EffectClock
from bpm.bus.effects import run_handler
from bpm.errors import TookTooLong

pytestmark = pytest.mark.anyio


async def test_an_effect_is_not_ended_while_it_waits_for_its_turn() -> None:
    """It waits for longer than it may take, and then does its work."""
    clock = EffectClock()

    async def work() -> str:
        with clock.waiting():
            await asyncio.sleep(1.2)
        return "done"

    assert await run_handler(work(), "Work", 1.0, clock) == "done"
    assert clock.used < 1.0


async def test_an_effect_that_takes_too_long_is_ended_after_its_turn_has_come() -> None:
    """What it waited for does not count, what it does then counts as ever."""
    clock = EffectClock()

    async def work() -> None:
        with clock.waiting():
            await asyncio.sleep(0.2)
        await asyncio.Event().wait()

    with pytest.raises(TookTooLong, match=r"Work took longer than 0\.1 seconds"):
        await run_handler(work(), "Work", 0.1, clock)
    assert clock.used >= 0.1
