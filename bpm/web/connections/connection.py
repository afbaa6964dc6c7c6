"""One client's connection: uvicorn's protocol on the parser of httptools, with bounds on everything it takes in.

The parser reads strictly what RFC 9112 says, and `head` refuses what is left that could be read in two ways. Here
stands what no parser does: how large and how slow a request may be, that an offer to upgrade (RFC 9110, section 7.8)
is passed over and the body behind it read, that trailers are dropped, and that requests wait for one another.
"""

from typing import TYPE_CHECKING, Any, NoReturn, cast

import httptools
from uvicorn import Config
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from bpm.errors import BpmError, Malformed, Overloaded
from bpm.web.connections.admission import Connections
from bpm.web.connections.head import require_http_1, require_target
from bpm.web.connections.refusal import refusal
from bpm.web.connections.request_meter import RequestMeter

if TYPE_CHECKING:
    from bpm.web.connections.handshake import Handshakes

HEALTH = (b"/livez", b"/readyz")
"""What is answered on a connection above the bound."""

LINGER_SECONDS = 2
LINGER_BYTES = 32 * 1024 * 1024
"""What a client may go on sending after a refusal: closing on it at once would destroy the answer on its way."""

BLANKS = b" \t"
"""What may stand around the value of a header."""


class ServerConfig(Config):
    """Uvicorn's configuration, the connections that its protocols count themselves among, and what TLS needs."""

    connections: Connections
    handshakes: "Handshakes | None" = None


