"""Which addresses a receiver's host stands for, as far as they may be reached."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

from bpm.security.net_targets import Targets

THREADS = 32


class GuardedResolver(AbstractResolver):
    """Finds a host's addresses, in threads of its own, and lets through only what may be reached."""

    def __init__(self, targets: Targets) -> None:
        """Take who judges addresses."""
        self._targets = targets
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="bpm-resolver")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host; raises `TargetError`, `OSError` when there are none."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        )
        addresses = list(dict.fromkeys((kind, str(address[0])) for kind, _, _, _, address in found))
        self._targets.check_addresses(host, [address for _, address in addresses], "https")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for kind, address in addresses
        ]

    async def close(self) -> None:
        """End the threads; one that waits for a name server ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
