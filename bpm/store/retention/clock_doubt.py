"""Whether the machine's clock may be wrong: with one that is a year ahead for a minute, everything is old."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from bpm.clock import Clock

TOLERANCE_SECONDS = 3_600.0
"""By how much a clock may be set right without a doubt."""
BELIEVED_SECONDS = 86_400.0
"""After how long a clock that was set, and stayed, is believed."""
LONGEST_PAUSE = timedelta(days=7)
"""How long after the last run a process may start without a doubt: it was off, or its clock is wrong."""
START_SECONDS = 6 * 3_600.0
"""How long that doubt lasts: clocks are set right soon after a start, and few processes end sooner."""


class ClockDoubt:
    """Compares the clock with one that only goes forward, and at the start with the last run."""

    def __init__(self, clock: Clock, steady: Callable[[], float] = time.monotonic) -> None:
        """Begin; the time between now and the first question counts, too."""
        self._clock = clock
        self._steady = steady
        self._began, self._began_at = steady(), clock()
        self._believed = self._doubted = self._offset()
        self._since: float | None = None
        self._starts_late: bool | None = None

    def lasts(self, last_run: datetime | None) -> bool:
        """Tell whether the clock was set lately, or stood long after the last run, or before it, at the start."""
        if self._starts_late is None:
            self._starts_late = last_run is not None and abs(self._began_at - last_run) > LONGEST_PAUSE
        return self._was_set() or (self._starts_late and self._steady() - self._began < START_SECONDS)

    def _was_set(self) -> bool:
        offset = self._offset()
        if abs(offset - self._believed) <= TOLERANCE_SECONDS:
            self._since = None
            return False
        if self._since is None or abs(offset - self._doubted) > TOLERANCE_SECONDS:
            self._doubted, self._since = offset, self._steady()
        if self._steady() - self._since < BELIEVED_SECONDS:
            return True
        self._believed, self._since = offset, None
        return False

    def _offset(self) -> float:
        return self._clock().timestamp() - self._steady()
