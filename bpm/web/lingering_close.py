"""Answers that reach clients which are still sending.

Who closes a connection while the other side is sending resets it, and the answer is lost with it (RFC 9112,
section 9.6). So an answer that comes before the end of the body is sent, then the rest of the body is read
and dropped, within bounds, and only then the connection may close.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LINGER_BYTES = 32 * 1024 * 1024
LINGER_SECONDS = 2
"""What a client may go on sending after its answer; then its connection closes whatever it does."""


class LingeringClose:
    """Stands between the server and an application that need not read its requests to the end."""

    def __init__(self, app: ASGIApp) -> None:
        """Take the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application; hold the end of its answer back until the body has come to its own."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        complete = False

        async def reading() -> Message:
            nonlocal complete
            event = await receive()
            complete = not event.get("more_body")
            return event

        async def sending(message: Message) -> None:
            if complete or message["type"] != "http.response.body" or message.get("more_body"):
                await send(message)
                return
            await send({**message, "more_body": True})
            await _drop(receive)
            await send({"type": "http.response.body", "body": b""})

        await self._app(scope, reading, sending)


async def _drop(receive: Receive) -> None:
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0:
                event = await receive()
                left -= len(event.get("body", b""))
                if not event.get("more_body"):
                    return
    except TimeoutError:
        return
