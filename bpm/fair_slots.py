"""How many of the places for work that may hang, or take long, one organisation's may hold."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

Owner = int | str
"""The number of an organisation, or the name by which a package that knows none is told of it."""


class NoFreeSlot(Exception):
    """An organisation holds its share of the places already."""


class FairSlots:
    """Gives an organisation at most as many places as are left for the others: half of them when it is alone.

    So however much of one organisation's hangs, there are places for what others ask for.
    """

    def __init__(self, places: int) -> None:
        """Begin with every place free."""
        self._left = places
        self._held: Counter[Owner] = Counter()

    @contextmanager
    def place(self, organization_id: Owner) -> Generator[None]:
        """Hold a place; raises `NoFreeSlot` when the organisation has as many as it may."""
        if self._held[organization_id] >= self._left:
            raise NoFreeSlot
        self._left -= 1
        self._held[organization_id] += 1
        try:
            yield
        finally:
            self._left += 1
            self._held[organization_id] -= 1
            if not self._held[organization_id]:
                del self._held[organization_id]
