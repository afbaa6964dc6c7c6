"""How many scripts may compute at once, and whose turn it is when all places are taken."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class PlaceShare:
    """What somebody holds of the places, and for how many seconds places were held that are given back."""

    used: float
    held: int = 0


@dataclass(slots=True)
class RuleLine(PlaceShare):
    """The share of one rule, and who waits for it."""

    waiting: deque[asyncio.Future[None]] = field(default_factory=deque[asyncio.Future[None]])


class SlotQueue:
    """Places that are given to those who wait: first to whoever's organisation holds the fewest, then whoever's rule.

    Among equals comes first who has used the least time. So an organisation that starts thousands of scripts at once,
    or a rule whose scripts take long, keeps its own waiting, and nobody else's longer than one script takes. A rule
    holds at most as many places as are left, half of them when it is alone: the next one finds a place at once.
    """

    def __init__(self, places: int) -> None:
        """Begin with every place free."""
        self._free = places
        self._owners: dict[str, PlaceShare] = {}
        self._lines: dict[tuple[str, str], RuleLine] = {}
        """Of those who hold a place or wait for one, by owner and rule."""

    async def take(self, owner: str, rule: str = "", *, goes_on: bool = False) -> None:
        """Wait for a place; whoever `goes_on` with what it has begun comes before the others of its rule."""
        line = self._line(owner, rule)
        if self._has_room(line):
            self._hold(owner, line)
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if goes_on:
            line.waiting.appendleft(place)
        else:
            line.waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.give(owner, rule)
            elif place in line.waiting:
                line.waiting.remove(place)
            self._forget(owner, rule)
            raise

    def give(self, owner: str, rule: str = "", seconds: float = 0.0) -> None:
        """Give a place back that was held for so long, and to the next who waits."""
        self._free += 1
        for share in (self._owners[owner], self._lines[owner, rule]):
            share.held -= 1
            share.used += seconds
        while (following := self._next()) is not None:
            line = self._lines[following]
            place = line.waiting.popleft()
            if not place.done():  # else whoever waited has gone, and is told of it next
                self._hold(following[0], line)
                place.set_result(None)
        self._forget(owner, rule)

    def _next(self) -> tuple[str, str] | None:
        """Return whose turn it is, if anybody waits who may have a place."""
        able = (name for name, line in self._lines.items() if line.waiting and self._has_room(line))
        return min(able, key=self._rank, default=None)

    def _rank(self, name: tuple[str, str]) -> tuple[int, float, int, float]:
        owner, line = self._owners[name[0]], self._lines[name]
        return owner.held, owner.used, line.held, line.used

    def _has_room(self, line: RuleLine) -> bool:
        return line.held < self._free

    def _hold(self, owner: str, line: RuleLine) -> None:
        self._free -= 1
        self._owners[owner].held += 1
        line.held += 1

    def _line(self, owner: str, rule: str) -> RuleLine:
        """Return somebody's line; who comes anew has used as much as those who have used the least."""
        if owner not in self._owners:
            self._owners[owner] = PlaceShare(_least(self._owners.values()))
        if (owner, rule) not in self._lines:
            lines = (line for (other, _), line in self._lines.items() if other == owner)
            self._lines[owner, rule] = RuleLine(_least(lines))
        return self._lines[owner, rule]

    def _forget(self, owner: str, rule: str) -> None:
        """Keep nothing of those who hold nothing and do not wait."""
        line = self._lines.get((owner, rule))
        if line is not None and not line.held and not line.waiting:
            del self._lines[owner, rule]
        if all(other != owner for other, _ in self._lines):
            self._owners.pop(owner, None)


def _least(shares: Iterable[PlaceShare]) -> float:
    return min((share.used for share in shares), default=0.0)
