"""The one HTTP client for questions to providers; its libraries are loaded with the first question."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bpm.errors import Unavailable
from router.providers.silence import ProviderSilence

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 15.0
MAX_ANSWER_BYTES = 64 * 1024
RETRY_SECONDS = 30.0

SERVER_ERRORS = 500
TRY_AGAIN = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class ProviderReply:
    """A provider's answer: a status below 500 that is final, and the body."""

    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the provider did what it was asked."""
        return 200 <= self.status < 300


class ProviderClient:
    """Asks with a limit on time and size; follows no redirect and reads no proxy from the environment."""

    def __init__(self, timeout_seconds: float = TIMEOUT_SECONDS, now: Callable[[], float] = time.monotonic) -> None:
        """Connections are opened when they are first needed; `now` is in seconds and never goes back."""
        self._timeout = timeout_seconds
        self._silence = ProviderSilence(timeout_seconds, now)
        self._client: httpx.AsyncClient | None = None

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> ProviderReply:
        """Send one request; raises `Unavailable` when trying again later may help."""
        import aiohttp
        import httpx

        host = urlsplit(url).netloc
        if self._silence.lasts(host):
            raise _unavailable("it did not answer others")
        try:
            async with asyncio.timeout(self._timeout):
                reply = await self._exchange(method, url, headers, body)
        except TimeoutError:
            self._silence.note_none(host)
            raise _unavailable(f"no answer within {self._timeout:g} seconds") from None
        except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError) as error:
            raise _unavailable(f"{type(error).__name__} while asking it") from error
        self._silence.note_answer(host)
        if reply.status >= SERVER_ERRORS or reply.status in TRY_AGAIN:
            raise _unavailable(f"it answered {reply.status}")
        return reply

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> ProviderReply:
        if self._client is None:
            from httpx_aiohttp import HttpxAiohttpClient

            self._client = HttpxAiohttpClient(trust_env=False, follow_redirects=False, timeout=self._timeout)
        sent = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
        received = bytearray()
        async with self._client.stream(method, url, headers=sent, json=body) as response:
            async for piece in response.aiter_bytes():
                received += piece
                if len(received) > MAX_ANSWER_BYTES:
                    raise _unavailable(f"its answer is over {MAX_ANSWER_BYTES} bytes")
        return ProviderReply(response.status_code, bytes(received))


def _unavailable(cause: str) -> Unavailable:
    return Unavailable(f"the provider can't be asked just now: {cause}", retry_after=RETRY_SECONDS)
