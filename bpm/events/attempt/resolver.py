"""Which addresses a receiver's host stands for, as far as they may be reached."""

import socket
from contextvars import ContextVar
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from bpm.events.dns_lookups import DnsLookups
from bpm.security.net_targets import Targets

THREADS = 16
QUICK_SECONDS = 1.0
MAX_REMEMBERED = 10_000

ASKING: ContextVar[int] = ContextVar("ASKING", default=0)
"""The organisation on whose behalf a request is made; aiohttp hands nothing through to a resolver."""


class GuardedResolver(AbstractResolver):
    """Finds a host's addresses, in threads of its own, and lets through only what may be reached.

    Hosts whose name server answered at once the last time have threads for themselves: name servers that never
    answer can't keep those busy. Of either threads one organisation has a quarter.
    """

    def __init__(self, targets: Targets) -> None:
        """Take who judges addresses."""
        self._targets = targets
        self._quick = DnsLookups(THREADS, max(1, THREADS // 4))
        self._others = DnsLookups(THREADS, max(1, THREADS // 4))
        self._known: set[str] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host; raises `TargetError`, `OSError` when there are none."""
        found = await self._found(host, family)
        addresses = list(dict.fromkeys((kind, str(address[0])) for kind, _, _, _, address in found))
        self._targets.check_addresses(host, [address for _, address in addresses], "https")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for kind, address in addresses
        ]

    async def close(self) -> None:
        """End the threads; one that waits for a name server ends by itself."""
        self._quick.close()
        self._others.close()

    async def _found(self, host: str, family: socket.AddressFamily) -> list[Any]:
        """Ask the name server, and remember who answers at once."""
        look_ups = self._quick if host in self._known else self._others
        self._known.discard(host)
        found, seconds = await look_ups.ask(ASKING.get(), host, family)
        if seconds < QUICK_SECONDS and len(self._known) < MAX_REMEMBERED:
            self._known.add(host)
        return found
