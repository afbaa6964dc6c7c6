"""How many feeds each account listens to, and each organisation."""

from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from bpm.errors import RateLimited
from bpm.fair_slots import FairSlots, NoFreeSlot
from bpm.security.permissions import Principal

MAX_FEEDS = 8
"""Maximum number of feeds that an account or API key listens to at once, in each process."""
PLACES = 400
"""Feeds of all organisations; of one, however many keys it makes, half of them when it is alone."""


class FeedLimit:
    """Counts the feeds that are open, by account and organisation."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open = Counter[str]()
        self._shares = FairSlots(PLACES)

    @contextmanager
    def place(self, principal: Principal) -> Generator[None]:
        """Hold a feed's place; raises `RateLimited` when the account, or its organisation, has too many."""
        if self._open[principal.id] >= MAX_FEEDS:
            raise RateLimited(f"an account listens to at most {MAX_FEEDS} feeds at once; close one", retry_after=5)
        with ExitStack() as share:
            try:
                share.enter_context(self._shares.place(principal.organization_id))
            except NoFreeSlot:
                raise RateLimited("your organisation listens to too many feeds at once", retry_after=5) from None
            self._open[principal.id] += 1
            try:
                yield
            finally:
                self._leave(principal)

    def _leave(self, principal: Principal) -> None:
        self._open[principal.id] -= 1
        if not self._open[principal.id]:
            del self._open[principal.id]
