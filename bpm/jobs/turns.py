"""Turns between organisations where the queue knows one order alone: what stands behind much of its own comes later."""

from collections import OrderedDict
from datetime import datetime, timedelta

PER_SECOND = 100
"""How many jobs of an organisation count as due at their second; those beyond stand behind others' later ones."""
FURTHEST = timedelta(hours=1)
MAX_QUEUES = 10_000
"""How many organisations and seconds are remembered, those that were used last."""

_STEP = timedelta(seconds=1 / PER_SECOND)


class Turns:
    """Says how far back a job stands. Each process counts for itself and in memory."""

    def __init__(self) -> None:
        """Begin with empty queues."""
        self._last: OrderedDict[tuple[int, int], datetime] = OrderedDict()

    def place(self, organization_id: int, due: datetime, now: datetime) -> timedelta:
        """Return how much later than due a job is in the order of all: of what is due now, behind the one before it.

        What is due later is counted by its second, so that timers of next year keep nothing waiting.
        """
        queue = organization_id, max(0, int((due - now).total_seconds())) and int(due.timestamp())
        stands = max(due, now)
        if queue in self._last:
            stands = min(max(stands, self._last[queue] + _STEP), stands + FURTHEST)
        self._last[queue] = stands
        self._last.move_to_end(queue)
        if len(self._last) > MAX_QUEUES:
            self._last.popitem(last=False)
        return stands - max(due, now)
