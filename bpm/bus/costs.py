"""What handlers have cost lately: how long each message type holds the writer."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

A = TypeVar("A")
T = TypeVar("T")

WEIGHT = 0.1
"""How much the newest run counts against those before it."""
ENOUGH_RUNS = 20
"""Number of runs, since this process began, after which the cost of a type is known."""
CHEAP_SECONDS = 0.002
SLOW_SECONDS = 0.02


@dataclass(slots=True)
class Cost:
    """Of one message type: its runs, and the mean of their seconds, the latest ones counting most."""

    runs: int = 0
    seconds: float = 0.0


class Costs:
    """Measures messages by type; written by the threads that do the work, asked by everybody."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._costs: dict[str, Cost] = {}

    def note(self, name: str, seconds: float) -> None:
        """Count a run that took so long."""
        cost = self._costs.setdefault(name, Cost())
        cost.seconds += (seconds - cost.seconds) * (WEIGHT if cost.runs else 1)
        cost.runs += 1

    def measured(self, name: str, work: Callable[[A], T]) -> Callable[[A], T]:
        """Return the work, which is noted when it is done."""

        def noted(given: A) -> T:
            started = time.perf_counter()
            try:
                return work(given)
            finally:
                self.note(name, time.perf_counter() - started)

        return noted

    def is_slow(self, name: str) -> bool:
        """Tell whether a type took long lately; one that has not run yet is not known to."""
        cost = self._costs.get(name)
        return cost is not None and cost.seconds >= SLOW_SECONDS

    def is_cheap(self, name: str) -> bool:
        """Tell whether a type is known to take little time; one that has hardly run yet is not."""
        cost = self._costs.get(name)
        return cost is not None and cost.runs >= ENOUGH_RUNS and cost.seconds < CHEAP_SECONDS
