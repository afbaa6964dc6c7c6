"""How much of a request has been read, and whether that is still within bounds."""

from collections.abc import Mapping, Sequence
from itertools import chain

from bpm.errors import HeadTooLarge
from bpm.settings import ConnectionSettings

PIECE = 2_048
"""So much is parsed at once of heads and chunked bodies: what a client sends in advance costs its bytes, no more."""

CHUNK_BYTES = 32
"""What may stand around each piece of a chunked body, on the average: its size, an extension and line ends."""


class RequestMeter:
    """Counts one request after another of a connection; `end_head` and `demand_bounded` raise `HeadTooLarge`."""

    def __init__(self, limits: ConnectionSettings) -> None:
        """Begin before the first request."""
        self._limits = limits
        self.in_head = False
        self.is_chunked = False
        self.left = 0
        """How much of a body of known length has not arrived."""
        self._unfinished = 0

    @property
    def has_body(self) -> bool:
        """Whether a body follows, or goes on."""
        return self.is_chunked or self.left > 0

    @property
    def piece(self) -> int:
        """How many bytes may be parsed next: not beyond the end of a large body."""
        return max(PIECE, self.left)

    def begin(self) -> None:
        """Count a new head."""
        self.in_head = True
        self.is_chunked = False
        self.left = self._unfinished = 0

    def end_head(self, target: bytes, headers: Sequence[tuple[bytes, bytes]], named: Mapping[bytes, bytes]) -> None:
        """Count the whole head, and begin to count the body that it announces."""
        if len(headers) > self._limits.max_headers:
            raise HeadTooLarge(f"the request has more than {self._limits.max_headers} headers")
        if len(target) + sum(map(len, chain.from_iterable(headers))) > self._limits.max_head_bytes:
            raise self._too_large()
        self.in_head = False
        self.is_chunked = b"transfer-encoding" in named
        self.left = int(named.get(b"content-length", 0))
        self._unfinished = 0

    def body(self, size: int) -> None:
        """Count a part of the body."""
        if not self.is_chunked:
            self.left -= size
        self._unfinished -= size + CHUNK_BYTES

    def end(self) -> None:
        """End the request."""
        self.is_chunked = False
        self.left = self._unfinished = 0

    def take(self, size: int) -> None:
        """Count what the parser is about to take in; what of it ends in this piece is taken off by the others."""
        self._unfinished += size

    def demand_bounded(self) -> None:
        """Refuse a head, an extension or a trailer that has no end yet and is over the limit."""
        if self._unfinished > self._limits.max_head_bytes:
            raise self._too_large()

    def _too_large(self) -> HeadTooLarge:
        part = "head" if self.in_head or not self.is_chunked else "framing of the body's chunks, with its trailers,"
        return HeadTooLarge(f"the request's {part} is over the limit of {self._limits.max_head_bytes} bytes")
