"""The clock by which the embedded engine reckons due times."""

import time


class Timeline:
    """Wall time as it was when the process began, and steady from then on: a clock that is set moves nothing."""

    def __init__(self) -> None:
        """Begin now."""
        self._began = time.time() - time.monotonic()

    def now(self) -> float:
        """Return seconds since 1970."""
        return self._began + time.monotonic()
