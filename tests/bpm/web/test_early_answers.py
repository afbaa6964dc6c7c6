"""Answers that come before the end of their request: clients that are still sending can read them."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from bpm.web.connections import connection
from tests.connections import listening

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse every request without reading its body."""
    await PlainTextResponse("no", 413)(scope, receive, send)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with listening(refuse) as port:
        yield port


def send_then_read(port: int, length: int, pieces: int, *, expect: bool = False) -> bytes:
    """Send a head that announces `length` and that many pieces of a MiB, and only then read."""
    head = f"POST / HTTP/1.1\r\nHost: bpm\r\nConnection: close\r\nContent-Length: {length}\r\n"
    head += "Expect: 100-continue\r\n\r\n" if expect else "\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(head.encode())
        for _ in range(pieces):
            client.sendall(b"x" * MIB)
        with client.makefile("rb") as answer:
            return answer.read()


@pytest.mark.parametrize("pieces", [1, 8, 24])
async def test_who_sends_everything_first_reads_the_answer(port: int, pieces: int) -> None:
    """A client that reads only after its whole body is sent finds the answer, not a reset connection."""
    for _ in range(5):
        answer = await asyncio.to_thread(send_then_read, port, pieces * MIB, pieces)
        assert answer.startswith(b"HTTP/1.1 413")
        assert answer.endswith(b"\r\n\r\nno")


@pytest.mark.parametrize("framing", ["length", "chunks"])
async def test_the_next_request_on_the_connection_is_answered(port: int, framing: str) -> None:
    """The rest of a body is no request: what stands behind it is, and is answered in turn."""
    lie = b"POST /smuggled HTTP/1.1\r\nHost: bpm\r\nContent-Length: 0\r\n\r\n"
    body = lie if framing == "length" else b"%x\r\n%b\r\n0\r\n\r\n" % (len(lie), lie)
    told = f"Content-Length: {len(body)}" if framing == "length" else "Transfer-Encoding: chunked"
    head = f"POST / HTTP/1.1\r\nHost: bpm\r\n{told}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(3):
        writer.write(head)
        assert (await asyncio.wait_for(reader.readuntil(b"no"), 30)).startswith(b"HTTP/1.1 413")
        writer.write(body[:9])
        await writer.drain()
        writer.write(body[9:])
    writer.write(head + body + head + body)
    writer.write_eof()
    answers = await asyncio.wait_for(reader.read(), 30)
    assert answers.count(b"HTTP/1.1 413") == 2
    writer.close()


async def test_who_asks_first_sends_nothing(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that waits for `100 Continue` gets its refusal instead of a leave to send."""
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.1)
    answer = await asyncio.to_thread(send_then_read, port, 8 * MIB, 0, expect=True)
    assert answer.startswith(b"HTTP/1.1 413")


async def test_a_body_without_end_is_cut(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its bounds nobody is listened to any more."""
    monkeypatch.setattr(connection, "LINGER_BYTES", 2 * MIB)
    with pytest.raises(ConnectionError):
        await asyncio.to_thread(send_then_read, port, 1_000 * MIB, 1_000)


async def test_a_silent_client_is_left(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that announces a body and sends none does not keep its connection."""
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.1)
    answer = await asyncio.to_thread(send_then_read, port, MIB, 0)
    assert answer.startswith(b"HTTP/1.1 413")
