"""Name servers are asked in threads of their own; one that does not answer holds up whoever asked it, nobody else."""

import asyncio
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakValueDictionary


class DnsResult(NamedTuple):
    """What a name server says, in the form of `socket.getaddrinfo`, and after how many seconds."""

    addresses: list[Any]
    seconds: float


class DnsLookups:
    """Asks for hosts' addresses: a host once at a time, and for one organisation only in `each` of the threads.

    A thread is busy until the system's resolver gives up, however long somebody waits for it. So whoever is over
    their share waits for a turn of their own, and the other threads stay free.
    """

    def __init__(self, threads: int, each: int) -> None:
        """Take how many threads there are, and how many of them one organisation may keep busy."""
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="bpm-resolver")
        self._each = each
        self._asked: dict[tuple[str, int], asyncio.Future[DnsResult]] = {}
        self._turns: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()

    async def ask(self, organization_id: int, host: str, family: int = socket.AF_UNSPEC) -> DnsResult:
        """Return a host's addresses; raises `OSError` when there are none, `UnicodeError` for what is no host."""
        question = host, family
        asked = self._asked.get(question)
        if asked is None:
            turn = self._turns.setdefault(organization_id, asyncio.Semaphore(self._each))
            await turn.acquire()
            asked = self._begin(question, turn)
        return await asyncio.shield(asked)

    def close(self) -> None:
        """End the threads; one that waits for a name server ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _begin(self, question: tuple[str, int], turn: asyncio.Semaphore) -> asyncio.Future[DnsResult]:
        """Ask, unless somebody did while the turn was waited for."""
        if question in self._asked:
            turn.release()
            return self._asked[question]
        asked = asyncio.get_running_loop().run_in_executor(self._threads, _asked, *question)
        self._asked[question] = asked
        asked.add_done_callback(partial(self._end, question, turn))
        return asked

    def _end(self, question: tuple[str, int], turn: asyncio.Semaphore, asked: asyncio.Future[DnsResult]) -> None:
        del self._asked[question]
        turn.release()
        if not asked.cancelled():
            asked.exception()  # perhaps nobody waits for it any more


def _asked(host: str, family: int) -> DnsResult:
    began = time.monotonic()
    addresses = socket.getaddrinfo(host, 0, family, socket.SOCK_STREAM)
    return DnsResult(addresses, time.monotonic() - began)
