"""How many refused requests are kept: bounded per cause and source, and for all together."""

import time
from collections import OrderedDict

WINDOW_SECONDS = 3600.0
PER_SOURCE = 100
PER_WINDOW = 5_000
BYTES_PER_WINDOW = 64 * 1024 * 1024
MAX_SOURCES = 10_000


class Quota:
    """Counts what is kept in the present hour; a stranger can't fill the disk."""

    def __init__(self) -> None:
        """Begin an hour."""
        self._began = time.monotonic()
        self._kept = 0
        self._bytes = 0
        self._sources: OrderedDict[tuple[str, str], int] = OrderedDict()

    def allows(self, cause: str, address: str, size: int) -> bool:
        """Count one more request refused for `cause`, and tell whether it is to be kept."""
        now = time.monotonic()
        if now - self._began > WINDOW_SECONDS:
            self._began, self._kept, self._bytes = now, 0, 0
            self._sources.clear()
        source = (cause, address)
        seen = self._sources.get(source, 0)
        if seen >= PER_SOURCE or self._kept >= PER_WINDOW or self._bytes + size > BYTES_PER_WINDOW:
            return False
        self._sources[source] = seen + 1
        self._sources.move_to_end(source)
        if len(self._sources) > MAX_SOURCES:
            self._sources.popitem(last=False)
        self._kept += 1
        self._bytes += size
        return True
