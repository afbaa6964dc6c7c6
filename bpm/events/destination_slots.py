"""How much may be under way to one destination at once, in this process.

A delivery under way, or waiting for a place, holds one of the worker's. So before a destination as many may wait as
it has served in a second of late: behind a quick one nearly all of a burst, behind a slow one few, and behind one
that gives no place back nobody. Who may not wait here waits in a lane, where it holds up nobody.

All destinations that take their time, or have yet to answer at all, share three quarters of the worker's places:
however many of them hang at once, the others do the rest of the work. Of these places one organisation has twice as
many as are left: half of the worker's when it is alone, fewer with each other that has slow ones, and never all.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

PATIENCE_SECONDS = 1.0
SLOW_SECONDS = 1.0
"""A destination is slow whose last delivery took longer, or that has given no place back for so long."""

SHARE_OF_LEFT = 2
"""How many places for slow destinations an organisation may have, for each that is left."""

UNPROVEN_PLACES = 5
"""The places of a destination whose last delivery failed, or that had none yet: as many as open its breaker."""


class DestinationLimiter:
    """The places of one destination."""

    def __init__(self, places: int, organization_id: int = 0, *, is_proven: bool = True) -> None:
        """Begin with every place free; `is_proven` says that the last delivery arrived."""
        self.places = places
        self.organization_id = organization_id
        self.under_way = 0
        self.is_proven = is_proven
        self._is_quick = is_proven
        self._is_stalled = False
        self._given_back_at = 0.0
        self._filled_at = 0.0
        self._served = _Served()
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> bool:
        """Take a place; tells False when there is none and waiting for one is no use."""
        loop = asyncio.get_running_loop()
        if self.under_way < self._room:
            if self.under_way == 0:
                self._filled_at = loop.time()
            self.under_way += 1
            return True
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

    def is_slow(self, time: float) -> bool:
        """Whether its places are given back late, or not at all."""
        moved_at = max(self._filled_at, self._given_back_at)
        return not self._is_quick or (self.under_way > 0 and time - moved_at > SLOW_SECONDS)

    @property
    def _room(self) -> int:
        return self.places if self.is_proven else min(self.places, UNPROVEN_PLACES)

    @property
    def held(self) -> int:
        """How many of the worker's places it takes."""
        return self.under_way + len(self._waiting)

    def leave(self, seconds: float = 0.0, *, arrived: bool = True) -> None:
        """Give a place back that was held for so long, to whoever waits for it."""
        self._is_quick = seconds <= SLOW_SECONDS
        self.is_proven = arrived
        self._is_stalled = False
        self._given_back_at = asyncio.get_running_loop().time()
        self._served.count(self._given_back_at)
        self.under_way -= 1
        while self._waiting and self.under_way < self._room:
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


@dataclass(frozen=True, slots=True)
class DestinationSlot:
    """A place at a destination, taken at a moment of the event loop's clock."""

    gates: "DestinationLimiters"
    gate: DestinationLimiter
    taken_at: float

    def leave(self, *, arrived: bool = True) -> None:
        """Give it back, and say whether the delivery has arrived."""
        self.gates.held -= 1
        self.gate.leave(asyncio.get_running_loop().time() - self.taken_at, arrived=arrived)


class DestinationLimiters:
    """The gates of the destinations that were asked of late; `held` counts the worker's places they take."""

    def __init__(self, places: int, workers: int) -> None:
        """Take how many places a destination has, unless it says otherwise, and how many the worker has."""
        self._places = places
        self._places_of_slow = max(1, workers * 3 // 4)
        self._gates: dict[int, DestinationLimiter] = {}
        self.held = 0

    async def enter(
        self, destination: int, limit: int | None, organization_id: int = 0, *, is_proven: bool = True
    ) -> DestinationSlot | None:
        """Take a place of an organisation's destination, which may have set a limit of its own; None without one.

        `is_proven` says that its last delivery arrived, as far as this process does not know better.
        """
        gate = self._gates.get(destination)
        if gate is None:
            gate = self._gates[destination] = DestinationLimiter(self._places, organization_id, is_proven=is_proven)
        gate.places = limit or self._places
        if self._is_crowded(gate):
            return None
        self.held += 1
        entered = False
        try:
            entered = await gate.enter()
        finally:
            self.held -= not entered
        return DestinationSlot(self, gate, asyncio.get_running_loop().time()) if entered else None

    def _is_crowded(self, gate: DestinationLimiter) -> bool:
        """Whether a slow destination finds those places taken that its organisation may have."""
        now = asyncio.get_running_loop().time()
        if self.held * (SHARE_OF_LEFT + 1) < self._places_of_slow * SHARE_OF_LEFT or not gate.is_slow(now):
            return False
        slow = [one for one in self._gates.values() if one.held and one.is_slow(now)]
        left = self._places_of_slow - sum(one.held for one in slow)
        own = sum(one.held for one in slow if one.organization_id == gate.organization_id)
        return own >= SHARE_OF_LEFT * left
