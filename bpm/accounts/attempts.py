"""How often somebody may try to sign in: counted in memory, by user and by address."""

import time

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from bpm.errors import RateLimited

PER_USER = RateLimitItemPerMinute(10, namespace="user")
PER_ADDRESS = RateLimitItemPerMinute(100, namespace="address")


class SignInAttempts:
    """Each try counts when it begins, so that many at once gain nothing; a success is taken back."""

    def __init__(self) -> None:
        """Start with no tries."""
        self._storage = MemoryStorage()
        self._limiter = FixedWindowRateLimiter(self._storage)

    def begin(self, username: str, address: str) -> None:
        """Count a try; raises `RateLimited` when there were too many within the minute."""
        self._hit(PER_ADDRESS, address)
        self._hit(PER_USER, username.lower())

    def succeeded(self, username: str, address: str) -> None:
        """Forget the user's tries, and this one of the address."""
        self._limiter.clear(PER_USER, username.lower())
        self._storage.decr(PER_ADDRESS.key_for(address))

    def _hit(self, limit: RateLimitItem, who: str) -> None:
        if not self._limiter.hit(limit, who):
            reset = self._limiter.get_window_stats(limit, who).reset_time
            raise RateLimited(
                "Too many attempts to sign in; wait before trying again",
                message="Too many attempts",
                retry_after=reset - time.time(),
            )
