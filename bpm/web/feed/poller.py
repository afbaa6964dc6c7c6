"""Asks the queries of one feed again and again, and tells what has changed."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from bpm.bus import Bus, Envelope, Message
from bpm.edge.envelope import problem, success
from bpm.edge.lifecycle import Lifecycle
from bpm.edge.request import Incoming
from bpm.errors import BpmError
from bpm.security.permissions import Principal

ROUND_SECONDS = 1.0
"""How often the queries are asked, at most."""
SHARE = 0.02
"""The part of the time that asking may take: after a slow round the next one waits longer."""
MAX_WAIT_SECONDS = 3.0
SILENT_SECONDS = 15.0
"""After this long without news a comment is sent, so that proxies keep the connection."""


class FeedPoller:
    """The queries of one feed, and the mark of the last answer to each."""

    def __init__(self, bus: Bus, queries: Sequence[Message[Any]], marks: Sequence[str], request: Incoming) -> None:
        """Begin after the answers with these marks; those of queries that have none yet are told at once."""
        self._bus = bus
        self._queries = queries
        self._marks = [*marks[: len(queries)], *[""] * (len(queries) - len(marks))]
        self._request = request

    async def events(self, caller: Callable[[], Awaitable[Principal]], lifecycle: Lifecycle) -> AsyncIterator[bytes]:
        """Yield events until the server stops, or until somebody may not listen any more, which is the last one."""
        told = time.monotonic()
        while not lifecycle.draining:
            began = time.monotonic()
            try:
                principal = await caller()
            except BpmError as error:
                yield b"event: end\ndata: " + problem(error, self._request.request_id).body + b"\n\n"
                return
            for at, query in enumerate(self._queries):
                if event := await self._news(at, query, principal):
                    yield event
                    told = time.monotonic()
            if time.monotonic() - told > SILENT_SECONDS:
                yield b": nothing new\n\n"
                told = time.monotonic()
            await asyncio.sleep(pause_after(time.monotonic() - began))

    async def _news(self, at: int, query: Message[Any], principal: Principal) -> bytes | None:
        """Return the event that tells an answer, unless it is the one that was told last."""
        answer = await self._answer(query, principal)
        mark = hashlib.sha256(answer).hexdigest()[:16]
        if mark == self._marks[at]:
            return None
        self._marks[at] = mark
        marks = ".".join(self._marks).encode()
        return b'id: %s\nevent: answer\ndata: {"at":%d,"answer":%s}\n\n' % (marks, at, answer)

    async def _answer(self, query: Message[Any], principal: Principal) -> bytes:
        """Return the envelope that the command's address would answer."""
        request_id, message_type = self._request.request_id, type(query)
        try:
            outcome = await self._bus.execute(Envelope(query, principal, address=self._request.address))
        except BpmError as error:
            return problem(error, request_id, message_type.failed).body
        if outcome.error is not None or outcome.json is None:
            return problem(outcome.error or BpmError(), request_id, message_type.failed).body
        return success(outcome.json, message_type.succeeded).body


def pause_after(seconds: float) -> float:
    """Return how long to wait after a round that took so long, so that feeds leave the server to its work."""
    return min(max(ROUND_SECONDS, seconds / SHARE), MAX_WAIT_SECONDS)
