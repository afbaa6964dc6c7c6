"""Which addresses a receiver's host stands for, as far as they may be reached."""

import asyncio
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from bpm.security.net_targets import Targets

THREADS = 16
QUICK_SECONDS = 1.0
MAX_REMEMBERED = 10_000


class GuardedResolver(AbstractResolver):
    """Finds a host's addresses, in threads of its own, and lets through only what may be reached.

    Hosts whose name server answered at once the last time have threads for themselves: name servers that never
    answer can't keep those busy.
    """

    def __init__(self, targets: Targets) -> None:
        """Take who judges addresses."""
        self._targets = targets
        self._quick = ThreadPoolExecutor(THREADS, thread_name_prefix="bpm-resolver")
        self._others = ThreadPoolExecutor(THREADS, thread_name_prefix="bpm-resolver")
        self._known: set[str] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host; raises `TargetError`, `OSError` when there are none."""
        found = await self._found(host, port, family)
        addresses = list(dict.fromkeys((kind, str(address[0])) for kind, _, _, _, address in found))
        self._targets.check_addresses(host, [address for _, address in addresses], "https")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for kind, address in addresses
        ]

    async def close(self) -> None:
        """End the threads; one that waits for a name server ends by itself."""
        for threads in (self._quick, self._others):
            threads.shutdown(wait=False, cancel_futures=True)

    async def _found(self, host: str, port: int, family: socket.AddressFamily) -> Any:
        """Ask the name server, and remember who answers at once."""
        threads = self._quick if host in self._known else self._others
        self._known.discard(host)
        found, seconds = await asyncio.get_running_loop().run_in_executor(threads, _asked, host, port, family)
        if seconds < QUICK_SECONDS and len(self._known) < MAX_REMEMBERED:
            self._known.add(host)
        return found


def _asked(host: str, port: int, family: socket.AddressFamily) -> tuple[Any, float]:
    """Return what a name server says of a host, and after how many seconds."""
    began = time.monotonic()
    return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM), time.monotonic() - began
