"""What the addresses have in common that take messages: who asks, and when nobody may."""

from bpm.bus import Bus
from bpm.edge.lifecycle import Lifecycle
from bpm.edge.request import Authenticator, Incoming, IncomingReader
from bpm.errors import Draining, MethodNotAllowed
from bpm.security.permissions import Principal
from bpm.settings import Settings


class MessageAddress:
    """An address to which messages are posted as JSON."""

    def __init__(self, bus: Bus, accounts: Authenticator, settings: Settings, lifecycle: Lifecycle) -> None:
        """Stand before the bus."""
        self._bus = bus
        self._accounts = accounts
        self._incoming = IncomingReader(settings)
        self._lifecycle = lifecycle

    async def caller(self, request: Incoming) -> Principal:
        """Return who is asking, by the `Authorization` header and nothing else."""
        return await request.caller(self._accounts)

    async def admitted(self, request: Incoming) -> Principal:
        """Return who is asking, before the body is read; raises the error of what is not taken here or now."""
        if request.method != "POST":
            raise MethodNotAllowed(request.method, "POST")
        if self._lifecycle.draining:
            raise Draining
        principal = await self.caller(request)
        request.require_json()
        return principal
