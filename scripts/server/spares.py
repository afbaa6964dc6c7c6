"""How many processes are kept warm for runs of their own: as many as were wanted lately, and none where nobody asks."""

import os
import time

PER_CORE = 2
KEPT_SECONDS = 60.0
"""How long a number that was wanted at once is kept ready."""


class SpareNeed:
    """Counts the runs that wanted a process of their own; between them spares are memory that nobody uses."""

    def __init__(self) -> None:
        """Begin with none."""
        self._most = PER_CORE * (os.cpu_count() or 1)
        self._wanted = 0
        self._until = 0.0

    def note(self, *, was_there: bool) -> None:
        """Count a run; when there was no spare for it, one more is kept."""
        self._until = time.monotonic() + KEPT_SECONDS
        if not was_there:
            self._wanted = min(self._wanted + 1, self._most)

    @property
    def number(self) -> int:
        """How many spares there should be now."""
        if time.monotonic() > self._until:
            self._wanted = 0
        return self._wanted
