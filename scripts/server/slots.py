"""How many scripts may compute at once, and whose turn it is when all places are taken."""

import asyncio
from collections import Counter, deque


class SlotQueue:
    """Places that are given to those who wait: first to whoever's organisation holds the fewest, then in order.

    So an organisation that starts thousands of scripts at once keeps its own waiting, and nobody else's longer than
    one script takes.
    """

    def __init__(self, places: int) -> None:
        """Begin with every place free."""
        self._free = places
        self._held: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        """Who waits, by owner; the owner that was served last stands at the end."""

    async def take(self, owner: str) -> None:
        """Wait for a place."""
        if self._free:
            self._hold(owner)
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.give(owner)
            raise

    def give(self, owner: str) -> None:
        """Give a place back, and to the next who waits."""
        self._free += 1
        self._held[owner] -= 1
        if not self._held[owner]:
            del self._held[owner]
        while self._free and self._waiting:
            self._serve(min(self._waiting, key=self._held.__getitem__))

    def _serve(self, owner: str) -> None:
        waiting = self._waiting.pop(owner)
        place = waiting.popleft()
        if waiting:
            self._waiting[owner] = waiting
        if not place.done():
            self._hold(owner)
            place.set_result(None)

    def _hold(self, owner: str) -> None:
        self._free -= 1
        self._held[owner] += 1
