"""The sum of many differences: how many of each kind, and the first that are changes."""

from collections import Counter
from typing import Any

from router.backtest.difference import CHANGES, Difference

MAX_KEPT = 1_000
"""How many changed requests are kept one by one; the others are only counted."""


class Tally:
    """Counts differences and keeps the first changed ones."""

    def __init__(self) -> None:
        """Begin with none."""
        self.compared = 0
        self.changed: list[Difference] = []
        self._counts: Counter[str] = Counter()
        self._unchecked: Counter[str] = Counter()

    def add(self, difference: Difference) -> None:
        """Count one more request."""
        self.compared += 1
        self._counts[difference.change] += 1
        self._unchecked.update(difference.unchecked)
        if difference.change not in ("same", "unknown") and len(self.changed) < MAX_KEPT:
            self.changed.append(difference)

    @property
    def counts(self) -> dict[str, int]:
        """How many requests there are of each kind of change."""
        return {change: self._counts[change] for change in CHANGES}

    @property
    def unchecked(self) -> dict[str, int]:
        """Of how many requests something could not be examined."""
        return dict(self._unchecked)

    def values(self) -> dict[str, Any]:
        """Return the counts as they are stored while the work goes on."""
        return {"compared": self.compared, "counts": self.counts, "unchecked": self.unchecked}
