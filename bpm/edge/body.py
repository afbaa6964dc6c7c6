"""The body of a request: read once, within a limit of bytes. How long it may take is the connection's to say."""

from starlette.types import Message, Receive

from bpm.errors import TooLarge


class ClientGone(Exception):
    """The connection ended before the request was whole."""


class Body:
    """A body that is still in the socket; what was read is kept."""

    __slots__ = ("_declared", "_is_complete", "_read", "_receive")

    def __init__(self, receive: Receive, declared: int) -> None:
        """Take where it comes from, and the length that its request announced (0: none)."""
        self._receive = receive
        self._declared = declared
        self._read = bytearray()
        self._is_complete = False

    async def read(self, limit: int) -> bytes:
        """Return the whole body; raises `TooLarge` above `limit` bytes, else as `read_within` does."""
        body = await self.read_within(limit)
        if body is None:
            raise TooLarge(f"the body is over the limit of {limit} bytes")
        return body

    async def read_within(self, limit: int) -> bytes | None:
        """Return the whole body, or None as soon as it must be over `limit` bytes.

        Raises `ClientGone`, and what the connection makes of a body that does not arrive in time (`TooSlow`).
        """
        if self._declared > limit:
            return None
        while len(self._read) <= limit and not self._is_complete:
            event = await self._next()
            self._read += event.get("body", b"")
            self._is_complete = not event.get("more_body")
        return bytes(self._read) if len(self._read) <= limit else None

    async def _next(self) -> Message:
        event = await self._receive()
        if event["type"] == "http.disconnect":
            raise ClientGone
        return event
