"""How much may be under way to one destination at once, in this process.

A delivery under way, or waiting for a place, holds one of the worker's. So a destination that answers quickly may
have many places and a queue before them; a slow one has few and no queue, and one that gives no place back for a
second keeps nobody waiting: who finds none waits in a lane, where it holds up nobody.
"""

import asyncio
from collections import deque

PATIENCE_SECONDS = 1.0
QUICK_SECONDS = 0.25
"""What a quick destination takes at most for an answer, in the mean of late."""

WEIGHT = 0.2
"""How much the newest answer counts in that mean."""


class Gate:
    """The places of one destination; `few` while it is slow or new, `many` while it is quick."""

    def __init__(self, few: int, many: int) -> None:
        """Begin with every place free."""
        self.few = few
        self.many = many
        self.under_way = 0
        self._typical: float | None = None
        self._is_stalled = False
        self._given_back_at = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> bool:
        """Take a place; tells False when there is none and waiting for one is no use."""
        if self.under_way < self._places:
            self.under_way += 1
            return True
        if self._is_stalled or (self._typical or 0.0) > QUICK_SECONDS:
            return False
        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        self._waiting.append(place)
        began = loop.time()
        while not place.done():
            await asyncio.wait((place,), timeout=PATIENCE_SECONDS)
            if not place.done() and loop.time() - max(began, self._given_back_at) >= PATIENCE_SECONDS:
                self._is_stalled = True
                self._waiting.remove(place)
                return False
        return True

    def leave(self, seconds: float) -> None:
        """Give a place back that was held for so long, to whoever waits for it."""
        self._is_stalled = False
        self._given_back_at = asyncio.get_running_loop().time()
        self._typical = seconds if self._typical is None else (1 - WEIGHT) * self._typical + WEIGHT * seconds
        self.under_way -= 1
        while self._waiting and self.under_way < self._places:
            place = self._waiting.popleft()
            if not place.cancelled():
                self.under_way += 1
                place.set_result(None)

    @property
    def _places(self) -> int:
        is_quick = self._typical is not None and self._typical <= QUICK_SECONDS
        return self.many if is_quick else self.few


class Gates:
    """The gates of the destinations that were asked of late."""

    def __init__(self, few: int, many: int) -> None:
        """Take how many places a destination has while slow or new, and while quick, unless it says otherwise."""
        self._few = few
        self._many = max(few, many)
        self._gates: dict[int, Gate] = {}

    async def enter(self, destination: int, limit: int | None) -> bool:
        """Take a place of a destination, which may have set a limit of its own; tells False when there is none."""
        gate = self._gates.get(destination)
        if gate is None:
            gate = self._gates[destination] = Gate(self._few, self._many)
        gate.few = limit or self._few
        gate.many = limit or self._many
        return await gate.enter()

    def leave(self, destination: int, seconds: float) -> None:
        """Give back a place that was held for so long."""
        self._gates[destination].leave(seconds)
