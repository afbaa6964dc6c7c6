"""How much of its time an effect has used."""

import time
from collections.abc import Generator
from contextlib import contextmanager


class EffectClock:
    """Runs from the moment it is made, but while the effect waits for its turn."""

    def __init__(self) -> None:
        """Begin."""
        self._began = time.monotonic()
        self._waits_since: float | None = None

    @property
    def used(self) -> float:
        """Seconds that the effect has not waited."""
        return (self._waits_since or time.monotonic()) - self._began

    @contextmanager
    def waiting(self) -> Generator[None]:
        """Stand still."""
        self._waits_since = time.monotonic()
        try:
            yield
        finally:
            self._began += time.monotonic() - self._waits_since
            self._waits_since = None
