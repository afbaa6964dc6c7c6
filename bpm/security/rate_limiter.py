"""How much somebody may do: so much at once, then one more every so many seconds. Counted in a process's memory."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

MOST_COUNTED = 10_000
"""How many names are counted at a time; of more, those that were not seen the longest are forgotten."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`burst` at once, and one more every `seconds`."""

    burst: int
    seconds: float


class RateLimiter:
    """Counts what each name has taken of its allowance (the generic cell rate algorithm, one number a name)."""

    def __init__(self, most: int = MOST_COUNTED, now: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing taken; `now` is in seconds and never goes back."""
        self._most = most
        self._now = now
        self._full_again: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_again)

    def take(self, name: Hashable, allowance: RateLimit, patience: float = 0.0) -> float:
        """Take one and return after how many seconds it may be used; it is not taken if that is over `patience`."""
        now = self._now()
        full_again = max(self._full_again.get(name, now), now)
        wait = max(0.0, full_again - (allowance.burst - 1) * allowance.seconds - now)
        if wait <= patience:
            self._keep(name, full_again + allowance.seconds)
        return wait

    def give_back(self, name: Hashable, allowance: RateLimit) -> None:
        """Undo one `take`."""
        if name in self._full_again:
            self._full_again[name] -= allowance.seconds

    def forget(self, name: Hashable) -> None:
        """Give back everything that a name has taken."""
        self._full_again.pop(name, None)

    def _keep(self, name: Hashable, full_again: float) -> None:
        self._full_again[name] = full_again
        self._full_again.move_to_end(name)
        if len(self._full_again) > self._most:
            self._full_again.popitem(last=False)
