"""What was looked up about accounts a moment ago."""

from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")

TRUST_SECONDS = 0.9
"""How long an answer is taken for true, so how soon a change made by another process counts here."""

MAX_ENTRIES = 10_000


class TtlCache(Generic[T]):
    """Values by what they were asked with; one dictionary look-up while they are fresh."""

    def __init__(self) -> None:
        """Start without any value."""
        self._fresh: dict[str | None, tuple[T, float]] = {}
        self._generation = 0

    def get(self, key: str | None) -> T | None:
        """Return a value that is still fresh, or None."""
        entry = self._fresh.get(key)
        return entry[0] if entry is not None and monotonic() < entry[1] else None

    def keeper(self) -> Callable[[str, T, float], None]:
        """Return what keeps a result for at most so many seconds, unless `forget` comes between.

        Ask for it before reading the database: what was read before a change must not be kept after it.
        """
        generation = self._generation

        def keep(key: str, value: T, seconds: float) -> None:
            if generation == self._generation:
                if len(self._fresh) >= MAX_ENTRIES:
                    self._fresh.clear()
                self._fresh[key] = (value, monotonic() + min(seconds, TRUST_SECONDS))

        return keep

    def forget(self) -> None:
        """Look everybody up anew."""
        self._generation += 1
        self._fresh.clear()
