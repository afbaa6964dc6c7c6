"""Connections that hostile receivers can't keep busy: aiohttp's own, with limits it does not have."""

import asyncio
import socket
import ssl
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from bpm.events.attempt.resolver import GuardedResolver
from bpm.security.net_targets import TargetError, Targets

MAX_READ = 64 * 1024
"""How much of a body is read."""

MAX_RECEIVED = 1024 * 1024
"""What may arrive for one answer in all: provisional answers, headers and the frames of chunks are no body."""

KEEP_ALIVE_SECONDS = 4.0
"""Shorter than what usual servers keep an idle connection for, so that no request meets one that is closing."""


def open_session(
    targets: Targets | None, context: ssl.SSLContext, resolver: GuardedResolver | None = None
) -> aiohttp.ClientSession:
    """Return a session that keeps no cookie and takes no proxy from the environment; inside the event loop.

    Without `targets` it reaches every address: only for what the installation's own settings name. Closing it ends
    the resolver's threads.
    """
    connector = aiohttp.TCPConnector(
        limit=0,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        resolver=resolver or (targets and GuardedResolver(targets)),
        socket_factory=targets and partial(guarded_socket, targets),
        ssl=context,
    )
    connector._resolver_owner = True  # pyright: ignore[reportPrivateUsage] aiohttp closes only resolvers of its own
    # aiohttp has no other door for a connection of one's own
    connector._factory = partial(Connection, loop=asyncio.get_running_loop())  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(),
        trust_env=False,
        read_bufsize=MAX_READ,
        response_class=Response,
    )


async def read_whole(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return a body of at most `limit` bytes, unpacked; raises `TargetError`.

    What is compressed is unpacked in pieces: a few bytes can stand for more than the machine has.
    """
    body = await answer.content.read(limit + 1)
    while len(body) <= limit and (piece := await answer.content.read(limit)):
        body += piece
    if len(body) > limit:
        raise TargetError(f"its answer is over {limit} bytes")
    return body


def guarded_socket(targets: Targets, address: Any) -> socket.socket:
    """Make the socket of a connection, after a last look at where it will lead; raises `TargetError`."""
    family, kind, protocol, _, place = address
    targets.check_addresses(str(place[0]), [str(place[0])], "https")
    return socket.socket(family, kind, protocol)


class Http2Answered(aiohttp.ClientError):
    """The receiver began to speak HTTP/2 where HTTP/1.1 was expected."""


class Connection(ResponseHandler):
    """A connection that is closed when an answer's bytes go on and on, whatever they are."""

    _received = 0
    _is_awaited = False
    _is_http2 = False

    def set_response_params(self, **params: Any) -> None:
        """Begin to count: the next answer is expected."""
        self._received = 0
        self._is_awaited = True
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Count, and close the connection at the limit; what is HTTP/2 is not read."""
        if self._is_awaited and not self._received and is_settings_frame(data):
            self._is_http2 = True
            self.set_exception(Http2Answered("the receiver speaks HTTP/2"))
        if self._is_http2:
            return
        self._received += len(data)
        if self._received <= MAX_RECEIVED:
            super().data_received(data)
        elif self.transport is not None:
            self.set_exception(aiohttp.ClientPayloadError(f"more than {MAX_RECEIVED} bytes"))
            self.transport.abort()


def is_settings_frame(data: bytes) -> bool:
    """Tell whether bytes begin with a frame of settings, the first that a server of HTTP/2 sends (RFC 9113, 3.4)."""
    return data[3:9] == b"\x04\0\0\0\0\0"


class Response(aiohttp.ClientResponse):
    """An answer without its reason phrase, which means nothing and may be written in any alphabet."""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Take the status and the headers."""
        await super().start(connection)
        self.reason = None
        return self
