"""TLS of the server's own: what a client may take until its handshake is done, and then its connection.

The event loop could listen with TLS, too, but it would tell us of a client only after the handshake. So a client has
its place among the connections, with a deadline, from its first packet on, and becomes a `HttpConnection` later.
"""

import asyncio
import os
import socket
from collections import OrderedDict
from functools import partial
from typing import Any, cast

from uvicorn import Config

from bpm.settings import TlsSettings
from bpm.web.connections.certificate import Certificate
from bpm.web.connections.connection import HttpConnection, ServerConfig


class Handshakes:
    """The handshakes under way in one server: the oldest gives way where there are too many."""

    def __init__(self, settings: TlsSettings) -> None:
        """Read the certificate; raises `Misconfigured`."""
        self.certificate = Certificate(settings)
        self.seconds = settings.handshake_seconds
        self._most = settings.max_handshakes
        self._under_way: OrderedDict[Handshake, None] = OrderedDict()

    def begin(self, handshake: "Handshake") -> None:
        """Take a new one in."""
        if len(self._under_way) >= self._most:
            oldest, _ = self._under_way.popitem(last=False)
            oldest.give_up()
        self._under_way[handshake] = None

    def end(self, handshake: "Handshake") -> None:
        """Forget one that is done, or was given up."""
        self._under_way.pop(handshake, None)

    def give_up(self) -> None:
        """End all of them: the server stops."""
        for handshake in list(self._under_way):
            handshake.give_up()


class Handshake(asyncio.Protocol):
    """A client until it has shaken hands. Made by uvicorn in place of a `HttpConnection`."""

    def __init__(self, config: Config, **others: Any) -> None:
        """Take uvicorn's parts; `config` is a `ServerConfig` with handshakes."""
        settled = cast("ServerConfig", config)
        assert settled.handshakes is not None
        self.deadline: float | None = None
        self._handshakes = settled.handshakes
        self._connections = settled.connections
        self._make_connection = partial(SecuredConnection, self, config, **others)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place among the connections, and shake hands.

        The socket is taken away from its transport before that reads anything: bytes in clear can't be given back.
        """
        loop = asyncio.get_running_loop()
        in_clear = cast("asyncio.Transport", transport)
        try:
            self._socket = socket.socket(fileno=os.dup(in_clear.get_extra_info("socket").fileno()))
        finally:
            in_clear.abort()
        self.deadline = loop.time() + self._handshakes.seconds
        peer = in_clear.get_extra_info("peername")
        self._connections.admit(self, peer[0] if peer else "")
        self._handshakes.begin(self)
        self._task = loop.create_task(self._shake_hands())
        self._task.add_done_callback(self._done)

    def overdue(self) -> None:
        """Close: to who is slow now nothing can be said, for there is nothing yet to say it in."""
        self.give_up()

    def give_up(self) -> None:
        """Close at once."""
        self._task.cancel()

    def leave(self) -> None:
        """Give the place back, or to the connection that begins."""
        self._handshakes.end(self)
        self._connections.leave(self)

    async def _shake_hands(self) -> None:
        await asyncio.get_running_loop().connect_accepted_socket(
            self._make_connection,
            self._socket,
            ssl=self._handshakes.certificate.context(),
            ssl_handshake_timeout=2 * self._handshakes.seconds,  # the deadline comes before it
        )

    def _done(self, task: "asyncio.Task[None]") -> None:
        if task.cancelled() or task.exception() is not None:  # why a stranger's handshake fails is nobody's concern
            self.leave()
            self._socket.close()


class SecuredConnection(HttpConnection):
    """A client that has shaken hands."""

    def __init__(self, handshake: Handshake, config: Config, **others: Any) -> None:
        """Take the handshake whose place it takes, and uvicorn's parts."""
        super().__init__(config, **others)
        self._handshake = handshake

    def connection_made(self, transport: Any) -> None:
        """Take its place."""
        self._handshake.leave()
        super().connection_made(transport)
