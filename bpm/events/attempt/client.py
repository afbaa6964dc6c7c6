"""Makes requests for deliveries."""

import asyncio
import time
from functools import lru_cache
from typing import Any

import aiohttp
import httpx
from h2.exceptions import H2Error
from httpx_aiohttp import AiohttpTransport

from bpm.events.attempt.connection import MAX_READ, open_session
from bpm.events.attempt.error_messages import sentence
from bpm.events.attempt.http2 import Http2Client, asks_for_http2
from bpm.events.attempt.http2_exchange import Http2Error
from bpm.events.attempt.resolver import ASKING, GuardedResolver
from bpm.events.attempt_result import AttemptResult, ReceiverAnswer
from bpm.events.delivery_request import DeliveryRequest
from bpm.security.net_targets import TargetError, Targets
from bpm.security.tls import client_context

BODY_SECONDS = 2.0
"""How long the body of an answer is waited for, once its status has been said."""


FAILURES = (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, Http2Error, H2Error, ValueError, OSError)
"""What the libraries raise when a request fails."""


class AttemptClient:
    """Makes requests; follows no redirect, keeps no cookie, and takes no proxy from the environment."""

    def __init__(self, targets: Targets) -> None:
        """Make the client; used inside the event loop, closed with `close`."""
        self._targets = targets
        resolver, context = GuardedResolver(targets), client_context("http/1.1")
        session = open_session(targets, context, resolver)
        self._transport = AiohttpTransport(verify=context, trust_env=False, client=session)
        self._http2 = Http2Client(resolver, client_context("h2"))

    async def send(self, outgoing: DeliveryRequest) -> AttemptResult:
        """Make one request and return what became of it; the status decides, its body is only kept for the log."""
        started = time.perf_counter()
        answer = ReceiverAnswer()
        error = None
        try:
            self._targets.check_url(outgoing.url)
            ASKING.set(outgoing.organization_id)
            async with asyncio.timeout(outgoing.timeout_seconds):
                await self._exchange(outgoing, answer)
        except TimeoutError:
            error = f"no answer within {outgoing.timeout_seconds:g} seconds"
        except TargetError as refusal:
            error = f"url: {refusal}"
        except FAILURES as failure:
            error = sentence(failure)
        return answer.attempt(round((time.perf_counter() - started) * 1000, 2), error)

    async def close(self) -> None:
        """Close the connections, and end the threads that look up hosts."""
        await self._transport.aclose()

    async def _exchange(self, outgoing: DeliveryRequest, answer: ReceiverAnswer) -> None:
        """Make the request in HTTP/1.1, or in HTTP/2 where the receiver speaks nothing else."""
        request = httpx.Request("POST", _url(outgoing.url), headers=dict(outgoing.headers), content=outgoing.body)
        if not self._http2.is_wanted(outgoing.url):
            try:
                return await self._exchange_http1(request, answer)
            except FAILURES as failure:
                if answer.status is not None or not asks_for_http2(failure):
                    raise
        return await self._http2.exchange(request, answer, BODY_SECONDS)

    async def _exchange_http1(self, request: httpx.Request, answer: ReceiverAnswer) -> None:
        response = await self._transport.handle_async_request(request)
        stream: Any = response.stream
        try:
            answer.begin(response.status_code, response.headers.raw)
            async with asyncio.timeout(BODY_SECONDS):
                await _read(stream, answer)
        finally:
            await stream.aclose()


async def _read(stream: Any, answer: ReceiverAnswer) -> None:
    async for piece in stream:
        answer.add(piece)
        if answer.length >= MAX_READ:
            return


@lru_cache(maxsize=4_096)
def _url(url: str) -> httpx.URL:
    return httpx.URL(url)
