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
"""How long after the last run a server may start without a doubt: it was off, or its clock is wrong."""


class ClockDoubt:
    """Compares the clock with one that only goes forward, and at the start with the last run."""

    def __init__(self, clock: Clock, steady: Callable[[], float] = time.monotonic) -> None:
        """Begin; the time between now and the first question counts, too."""
        self._clock = clock
        self._steady = steady
        self._believed: float | None = self._offset()
        self._doubted = 0.0
        self._since: float | None = None
        self._is_first = True

    def lasts(self, last_run: datetime | None) -> bool:
        """Tell whether the clock was set lately, or stands long after the last run or before it."""
        offset = self._offset()
        if self._is_first and last_run is not None and abs(self._clock() - last_run) > LONGEST_PAUSE:
            self._believed = None
        self._is_first = False
        if self._believed is not None and abs(offset - self._believed) <= TOLERANCE_SECONDS:
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
