"""Suspects run one by one: what may have ended its process, and what only happened to be running beside it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from itertools import count

SECONDS_ALONE = 3.0
"""After which the next one begins although this one still runs: most that take long wait for somebody else."""


class SuspectQueue:
    """Lets suspects begin one at a time, those first that were there the fewest times when a process died.

    So those that are innocent have ended before the most suspicious one begins.
    """

    def __init__(self) -> None:
        """Stand in an event loop that is still to run."""
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._first: asyncio.Future[None] | None = None

    @property
    def waiting(self) -> int:
        """How many stand here for their turn."""
        return len(self._waiting)

    @asynccontextmanager
    async def alone(self, deaths: int) -> AsyncGenerator[None]:
        """Run the block when those before it have ended, or have run for long."""
        loop = asyncio.get_running_loop()
        ticket = loop.create_future()
        heappush(self._waiting, (deaths, next(self._numbers), ticket))
        loop.call_soon(self._begin_next)  # when all that were fetched together stand here
        try:
            await ticket
            loop.call_later(SECONDS_ALONE, self._pass_on, ticket)
            yield
        finally:
            self._pass_on(ticket)

    def _begin_next(self) -> None:
        while self._first is None and self._waiting:
            *_, ticket = heappop(self._waiting)
            if not ticket.cancelled():
                self._first = ticket
                ticket.set_result(None)

    def _pass_on(self, ticket: asyncio.Future[None]) -> None:
        if self._first is ticket:
            self._first = None
            self._begin_next()