class HttpConnection(HttpToolsProtocol):
    """Reads requests one after another and has each answered before the next is read."""

    def __init__(self, config: Config, *others: Any, **named: Any) -> None:
        """Take uvicorn's parts; `config` is a `ServerConfig`."""
        super().__init__(config, *others, **named)
        self.deadline: float | None = None
        self._connections = cast("ServerConfig", config).connections
        self._limits = self._connections.limits
        self._gauge = RequestMeter(self._limits)
        self._has_place = True
        self._running: RequestResponseCycle | None = None
        self._unparsed = b""
        self._is_hurried = True
        self._is_resuming = False
        self._error: BpmError | None = None
        self._is_refused = False
        self._buffered = self._dropped = 0

    # what the transport calls

    def connection_made(self, transport: Any) -> None:
        """Take a place among the connections."""
        super().connection_made(transport)
        self._allow(self._limits.head_seconds)
        self._has_place = self._connections.admit(self, self.client[0] if self.client else "")

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        super().connection_lost(exc)
        self._connections.leave(self)
        self._release_body()

    def data_received(self, data: bytes) -> None:
        """Parse what came, as far as it is its turn."""
        if self._is_refused:
            self._drop(len(data))
            return
        if self.deadline is not None and not self._is_hurried:  # the first bytes of a further request
            self._hurry()
        self._unparsed = self._unparsed + data if self._unparsed else data
        self._parse()

    def pause_writing(self) -> None:
        """Give the client time to read its answer."""
        super().pause_writing()
        self._allow(self._limits.answer_seconds)

    def resume_writing(self) -> None:
        """Go on with the answer, or wait for the next request."""
        super().resume_writing()
        if self._is_refused:
            self._allow(LINGER_SECONDS)
        elif self._running is None or self._running.response_complete:
            self._allow(self._limits.idle_seconds)
        else:
            self.deadline = None

    # what the clock calls

    def overdue(self) -> None:
        """Close without a word: who is silent, or sends a head by drops, reads no answer either."""
        if self.transport.is_closing() or self.flow.write_paused:
            self.transport.abort()
        else:
            self._close()

    def give_up(self) -> None:
        """Close at once."""
        self.transport.abort()

    def _allow(self, seconds: float) -> None:
        self.deadline = self.loop.time() + seconds

    def _hurry(self) -> None:
        self._is_hurried = True
        self._allow(self._limits.head_seconds)

    def _close(self) -> None:
        self._allow(LINGER_SECONDS)
        self.transport.close()

    # parsing

    def _parse(self) -> None:
        """Feed the parser until a request is whole; what lies behind that waits for its answer."""
        data, at = self._unparsed, 0
        self._unparsed = b""
        while at < len(data) and self._error is None and not self._awaits_answer():
            at += self._feed(data[at : at + self._gauge.piece])
        if at < len(data) and self._error is None and not self.transport.is_closing():
            self._unparsed = data[at:]
            self.flow.pause_reading()

    def _awaits_answer(self) -> bool:
        running = self._running
        return running is not None and not running.more_body and not running.response_complete

    def _feed(self, piece: bytes) -> int:
        """Parse a piece; return how much of it was used."""
        used = len(piece)
        self._gauge.take(used)
        try:
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade as offer:
                used = offer.args[0]
                self._pass_over_offer()
            self._gauge.demand_bounded()
        except BpmError as error:
            self._refuse(error)
        except httptools.HttpParserError as error:
            self._refuse(self._error or Malformed(f"the request is not HTTP/1.1: {error}"))
        return used

    def _pass_over_offer(self) -> None:
        """Go on with a new parser, told how the body is framed: the old one takes it for another protocol."""
        gauge = self._gauge
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        if gauge.has_body:
            framing = b"Transfer-Encoding: chunked" if gauge.is_chunked else b"Content-Length: %d" % gauge.left
            self._is_resuming = True
            self.parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n\r\n")
            self._is_resuming = False

    # what the parser calls

    def on_message_begin(self) -> None:
        """Begin a request."""
        if not self._is_resuming:
            self._gauge.begin()
            super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        if not self._is_resuming:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header without the blanks behind its value, which are no part of it (RFC 9110, section 5.5).

        What comes behind the body is a trailer, and dropped (section 6.5.1).
        """
        if self._gauge.in_head:
            self.headers.append((name.lower(), value.rstrip(BLANKS)))

    def on_headers_complete(self) -> None:
        """Judge the head and start its request."""
        if self._is_resuming:
            return
        try:
            self._judge_head(dict(self.headers))
        except BpmError as error:
            self._stop(error)
        self.deadline = None
        super().on_headers_complete()
        if not self._has_place:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Take a part of the body, while there is room for it."""
        self._gauge.body(len(body))
        if not self.cycle.response_started:
            self._buffered += len(body)
            self._connections.buffered += len(body)
            if self._connections.are_buffers_full:
                self._stop(Overloaded("too many bodies are being received; try again in a moment"))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request, unless the parser has only left it at an offer to upgrade."""
        if not (self._gauge.has_body and self.parser.should_upgrade()):
            self._gauge.end()
            self.cycle.keep_alive = self.cycle.keep_alive and self.parser.should_keep_alive()
            super().on_message_complete()

    def _judge_head(self, named: dict[bytes, bytes]) -> None:
        version = self.parser.get_http_version()
        require_http_1(version, named)
        require_target(self.parser.get_method(), self.url, named)
        if not self._has_place and self.url.partition(b"?")[0] not in HEALTH:
            raise Overloaded("too many connections are open; try again in a moment")
        self._gauge.end_head(self.url, self.headers, named)
        self.expect_100_continue = version == "1.1" and named.get(b"expect", b"").lower() == b"100-continue"

    def _stop(self, error: BpmError) -> NoReturn:
        """Leave the parser, which wraps whatever is raised."""
        self._error = error
        raise error

    # answers

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Go on with what the client sent in the meantime, or wait for more; a body that has no end is not read."""
        assert self._running is not None
        self.server_state.total_requests += 1
        self._release_body()
        if self.transport.is_closing():
            self._allow(self._limits.answer_seconds)
        elif self._running.more_body:
            self._close()
        else:
            self._go_on()

    def _go_on(self) -> None:
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._error is not None:
            self._say_no(self._error)
            return
        elif self._gauge.in_head or self._unparsed:
            self._hurry()
        else:
            self._is_hurried = False
            self._allow(self._limits.idle_seconds)
        self._parse()

    def _refuse(self, error: BpmError) -> None:
        """Read no further, and say why when the requests before this one are answered."""
        self._error = error
        self._unparsed = b""
        running, broken = self._running, self._half_read()
        if broken is not None and broken is not running:
            self.pipeline.popleft()
        elif broken is not None:
            broken.disconnected = True
            broken.message_event.set()
            if broken.response_started:
                self._close()
                return
        if running is None or running.response_complete or running is broken:
            self._say_no(error)

    def _half_read(self) -> RequestResponseCycle | None:
        """Return the request whose body is being read."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle if cycle is not None and cycle.more_body and not self._gauge.in_head else None

    def _say_no(self, error: BpmError) -> None:
        self._is_refused = True
        self.transport.write(refusal(error))
        if self.transport.can_write_eof():  # TLS has no such half; there the answer's own length says where it ends
            self.transport.write_eof()
        self._allow(LINGER_SECONDS)
        self.flow.resume_reading()

    def _drop(self, size: int) -> None:
        self._dropped += size
        if self._dropped > LINGER_BYTES:
            self.transport.abort()

    def _release_body(self) -> None:
        self._connections.buffered -= self._buffered
        self._buffered = 0
