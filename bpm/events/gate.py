"""How much may be under way to one destination at once, in this process.

A delivery under way, or waiting for a place, holds one of the worker's. So before a destination as many may wait as
it has served in a second of late: behind a quick one nearly all of a burst, behind a slow one few, and behind one
that gives no place back nobody. Who may not wait here waits in a lane, where it holds up nobody.
"""

import asyncio
from collections import deque

PATIENCE_SECONDS = 1.0


class Gate:
    """The places of one destination."""

    def __init__(self, places: int) -> None:
        """Begin with every place free."""
        self.places = places
        self.under_way = 0
        self._is_stalled = False
        self._given_back_at = 0.0
        self._served = _Served()
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> bool:
        """Take a place; tells False when there is none and waiting for one is no use."""
        if self.under_way < self.places:
            self.under_way += 1
            return True
        loop = asyncio.get_running_loop()
        lately = self._served.lately(loop.time())
        if self._is_stalled or len(self._waiting) >= (self.places if lately is None else lately):
            return False
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

    def leave(self) -> None:
        """Give a place back, to whoever waits for it."""
        self._is_stalled = False
        self._given_back_at = asyncio.get_running_loop().time()
        self._served.count(self._given_back_at)
        self.under_way -= 1
        while self._waiting and self.under_way < self.places:
            place = self._waiting.popleft()
            if not place.cancelled():
                self.under_way += 1
                place.set_result(None)


class _Served:
    """How many places were given back in a second."""

    def __init__(self) -> None:
        self._second = 0
        self._now = 0
        self._before: int | None = None

    def count(self, time: float) -> None:
        """Count one."""
        self._turn(int(time))
        self._now += 1

    def lately(self, time: float) -> int | None:
        """Return the greater number of this second and the one before; None when it is not known yet."""
        self._turn(int(time))
        return max(self._before, self._now) if self._before is not None else self._now or None

    def _turn(self, second: int) -> None:
        if second == self._second:
            return
        is_next = second == self._second + 1
        self._before = self._now if is_next and (self._now or self._before is not None) else None
        self._second, self._now = second, 0


class Gates:
    """The gates of the destinations that were asked of late."""

    def __init__(self, places: int) -> None:
        """Take how many places a destination has, unless it says otherwise."""
        self._places = places
        self._gates: dict[int, Gate] = {}

    async def enter(self, destination: int, limit: int | None) -> bool:
        """Take a place of a destination, which may have set a limit of its own; tells False when there is none."""
        gate = self._gates.get(destination)
        if gate is None:
            gate = self._gates[destination] = Gate(self._places)
        gate.places = limit or self._places
        return await gate.enter()

    def leave(self, destination: int) -> None:
        """Give a place back."""
        self._gates[destination].leave()
