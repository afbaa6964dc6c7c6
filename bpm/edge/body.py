"""The body of a request: read once, within a limit of bytes and of seconds."""

import asyncio

from starlette.types import Message, Receive

from bpm.errors import TooLarge, TooSlow


class ClientGone(Exception):
    """The connection ended before the request was whole."""


class Body:
    """A body that is still in the socket; what was read is kept."""

    __slots__ = ("_declared", "_is_complete", "_read", "_receive", "_seconds")

    def __init__(self, receive: Receive, declared: int, seconds: float) -> None:
        """Take where it comes from, the length that its request announced (0: none), and how long it may take."""
        self._receive = receive
        self._declared = declared
        self._seconds = seconds
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

        Raises `TooSlow` when it does not arrive in time, and `ClientGone`.
        """
        if self._declared > limit:
            return None
        try:
            async with asyncio.timeout(self._seconds):
                await self._receive_up_to(limit)
        except TimeoutError:
            raise TooSlow(f"the body did not arrive within {self._seconds:g} seconds") from None
        return bytes(self._read) if len(self._read) <= limit else None

    async def _receive_up_to(self, limit: int) -> None:
        while len(self._read) <= limit and not self._is_complete:
            event = await self._next()
            self._read += event.get("body", b"")
            self._is_complete = not event.get("more_body")

    async def _next(self) -> Message:
        event = await self._receive()
        if event["type"] == "http.disconnect":
            raise ClientGone
        return event
