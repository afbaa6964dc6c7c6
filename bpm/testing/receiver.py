"""The other end of a webhook: a real HTTP server on loopback that remembers what it was sent."""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bpm.exact_json import read_json


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as it came; `at` is the moment on the event loop's clock, in seconds."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    def json(self) -> Any:
        """Return the body's JSON value; raises `ValueError`."""
        return read_json(self.body)


@dataclass(frozen=True, slots=True)
class PreparedAnswer:
    """What to answer, and after how many seconds."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] | None = None
    delay: float = 0


class WebhookReceiver:
    """Listens on a free port of 127.0.0.1 and answers 200, or what was prepared.

    async with WebhookReceiver() as receiver:
        receiver.answer(500, 500, 204)
        ...
        first, second, third = await receiver.wait_for(3)
    """

    def __init__(self) -> None:
        """Take a port; nothing is answered before `async with`."""
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._server = _Server(
            uvicorn.Config(
                self._app,
                interface="asgi3",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=0,
            )
        )
        self._task: asyncio.Task[None] | None = None
        self._prepared: deque[PreparedAnswer] = deque()
        self._arrived = asyncio.Condition()
        self.requests: list[ReceivedRequest] = []

    @property
    def url(self) -> str:
        """The receiver's address, without a slash at its end."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def answer(self, *answers: int | PreparedAnswer) -> None:
        """Prepare answers, given in this order, once each; a number is a status."""
        self._prepared += [PreparedAnswer(answer) if isinstance(answer, int) else answer for answer in answers]

    async def wait_for(self, count: int, seconds: float = 30) -> list[ReceivedRequest]:
        """Wait until `count` requests have come in all, and return all there are; raises `TimeoutError`."""
        async with asyncio.timeout(seconds), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)
        return self.requests

    async def __aenter__(self) -> Self:
        """Begin to listen."""
        self._socket.listen()
        self._task = asyncio.create_task(self._server.serve([self._socket]))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._socket.close()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        received = ReceivedRequest(
            request.method,
            request.url.path,
            request.url.query,
            dict(request.headers),
            await request.body(),
            asyncio.get_running_loop().time(),
        )
        prepared = self._prepared.popleft() if self._prepared else PreparedAnswer()
        async with self._arrived:
            self.requests.append(received)
            self._arrived.notify_all()
        await asyncio.sleep(prepared.delay)
        await Response(prepared.body, prepared.status, prepared.headers)(scope, receive, send)


class _Server(uvicorn.Server):
    """Uvicorn that leaves signals to the process it is a guest of."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield
