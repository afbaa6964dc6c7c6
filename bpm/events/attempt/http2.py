"""Deliveries to receivers that speak HTTP/2 and nothing else (RFC 9113); the others are spoken to in HTTP/1.1."""

import asyncio
import ssl

import httpx

from bpm.events.attempt.connection import Http2Answered
from bpm.events.attempt.http2_exchange import Http2Exchange
from bpm.events.attempt.resolver import GuardedResolver
from bpm.events.attempt_result import ReceiverAnswer
from bpm.security.net_targets import read_url

MAX_REMEMBERED = 10_000
NO_COMMON_PROTOCOL = "no application protocol"
"""What OpenSSL calls the alert of a server that shares no protocol with its client (RFC 7301, 3.2)."""

Origin = tuple[str, str, int]


def asks_for_http2(error: BaseException) -> bool:
    """Tell whether an attempt in HTTP/1.1 failed because the receiver speaks HTTP/2 only."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, Http2Answered):
            return True
        if isinstance(seen, ssl.SSLError) and NO_COMMON_PROTOCOL in str(seen).lower().replace("_", " "):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


class Http2Client:
    """Makes requests in HTTP/2, each on a connection of its own, and remembers who wants them.

    Connections are not shared: what one answer does to its connection is no other delivery's concern.
    """

    def __init__(self, resolver: GuardedResolver, context: ssl.SSLContext) -> None:
        """Take who finds addresses that may be reached, and whose certificates are believed."""
        self._resolver = resolver
        self._context = context
        self._known: set[Origin] = set()

    def is_wanted(self, url: str) -> bool:
        """Whether the receiver was found to speak HTTP/2 only."""
        return bool(self._known) and _origin(url) in self._known

    async def exchange(self, request: httpx.Request, answer: ReceiverAnswer, body_seconds: float) -> None:
        """Send a request and read its answer; the status counts, and the body is waited for so many seconds.

        A receiver that gives no status is asked in HTTP/1.1 the next time: it may have changed.
        """
        origin = _origin(str(request.url))
        writer = None
        try:
            reader, writer = await self._connect(*origin)
            await Http2Exchange(reader, writer).run(request, answer, body_seconds)
        finally:
            if writer is not None:
                writer.transport.abort()
            self._remember(origin, is_wanted=answer.status is not None)

    async def _connect(self, scheme: str, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to the first of the host's checked addresses that answers; certificates are the host's."""
        addresses = [place["host"] for place in await self._resolver.resolve(host, port)]
        context, name = (self._context, host.rstrip(".")) if scheme == "https" else (None, None)
        for address in addresses[:-1]:
            try:
                return await asyncio.open_connection(address, port, ssl=context, server_hostname=name)
            except ssl.SSLError:
                raise
            except OSError:
                continue
        return await asyncio.open_connection(addresses[-1], port, ssl=context, server_hostname=name)

    def _remember(self, origin: Origin, *, is_wanted: bool) -> None:
        if not is_wanted:
            self._known.discard(origin)
        elif len(self._known) < MAX_REMEMBERED:
            self._known.add(origin)


def _origin(url: str) -> Origin:
    target = read_url(url)
    return target.scheme, target.host, target.port
