"""Whose change is next: an organisation's wait for one another before they stand in the line before the writer."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from weakref import WeakValueDictionary

from bpm.bus.costs import Costs

T = TypeVar("T")

SLOW_AT_ONCE = 4
"""How many messages of an organisation, of types that took long lately, stand in the line."""
AT_ONCE = 64
"""How many of all others: a group of the writer's holds many of those that take little time."""


class WriteTurns:
    """Keeps an organisation from filling the line before the one writer, in which all others wait, too."""

    def __init__(self) -> None:
        """Begin with an empty line, and nothing known of costs."""
        self._costs = Costs()
        self._turns: WeakValueDictionary[tuple[int, int], asyncio.Semaphore] = WeakValueDictionary()

    def measured(self, name: str, work: Callable[[], T]) -> T:
        """Do what a message is for, in the writer's thread, and note how long it takes."""
        started = time.perf_counter()
        try:
            return work()
        finally:
            self._costs.note(name, time.perf_counter() - started)

    @asynccontextmanager
    async def turn(self, organization_id: int, name: str) -> AsyncGenerator[None]:
        """Wait until one more message of this name may stand in the line for an organisation."""
        most = SLOW_AT_ONCE if self._costs.is_slow(name) else AT_ONCE
        async with self._turns.setdefault((organization_id, most), asyncio.Semaphore(most)):
            yield
