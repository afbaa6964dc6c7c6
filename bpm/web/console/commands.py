"""`POST /console/api/cmd` and `/console/api/feed`: the bus, for whoever is signed in with a browser.

The same as `/api/bpm/cmd` and `/api/bpm/feed` but for who is asking: the cookie counts, and an `Authorization` header
does not.
"""

from bpm.accounts import Accounts
from bpm.bus import Bus
from bpm.edge.lifecycle import Lifecycle
from bpm.edge.request import Incoming
from bpm.errors import Unauthenticated
from bpm.security.permissions import Principal
from bpm.settings import Settings
from bpm.web.command import CommandEndpoint
from bpm.web.console.browser_request import require_own_page
from bpm.web.feed import FeedEndpoint, FeedLimit


class ConsoleCommandEndpoint(CommandEndpoint):
    """The address that every message of the console goes through."""

    def __init__(self, bus: Bus, accounts: Accounts, settings: Settings, lifecycle: Lifecycle) -> None:
        """Stand before the bus, beside the endpoint of clients."""
        super().__init__(bus, accounts, settings, lifecycle)
        self._browsing = accounts

    async def caller(self, request: Incoming) -> Principal:
        """See `signed_in`."""
        return await signed_in(request, self._browsing)


class ConsoleFeedEndpoint(FeedEndpoint):
    """The address at which the console's screens listen."""

    def __init__(
        self, bus: Bus, accounts: Accounts, settings: Settings, lifecycle: Lifecycle, feed_limit: FeedLimit
    ) -> None:
        """Stand before the bus, beside the endpoint of clients."""
        super().__init__(bus, accounts, settings, lifecycle, feed_limit)
        self._browsing = accounts

    async def caller(self, request: Incoming) -> Principal:
        """See `signed_in`."""
        return await signed_in(request, self._browsing)

    async def listener(self, request: Incoming) -> Principal:
        """See `signed_in`; a screen that listens does not keep its session open."""
        return await signed_in(request, self._browsing, is_use=False)


async def signed_in(request: Incoming, accounts: Accounts, *, is_use: bool = True) -> Principal:
    """Return who is signed in; raises `Forbidden` for another page's request, and `Unauthenticated`."""
    cookie = require_own_page(request).read(request)
    if cookie is None:
        raise Unauthenticated("You are not signed in")
    return await request.acting(accounts, await accounts.browsers.recognise(cookie, is_use=is_use))
