"""An application that tells what it was asked, behind the server's own protocol: on a socket, or in memory."""

import asyncio
import json
import socket
import threading
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from bpm.web.connections import HttpConnection
from tests.connections import config_of


@dataclass
class Echo:
    """Answers `METHOD target body`, and remembers every request that it was given."""

    seen: list[str] = field(default_factory=list[str])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = f"?{scope['query_string'].decode()}" if scope["query_string"] else ""
        body = b""
        while (event := await receive())["type"] == "http.request":
            body += event["body"]
            if not event["more_body"]:
                break
        else:
            return
        line = f"{scope['method']} {scope['raw_path'].decode()}{query} {body.decode('latin-1')}".rstrip(" ")
        self.seen.append(line)
        self.headers.append({name.decode(): value.decode("latin-1") for name, value in scope["headers"]})
        answer = line.encode("latin-1")
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(answer))]}
        )
        await send({"type": "http.response.body", "body": answer})


@contextmanager
def serving(config: uvicorn.Config) -> Generator[int]:
    """Serve in a thread of its own; yields the port."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def answers_in(data: bytes) -> list[str]:
    """Return the answers in what a client received: the body of a 200, of others the status."""
    answers: list[str] = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        status, *lines = head.split(b"\r\n")
        if status.startswith(b"HTTP/1.1 100"):
            answers.append("100")
            continue
        named = dict(line.lower().split(b": ", 1) for line in lines)
        size = int(named[b"content-length"])
        body, data = data[:size], data[size:]
        answers.append(body.decode("latin-1") if status.split()[1] == b"200" else _refusal(status, named, body))
    return answers


def _refusal(status: bytes, headers: dict[bytes, bytes], body: bytes) -> str:
    assert headers[b"connection"] == b"close"
    assert json.loads(body)["success"] is False
    return status.split()[1].decode()


class MemoryTransport(asyncio.Transport):
    """A connection without a socket: what is written is kept."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 1), "sockname": ("192.0.2.2", 80)})
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        assert not self.closed
        self.written += bytes(data)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.closed = True

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """The test knows no rest."""

    resume_reading = pause_reading


def talk(pieces: Iterable[bytes], **limits: Any) -> tuple[Echo, bytes, bool]:
    """Send pieces over a connection in memory; return the application, what was answered, and whether it closed."""
    echo = Echo()

    async def conversation() -> MemoryTransport:
        config = config_of(echo, **limits)
        config.load()
        connection, transport = HttpConnection(config, ServerState()), MemoryTransport()
        connection.connection_made(transport)
        for piece in pieces:
            if transport.closed:
                break
            connection.data_received(piece)
            await _settle()
        await _settle()
        connection.connection_lost(None)
        await _settle()
        return transport

    transport = asyncio.run(conversation())
    return echo, transport.written, transport.closed


async def _settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


def cut(raw: bytes, size: int) -> Sequence[bytes]:
    """Return the bytes in pieces."""
    return [raw[at : at + size] for at in range(0, len(raw), size)]
