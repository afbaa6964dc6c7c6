"""One request and its answer: uvicorn's own cycle, but the answer's head goes out together with the body behind it."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from bpm.edge.answer import BODILESS
from bpm.errors import BpmError
from bpm.web.connections.answer_head import answer_head

if TYPE_CHECKING:
    from uvicorn._types import (
        ASGIReceiveEvent,
        ASGISendEvent,
        HTTPResponseBodyEvent,
        HTTPResponseStartEvent,
        HTTPScope,
    )

LOGGER = logging.getLogger("uvicorn.error")


class HttpExchange(RequestResponseCycle):
    """What an application is called with; `problem` is what reading the rest of the body raises, once it is set.

    The head of an answer is held until its body begins, so that both are written at once; where the body's length is
    not known before, the head does not wait. Whether the connection stays open is for it to say.
    """

    def __init__(
        self,
        scope: "HTTPScope",
        transport: asyncio.Transport,
        flow: FlowControl,
        default_headers: list[tuple[bytes, bytes]],
        *,
        keep_alive: bool,
        expects_continue: bool,
        on_complete: Callable[[], None],
    ) -> None:
        """Take the two directions of a connection, and who is told when the answer is complete."""
        super().__init__(
            scope,
            transport,
            flow,
            LOGGER,
            LOGGER,
            access_log=False,
            default_headers=default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=expects_continue,
            keep_alive=keep_alive,
            on_response=on_complete,
        )
        self.problem: BpmError | None = None
        self._held = b""
        self._left: int | None = None
        """How much of the answer's body is missing; None where nobody knows before."""

    def fail(self, problem: BpmError) -> None:
        """Give up a body that has not come to its end; who waits for it is told."""
        self.problem = problem
        self.message_event.set()

    async def receive(self) -> "ASGIReceiveEvent":
        """Return the next part of the body; raises `problem`."""
        if self.problem is not None:
            raise self.problem
        event = await super().receive()
        if self.problem is not None:
            raise self.problem
        return event

    async def send(self, message: "ASGISendEvent") -> None:
        """Send the answer's head, or a part of its body; raises `RuntimeError` for what is no answer.

        The answer is complete when the client has taken it, but for what a socket holds.
        """
        await self._until_taken()
        if self.disconnected:
            return
        if message["type"] == "http.response.start" and not self.response_started:
            self._begin(message)
        elif message["type"] == "http.response.body" and self.response_started and not self.response_complete:
            self._go_on(message)
            if not message.get("more_body", False):
                await self._until_taken()
                self._complete()
        else:
            raise RuntimeError(f"an answer is one head and then its body: {message['type']} has no place here")

    async def _until_taken(self) -> None:
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()

    def _complete(self) -> None:
        if not self.disconnected:
            self.response_complete = True
            self.message_event.set()
            self.on_response()

    def _begin(self, message: "HTTPResponseStartEvent") -> None:
        status, headers = message["status"], [*self.default_headers, *message.get("headers", ())]
        named = dict(headers)
        if named.get(b"connection", b"").lower() == b"close":
            self.keep_alive = False
        elif not self.keep_alive:
            headers.append((b"connection", b"close"))
        if self.scope["method"] == "HEAD" or status in BODILESS:
            self._left = 0
        elif b"content-length" in named:
            self._left = int(named[b"content-length"])
        self.chunked_encoding = self._left is None and self.scope["http_version"] == "1.1"
        if self.chunked_encoding:
            headers.append((b"transfer-encoding", b"chunked"))
        head = answer_head(status, headers)
        self.response_started, self.waiting_for_100_continue = True, False
        if self._left is None:
            self.transport.write(head)
        else:
            self._held = head

    def _go_on(self, message: "HTTPResponseBodyEvent") -> None:
        body, is_last = message.get("body", b""), not message.get("more_body", False)
        if self._left is not None:
            body = self._counted(body, is_last=is_last)
        elif self.chunked_encoding:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"0\r\n\r\n" if is_last else b"")
        self.transport.write(self._held + body)
        self._held = b""

    def _counted(self, body: bytes, *, is_last: bool) -> bytes:
        """Return what of the body is sent; raises `RuntimeError` when it is not as long as its head says."""
        assert self._left is not None
        if self.scope["method"] == "HEAD":
            return b""
        self._left -= len(body)
        if self._left < 0 or (is_last and self._left):
            raise RuntimeError("the answer's body is not as long as its head says")
        return body
