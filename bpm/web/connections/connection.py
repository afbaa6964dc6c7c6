"""One client's connection: a protocol of uvicorn's server, with bounds on everything that a client can do there.

Here stands the order of things: which request is answered when, what a body that nobody reads becomes, and by when
what a client does now must be done.
"""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from uvicorn import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.server import ServerState

from bpm.errors import BpmError, Overloaded, TooSlow
from bpm.web.connections.admission import Connections
from bpm.web.connections.exchange import HttpExchange
from bpm.web.connections.refusal import refusal
from bpm.web.connections.request_reader import RequestHead, RequestReader
from bpm.web.connections.scope import Ends

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application, HTTPScope

    from bpm.web.connections.handshake import Handshakes

HEALTH = ("/livez", "/readyz")
"""What is answered on a connection above the bound."""

LINGER_SECONDS = 2
LINGER_BYTES = 32 * 1024 * 1024
"""What a client may go on sending after an answer that came before the end of its body.

Who closes a connection while the other side is sending resets it, and the answer is lost with it (RFC 9112, section
9.6). So the rest is read and dropped, and only then the connection closes, or goes on.
"""


class ServerConfig(Config):
    """Uvicorn's configuration, the connections that its protocols count themselves among, and what TLS needs."""

    connections: Connections
    handshakes: "Handshakes | None" = None


