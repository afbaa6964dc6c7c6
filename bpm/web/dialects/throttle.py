"""How often a caller may ask the REST interfaces: counted in memory, minute by minute."""

import time
from math import ceil

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from bpm.errors import RateLimited
from bpm.security.permissions import Principal


class Throttled(RateLimited):
    """Too Many Requests"""  # noqa: D400, D415 the interfaces' words

    def __init__(self, max_attempts: int, retry_after: float) -> None:
        """Say how many are possible in a minute, and after how many seconds the next one is welcome."""
        super().__init__(retry_after=retry_after)
        self.max_attempts = max_attempts

    @property
    def seconds(self) -> int:
        """After how many whole seconds the next one is welcome."""
        return ceil(self.retry_after)


class Throttle:
    """Counts the requests of each caller in this process."""

    def __init__(self, per_minute: int) -> None:
        """Allow so many in a minute; 0 allows any number."""
        self._per_minute = per_minute
        self._item = RateLimitItemPerMinute(max(1, per_minute))
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def admit(self, principal: Principal) -> None:
        """Count a request; raises `Throttled`."""
        if self._per_minute and not self._limiter.hit(self._item, principal.id):
            reset = self._limiter.get_window_stats(self._item, principal.id).reset_time
            raise Throttled(self._per_minute, max(1.0, reset - time.time()))
