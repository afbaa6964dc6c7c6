"""Reads requests from bytes: the parser of httptools, with bounds on what it takes in.

The parser reads strictly what RFC 9112 says, and `head` refuses what is left that could be read in two ways. Here
stands what no parser does: how large a request's framing may be, that an offer to upgrade (RFC 9110, section 7.8) is
passed over and the body behind it read, and that trailers are dropped.
"""

from dataclasses import dataclass
from typing import Protocol

import httptools

from bpm.errors import BpmError, Malformed, Overloaded
from bpm.settings import ConnectionSettings
from bpm.shortage import shortage_in
from bpm.web.connections.head import require_http_1, require_target
from bpm.web.connections.request_meter import RequestMeter

BLANKS = b" \t"
"""What may stand around the value of a header."""


@dataclass(frozen=True, slots=True)
class RequestHead:
    """The line and the headers of a request; their names are in lower case."""

    method: str
    target: bytes
    version: str
    headers: list[tuple[bytes, bytes]]
    keep_alive: bool
    expects_continue: bool
    """Whether the client asks before it sends the body (RFC 9110, section 10.1.1)."""


class RequestListener(Protocol):
    """Who is told what was read."""

    def take_head(self, head: RequestHead) -> None:
        """Begin a request; raises `BpmError` to read no further."""
        ...

    def take_body(self, piece: bytes) -> None:
        """Go on with its body; raises `BpmError` to read no further."""
        ...

    def take_end(self, *, keep_alive: bool) -> None:
        """End it."""
        ...


class RequestReader:
    """Reads the requests of one connection, one after another."""

    def __init__(self, limits: ConnectionSettings, listener: RequestListener) -> None:
        """Begin before the first request."""
        self._listener = listener
        self._meter = RequestMeter(limits)
        self._parser = self._new_parser()
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._is_resuming = False
        self._problem: BpmError | None = None

    @property
    def in_head(self) -> bool:
        """Whether a head has begun and not ended."""
        return self._meter.in_head

    @property
    def piece(self) -> int:
        """How many bytes may be read next."""
        return self._meter.piece

    def read(self, piece: bytes) -> int:
        """Read a piece, and return how much of it was used; raises `BpmError` for what is no request."""
        used = len(piece)
        self._meter.take(used)
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade as offer:
            used = offer.args[0]
            self._pass_over_offer()
        except httptools.HttpParserError as error:  # what a callback raises is wrapped
            raise self._problem or _problem_of(error) from None
        self._meter.demand_bounded()
        return used

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)  # requests behind one are not answered
        return parser

    def _pass_over_offer(self) -> None:
        """Go on with a new parser, told how the body is framed: the old one takes it for another protocol."""
        meter = self._meter
        self._parser = self._new_parser()
        if meter.has_body:
            framing = b"Transfer-Encoding: chunked" if meter.is_chunked else b"Content-Length: %d" % meter.left
            self._is_resuming = True
            self._parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n\r\n")
            self._is_resuming = False

    # what the parser calls

    def on_message_begin(self) -> None:
        """Begin a head."""
        if not self._is_resuming:
            self._meter.begin()
            self._target, self._headers = b"", []

    def on_url(self, url: bytes) -> None:
        """Take a part of the target."""
        if not self._is_resuming:
            self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header without the blanks behind its value, which are no part of it (RFC 9110, section 5.5).

        What comes behind the body is a trailer, and dropped (section 6.5.1).
        """
        if self._meter.in_head:
            self._headers.append((name.lower(), value.rstrip(BLANKS)))

    def on_headers_complete(self) -> None:
        """Judge the head, and tell it."""
        if self._is_resuming:
            return
        try:
            self._listener.take_head(self._head())
        except BpmError as error:
            self._problem = error
            raise

    def on_body(self, body: bytes) -> None:
        """Tell a part of the body."""
        self._meter.body(len(body))
        try:
            self._listener.take_body(body)
        except BpmError as error:
            self._problem = error
            raise

    def on_message_complete(self) -> None:
        """End the request, unless the parser has only left it at an offer to upgrade."""
        if not (self._meter.has_body and self._parser.should_upgrade()):
            self._meter.end()
            self._listener.take_end(keep_alive=self._parser.should_keep_alive())

    def _head(self) -> RequestHead:
        method, version, named = self._parser.get_method(), self._parser.get_http_version(), dict(self._headers)
        require_http_1(version, named)
        require_target(method, self._target, named)
        self._meter.end_head(self._target, self._headers, named)
        return RequestHead(
            method.decode("ascii"),
            self._target,
            version,
            self._headers,
            keep_alive=version == "1.1" and self._parser.should_keep_alive(),
            expects_continue=version == "1.1" and named.get(b"expect", b"").lower() == b"100-continue",
        )


def _problem_of(error: httptools.HttpParserError) -> BpmError:
    """Return what is wrong where no callback has said it: the request, or that there was no memory to take it in."""
    if shortage_in(error) is not None:
        return Overloaded("there is no memory to take the request in; try again in a moment")
    return Malformed(f"the request is not HTTP/1.1: {error}")
