"""A body is read once, within its limits."""

import asyncio

import pytest
from starlette.types import Message

from bpm.edge.body import Body, ClientGone
from bpm.errors import TooLarge

pytestmark = pytest.mark.anyio


class Socket:
    """Hands out the pieces of a body, then waits as an open connection does; counts how often it was asked."""

    def __init__(self, *pieces: bytes, ends: bool = True) -> None:
        last = len(pieces) - 1
        self.events: list[Message] = [
            {"type": "http.request", "body": piece, "more_body": not ends or at < last}
            for at, piece in enumerate(pieces)
        ]
        self.asked = 0

    async def __call__(self) -> Message:
        self.asked += 1
        if not self.events:
            await asyncio.Event().wait()
        return self.events.pop(0)


async def test_what_was_read_is_kept() -> None:
    """A second reader gets the same bytes, and the socket is not asked again."""
    socket = Socket(b"ab", b"c")
    body = Body(socket, 3)
    assert await body.read(3) == b"abc"
    assert await body.read_within(10) == b"abc"
    assert socket.asked == 2


async def test_a_larger_limit_reads_on() -> None:
    """Who may take more reads on from where the first reader stopped."""
    body = Body(Socket(b"abc", b"def"), 0)
    assert await body.read_within(2) is None
    assert await body.read_within(6) == b"abcdef"


async def test_an_announced_length_over_the_limit_is_not_read() -> None:
    """The announcement is enough to refuse."""
    socket = Socket(b"x" * 11)
    with pytest.raises(TooLarge, match="over the limit of 10 bytes"):
        await Body(socket, 11).read(10)
    assert socket.asked == 0


async def test_a_client_that_left_has_no_body() -> None:
    """What it sent before is not taken for the whole."""
    socket = Socket(b"x", ends=False)
    socket.events.append({"type": "http.disconnect"})
    with pytest.raises(ClientGone):
        await Body(socket, 0).read(10)
