"""Compressed bodies, expanded piece by piece and never beyond a limit."""

import zlib
from collections.abc import Callable, Iterator
from typing import Protocol, cast

import brotli
import zstandard

from bpm.media import PLAIN, codec_of

MAX_CODINGS = 2
"""A body that was compressed more often is refused: nobody does that for honest reasons."""

MAX_MEMBERS = 100
"""How many gzip members or zstd frames may follow one another in a body."""

PIECE = 64 * 1024
STEP = 256
"""Number of bytes of zstd that are expanded at a time: they may become eight megabytes."""

WINDOW = 8 * 1024 * 1024
"""The largest window of zstd: what every reader must support (RFC 8878), and what is held in memory."""

MAX_SHOWN = 40
READ = "gzip, deflate, br or zstd"


class CodingError(ValueError):
    """The `Content-Encoding` is none that is read."""


class ExpansionError(ValueError):
    """The body is not what its `Content-Encoding` says."""


class TooLargeExpanded(ValueError):
    """The body is larger than its limit when it is expanded."""


class _Brotli(Protocol):
    """What is used of brotli's decompressor, whose package has no types."""

    def process(self, data: bytes, /, output_buffer_limit: int) -> bytes: ...
    def is_finished(self) -> bool: ...
    def can_accept_more_data(self) -> bool: ...


def codings_of(content_encoding: str) -> list[str]:
    """Return how a body is compressed, in the order in which it was done; raises `CodingError`.

    An empty value, `identity` however often, and a charset, which belongs to `Content-Type`, mean nothing.
    """
    named = [coding.strip().lower() for coding in content_encoding.split(",")]
    codings = [coding for coding in named if coding not in PLAIN and codec_of(coding) is None]
    for coding in codings:
        if coding not in _EXPANDERS:
            shown = coding[:MAX_SHOWN]
            raise CodingError(f"Content-Encoding: {shown} is not read here; send the body as it is, or as {READ}")
    if len(codings) > MAX_CODINGS:
        raise CodingError(f"Content-Encoding: more than {MAX_CODINGS} codings are not read; compress the body once")
    return codings


def expand(body: bytes, content_encoding: str, limit: int) -> bytes:
    """Return a body as it was before it was compressed.

    Raises `CodingError`, `ExpansionError`, and `TooLargeExpanded` as soon as it must be over `limit` bytes.
    """
    for coding in reversed(codings_of(content_encoding)):
        body = _joined(coding, body, limit)
    return body


def _joined(coding: str, body: bytes, limit: int) -> bytes:
    expanded = bytearray()
    try:
        for piece in _EXPANDERS[coding](body):
            expanded += piece
            if len(expanded) > limit:
                raise TooLargeExpanded(f"the body is over the limit of {limit} bytes when it is expanded")
    except (zlib.error, brotli.error, zstandard.ZstdError, EOFError):
        raise ExpansionError(f"Content-Encoding: the body is not {coding}, or not all of it arrived") from None
    return bytes(expanded)


def _zlib(body: bytes, window: int) -> Iterator[bytes]:
    """Yield the pieces of one or several streams of zlib, which follow one another."""
    for _ in range(MAX_MEMBERS):
        stream = zlib.decompressobj(window)
        rest = body
        while not stream.eof:
            piece = stream.decompress(rest, PIECE)
            rest = stream.unconsumed_tail
            if not piece and not rest and not stream.eof:
                raise EOFError
            yield piece
        body = stream.unused_data
        if not body:
            return
    raise EOFError


def _gzip(body: bytes) -> Iterator[bytes]:
    return _zlib(body, zlib.MAX_WBITS | 16)


def _deflate(body: bytes) -> Iterator[bytes]:
    """Yield what `deflate` holds: zlib's format, or what many senders take it for, the bare stream."""
    has_header = len(body) > 1 and body[0] & 15 == zlib.DEFLATED and int.from_bytes(body[:2], "big") % 31 == 0
    return _zlib(body, zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)


def _brotli(body: bytes) -> Iterator[bytes]:
    stream = cast("_Brotli", brotli.Decompressor())
    rest = body
    while not stream.is_finished():
        piece = stream.process(rest, output_buffer_limit=PIECE)
        if not piece and stream.can_accept_more_data() and not stream.is_finished():
            raise EOFError
        rest = b""
        yield piece


def _zstd(body: bytes) -> Iterator[bytes]:
    for _ in range(MAX_MEMBERS):
        stream = zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj(write_size=PIECE)
        at = 0
        while not stream.eof:
            if at >= len(body):
                raise EOFError
            yield stream.decompress(body[at : at + STEP])
            at += STEP
        body = stream.unused_data + body[at:]
        if not body:
            return
    raise EOFError


_EXPANDERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
