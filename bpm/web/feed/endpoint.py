"""`POST /api/bpm/feed`: a client names queries, and is told their answers for as long as it listens.

Each event is the whole answer to one query. Its `id:` are the marks of all answers so far; a client that comes back
with it in `Last-Event-ID` is told only what has changed meanwhile. Who is asking and what they may do is asked in
every round.
"""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, cast

from starlette.types import Receive, Scope, Send

from bpm.bus import Bus, Message
from bpm.edge.answer import send_answer
from bpm.edge.body import ClientGone
from bpm.edge.envelope import problem
from bpm.edge.json_object import json_object
from bpm.edge.lifecycle import Lifecycle
from bpm.edge.request import Authenticator, Incoming
from bpm.errors import BpmError, Invalid, Malformed
from bpm.security.permissions import Principal
from bpm.settings import Settings
from bpm.web.feed.limit import FeedLimit
from bpm.web.feed.poller import FeedPoller
from bpm.web.message_address import MessageAddress

PATH = "/api/bpm/feed"
MAX_QUERIES = 8
"""Maximum number of queries that one feed answers."""
MAX_BODY_BYTES = 64 * 1024
EXAMPLE = '{"queries": [{"$type": "GetInboundRequestListQuery"}]}'
HEADERS = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]


class FeedEndpoint(MessageAddress):
    """The address at which clients listen."""

    def __init__(
        self, bus: Bus, accounts: Authenticator, settings: Settings, lifecycle: Lifecycle, feed_limit: FeedLimit
    ) -> None:
        """Stand before the bus."""
        super().__init__(bus, accounts, settings, lifecycle)
        self._limit = feed_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or send events until the client goes, may not listen any more, or the server stops."""
        request = self._incoming(scope, receive)
        with ExitStack() as place:
            try:
                principal = await self.admitted(request)
                queries = self._queries(await request.body.read(MAX_BODY_BYTES))
                place.enter_context(self._limit.place(principal))
            except ClientGone:
                return
            except BpmError as error:
                await send_answer(send, problem(error, request.request_id), request.request_id)
                return
            await self._listen(request, queries, receive, send)

    async def listener(self, request: Incoming) -> Principal:
        """Return who is still listening, in each round."""
        return await self.caller(request)

    def _queries(self, raw: bytes) -> list[Message[Any]]:
        """Read the queries; raises `Malformed`, `NotFound` and `Invalid`."""
        found: Any = json_object(raw, EXAMPLE).get("queries")
        listed = cast("list[Any]", found) if isinstance(found, list) else []
        if not 1 <= len(listed) <= MAX_QUERIES:
            raise Malformed(f"queries: must be a list of 1 to {MAX_QUERIES} queries, as in {EXAMPLE}")
        return [self._query(each) for each in listed]

    def _query(self, fields: Any) -> Message[Any]:
        named = dict(cast("dict[str, Any]", fields)) if isinstance(fields, dict) else {}
        name = named.pop("$type", None)
        if not isinstance(name, str):
            raise Malformed("$type: must be a string that names a query")
        if self._bus.registry.find(name).kind != "query":
            raise Invalid(f"queries: {name} is no query that only reads; send it to /api/bpm/cmd")
        return self._bus.registry.decode(name, named)

    async def _listen(self, request: Incoming, queries: Sequence[Message[Any]], receive: Receive, send: Send) -> None:
        marks = request.headers.get("last-event-id", "").split(".")
        rounds = FeedPoller(self._bus, queries, marks, request)
        headers = [*HEADERS, (b"x-request-id", request.request_id.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

        async def tell() -> None:
            async for event in rounds.events(lambda: self.listener(request), self._lifecycle):
                await send({"type": "http.response.body", "body": event, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

        telling = asyncio.create_task(tell(), name="bpm-feed")
        leaving = asyncio.create_task(_gone(receive), name="bpm-feed-leaving")
        try:
            await asyncio.wait((telling, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, leaving):
                task.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    """Wait until the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
