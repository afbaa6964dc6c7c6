"""How many feeds each account listens to."""

from collections import Counter

from bpm.errors import RateLimited
from bpm.security.permissions import Principal

MAX_FEEDS = 8
"""Maximum number of feeds that an account listens to at once, in each process."""


class FeedLimit:
    """Counts the feeds that are open, by account."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open = Counter[str]()

    def enter(self, principal: Principal) -> None:
        """Note one feed more; raises `RateLimited` when the account has too many."""
        if self._open[principal.id] >= MAX_FEEDS:
            raise RateLimited(f"an account listens to at most {MAX_FEEDS} feeds at once; close one", retry_after=5)
        self._open[principal.id] += 1

    def leave(self, principal: Principal) -> None:
        """Note one feed less."""
        self._open[principal.id] -= 1
        if not self._open[principal.id]:
            del self._open[principal.id]
