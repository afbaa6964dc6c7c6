"""Whose message is next: an organisation's wait for one another before they stand in a line in which all others wait.

The lines before the threads that read and the one that writes know nobody: a hundred lists, or large chains, of one
organisation stood before everybody's sign-in.
"""

import asyncio
from collections.abc import Callable
from weakref import WeakValueDictionary

from bpm.bus.costs import Costs

READS = 2
"""How many queries of an organisation are handed to the threads that read: one thread is left for everybody else."""
CHEAP_READS = 32
"""How many of those that are known to take little time: what asks much reads in groups."""
SLOW_WRITES = 4
"""How many messages of an organisation, of types that took long lately, stand in the line before the writer."""
WRITES = 64
"""How many of all others: a group of the writer's holds many of those that take little time."""


class MessageTurns:
    """Lets so many messages of an organisation stand in a line at once."""

    def __init__(self, at_once: Callable[[Costs, str], int]) -> None:
        """Take what says how many of a type, by what its messages have cost lately."""
        self.costs = Costs()
        self._at_once = at_once
        self._turns: WeakValueDictionary[tuple[int, int], asyncio.Semaphore] = WeakValueDictionary()

    def of(self, organization_id: int, name: str) -> asyncio.Semaphore:
        """Return what one more message of this type waits for, and holds while it stands in the line."""
        most = self._at_once(self.costs, name)
        turn = self._turns.get((organization_id, most))
        if turn is None:
            turn = self._turns[organization_id, most] = asyncio.Semaphore(most)
        return turn


def reads_at_once(costs: Costs, name: str) -> int:
    """Return how many queries of a type an organisation may have read at once."""
    return CHEAP_READS if costs.is_cheap(name) else READS


def writes_at_once(costs: Costs, name: str) -> int:
    """Return how many messages of a type an organisation may have before the writer."""
    return SLOW_WRITES if costs.is_slow(name) else WRITES
