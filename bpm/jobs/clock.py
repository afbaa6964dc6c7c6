"""The clock of due times in the embedded job engine."""

import time


class SteadyClock:
    """Wall time at the start of the process, advanced by the monotonic clock: setting the clock moves no due time."""

    def __init__(self) -> None:
        """Begin now."""
        self._began = time.time() - time.monotonic()

    def now(self) -> float:
        """Return seconds since 1970."""
        return self._began + time.monotonic()
