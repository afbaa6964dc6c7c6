"""Whose query is read next: an organisation's wait for one another before they wait for a thread."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from bpm.bus.costs import Costs

AT_ONCE = 2
"""How many queries of an organisation, of those that take long, are handed to the threads that read: one for each."""
CHEAP_AT_ONCE = 32
"""How many of those that are known to take little time: what asks much reads in groups."""


class ReadTurns:
    """Keeps an organisation from filling the line before the threads that read, in which all others wait, too.

    The line knows nobody: a hundred lists of one organisation stood before everybody's sign-in.
    """

    def __init__(self) -> None:
        """Begin with nobody who reads, and nothing known of costs."""
        self.costs = Costs()
        self._turns: WeakValueDictionary[tuple[int, int], asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, organization_id: int, name: str) -> AsyncGenerator[None]:
        """Wait until an organisation may have one more message of this name read, and let it be read."""
        most = CHEAP_AT_ONCE if self.costs.is_cheap(name) else AT_ONCE
        async with self._turns.setdefault((organization_id, most), asyncio.Semaphore(most)):
            yield
