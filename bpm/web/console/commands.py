"""`POST /console/api/cmd`: the bus, for whoever is signed in with a browser.

The same as `/api/bpm/cmd` but for who is asking: the cookie counts, and an `Authorization` header does not.
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


class ConsoleCommandEndpoint(CommandEndpoint):
    """The address that every message of the console goes through."""

    def __init__(self, bus: Bus, accounts: Accounts, settings: Settings, lifecycle: Lifecycle) -> None:
        """Stand before the bus, beside the endpoint of clients."""
        super().__init__(bus, accounts, settings, lifecycle)
        self._browsers = accounts.browsers

    async def caller(self, request: Incoming) -> Principal:
        """Return who is signed in; raises `Forbidden` for another page's request, and `Unauthenticated`."""
        cookie = require_own_page(request).read(request)
        if cookie is None:
            raise Unauthenticated("You are not signed in")
        return await request.acting(self._accounts, await self._browsers.recognise(cookie))
