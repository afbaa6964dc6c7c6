"""How many of the places for work that may hang, or take long, one organisation's may hold, and one rule's of these."""

from collections import Counter
from collections.abc import Generator, Hashable
from contextlib import contextmanager

Owner = int | str
"""The number of an organisation, or the name by which a package that knows none is told of it."""


class NoFreeSlot(Exception):
    """An organisation, or one thing that it does, holds its share of the places already."""


class FairSlots:
    """Gives an organisation at most as many places as are left for the others: half of them when it is alone.

    So however much of one organisation's hangs, there are places for what others ask for. One rule or process has never
    all of these, a third of all places when it is alone: there are places for what else the organisation does.
    """

    def __init__(self, places: int) -> None:
        """Begin with every place free."""
        self._left = places
        self._held: Counter[Hashable] = Counter()

    @contextmanager
    def place(self, organization_id: Owner, purpose: Hashable = None) -> Generator[None]:
        """Hold a place, for a rule or process of the organisation's if it has one; raises `NoFreeSlot`."""
        open_to_organization = self._left - self._held[organization_id]
        holders = (organization_id, (organization_id, purpose))
        if open_to_organization <= (self._held[holders[1]] if purpose is not None else 0):
            raise NoFreeSlot
        self._left -= 1
        self._held.update(holders)
        try:
            yield
        finally:
            self._left += 1
            for holder in holders:
                self._leave(holder)

    def _leave(self, holder: Hashable) -> None:
        self._held[holder] -= 1
        if not self._held[holder]:
            del self._held[holder]