class HttpConnection(asyncio.Protocol):
    """Reads requests one after another and has each answered before the next is read."""

    def __init__(self, config: Config, server_state: ServerState, **_others: Any) -> None:
        """Take uvicorn's parts; `config` is a `ServerConfig`."""
        settled = cast("ServerConfig", config)
        self.deadline: float | None = None
        self._app = cast("ASGI3Application", settled.loaded_app)
        self._server_state = server_state
        self._loop = asyncio.get_running_loop()
        self._connections = settled.connections
        self._limits = self._connections.limits
        self._reader = RequestReader(self._limits, self)
        self._has_place = True
        self._running: HttpExchange | None = None
        self._newest: HttpExchange | None = None
        self._waiting = deque[HttpExchange]()
        self._unread = b""
        self._is_hurried = True
        self._error: BpmError | None = None
        self._is_refused = self._is_lingering = False
        self._buffered = self._dropped = 0

    # what the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place among the connections."""
        self._transport = cast("asyncio.Transport", transport)
        self._flow = FlowControl(self._transport)
        self._ends = Ends.of(self._transport)
        cast("set[HttpConnection]", self._server_state.connections).add(self)
        self._allow(self._limits.head_seconds)
        self._has_place = self._connections.admit(self, self._ends.peer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back; who waits for the rest of a body is told that the client is gone."""
        cast("set[HttpConnection]", self._server_state.connections).discard(self)
        self._connections.leave(self)
        self._release_body()
        for exchange in (self._running, self._newest):
            if exchange is not None and not exchange.response_complete:
                exchange.disconnected = True
                exchange.message_event.set()
        self._flow.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Read what came, as far as it is its turn."""
        if self._is_refused:
            self._drop(len(data))
            return
        if self.deadline is not None and not self._is_hurried:  # the first bytes of a further request
            self._hurry()
        self._unread = self._unread + data if self._unread else data
        self._read()
        if self._is_lingering and not self._is_reading_body():
            self._is_lingering = False
            self._finish()

    def pause_writing(self) -> None:
        """Give the client time to read its answer."""
        self._flow.pause_writing()
        self._allow(self._limits.answer_seconds)

    def resume_writing(self) -> None:
        """Go on with the answer, or wait for the next request."""
        self._flow.resume_writing()
        if self._is_refused or self._is_lingering:
            self._allow(LINGER_SECONDS)
        elif self._running is None or self._running.response_complete:
            self._allow(self._limits.idle_seconds)
        else:
            self.deadline = None

    # what the server calls

    def shutdown(self) -> None:
        """Close when what is under way is done."""
        newest = self._newest
        if newest is None or (newest.response_complete and not self._is_lingering):
            self._transport.close()
        else:
            newest.keep_alive = False

    # what the clock calls

    def overdue(self) -> None:
        """Close without a word, unless a request waits for its body: it is told.

        Who is silent, or sends a head by drops, reads no answer either.
        """
        running = self._running
        if self._transport.is_closing() or self._flow.write_paused:
            self._transport.abort()
        elif running is not None and running.more_body and not running.response_complete:
            self.deadline = None
            running.fail(TooSlow(f"the body did not arrive within {self._limits.body_seconds:g} seconds"))
        else:
            self._close()

    def give_up(self) -> None:
        """Close at once."""
        self._transport.abort()

    def _allow(self, seconds: float) -> None:
        self.deadline = self._loop.time() + seconds

    def _hurry(self) -> None:
        self._is_hurried = True
        self._allow(self._limits.head_seconds)

    def _close(self) -> None:
        self._allow(LINGER_SECONDS)
        self._transport.close()

    # reading

    def _read(self) -> None:
        """Read on until a request is whole; what lies behind that waits for its answer."""
        data, at = self._unread, 0
        self._unread = b""
        while at < len(data) and self._error is None and not self._awaits_answer():
            try:
                at += self._reader.read(data[at : at + self._reader.piece])
            except BpmError as error:
                self._refuse(error)
        if at < len(data) and self._error is None and not self._transport.is_closing():
            self._unread = data[at:]
            self._flow.pause_reading()

    def _awaits_answer(self) -> bool:
        """Tell whether the request that runs is whole, and either not answered or not done with."""
        running = self._running
        return running is not None and not running.more_body and (self._is_lingering or not running.response_complete)

    def _is_reading_body(self) -> bool:
        return self._running is not None and self._running.more_body

    # what the reader tells

    def take_head(self, head: RequestHead) -> None:
        """Start a request, or let it wait for the one before; raises `Overloaded` without a place."""
        scope = self._ends.scope(head)
        if not self._has_place and scope["path"] not in HEALTH:
            raise Overloaded("too many connections are open; try again in a moment")
        before, self._newest = self._newest, self._exchange_of(head, scope)
        if before is None or before.response_complete:
            self._start(self._newest)
        else:
            self._flow.pause_reading()
            self._waiting.append(self._newest)

    def take_body(self, piece: bytes) -> None:
        """Keep a part of a body for who reads it, while there is room; drop what nobody reads any more."""
        newest = self._newest
        assert newest is not None
        if newest.response_complete:
            self._drop(len(piece))
            return
        if not newest.response_started:
            self._buffered += len(piece)
            self._connections.buffered += len(piece)
            if self._connections.are_buffers_full:
                raise Overloaded("too many bodies are being received; try again in a moment")
        newest.body += piece
        if len(newest.body) > HIGH_WATER_LIMIT:
            self._flow.pause_reading()
        newest.message_event.set()

    def take_end(self, *, keep_alive: bool) -> None:
        """End a request; the one that runs may take its time for the answer."""
        newest = self._newest
        assert newest is not None
        newest.keep_alive = newest.keep_alive and keep_alive
        newest.more_body = False
        newest.message_event.set()
        if newest is self._running and not newest.response_complete:
            self.deadline = None

    # answers

    def _exchange_of(self, head: RequestHead, scope: "HTTPScope") -> HttpExchange:
        return HttpExchange(
            scope,
            self._transport,
            self._flow,
            self._server_state.default_headers,
            keep_alive=head.keep_alive and self._has_place,
            expects_continue=head.expects_continue,
            on_complete=self._on_complete,
        )

    def _start(self, exchange: HttpExchange) -> None:
        self._running = exchange
        if exchange.more_body:
            self._allow(self._limits.body_seconds)
        task = self._loop.create_task(exchange.run_asgi(self._app))
        task.add_done_callback(self._server_state.tasks.discard)
        self._server_state.tasks.add(task)

    def _on_complete(self) -> None:
        """Go on when the request is whole, else drop the rest of its body first."""
        self._server_state.total_requests += 1
        self._release_body()
        if self._is_reading_body() and not self._transport.is_closing():
            self._is_lingering = True
            self._dropped = 0
            self._allow(LINGER_SECONDS)
            self._flow.resume_reading()
        else:
            self._finish()

    def _finish(self) -> None:
        """Close when nothing more is answered here, else go on with what the client sent, or wait for more."""
        assert self._running is not None
        if not self._running.keep_alive:
            self._transport.close()
        if self._transport.is_closing():
            self._allow(self._limits.answer_seconds)
        else:
            self._go_on()

    def _go_on(self) -> None:
        self._flow.resume_reading()
        if self._waiting:
            self._start(self._waiting.popleft())
        elif self._error is not None:
            self._say_no(self._error)
            return
        elif self._reader.in_head or self._unread:
            self._hurry()
        else:
            self._is_hurried = False
            self._allow(self._limits.idle_seconds)
        self._read()

    def _refuse(self, error: BpmError) -> None:
        """Read no further, and say why when the requests before this one are answered."""
        self._error = error
        self._unread = b""
        running, broken = self._running, self._half_read()
        if broken is not None and broken is not running:
            self._waiting.pop()
        elif broken is not None:
            broken.disconnected = True
            broken.message_event.set()
            if broken.response_started:
                self._close()
                return
        if running is None or running.response_complete or running is broken:
            self._say_no(error)

    def _half_read(self) -> HttpExchange | None:
        """Return the request whose body is being read."""
        newest = self._newest
        return newest if newest is not None and newest.more_body and not self._reader.in_head else None

    def _say_no(self, error: BpmError) -> None:
        self._is_refused = True
        self._transport.write(refusal(error))
        if self._transport.can_write_eof():  # TLS has no such half; there the answer's own length says where it ends
            self._transport.write_eof()
        self._allow(LINGER_SECONDS)
        self._flow.resume_reading()

    def _drop(self, size: int) -> None:
        self._dropped += size
        if self._dropped > LINGER_BYTES:
            self._transport.abort()

    def _release_body(self) -> None:
        self._connections.buffered -= self._buffered
        self._buffered = 0
