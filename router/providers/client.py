"""The one HTTP client for questions to providers; its libraries are loaded with the first question."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bpm.errors import Unavailable
from bpm.security.net_targets import TargetError
from bpm.security.tls import client_context
from router.providers.silence import ProviderSilence

if TYPE_CHECKING:
    import aiohttp

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
    """Asks with a limit on time and size; follows no redirect, keeps no cookie, takes no proxy from the environment."""

    def __init__(self, timeout_seconds: float = TIMEOUT_SECONDS, now: Callable[[], float] = time.monotonic) -> None:
        """Connections are opened when they are first needed; `now` is in seconds and never goes back."""
        self._timeout = timeout_seconds
        self._silence = ProviderSilence(timeout_seconds, now)
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> ProviderReply:
        """Send one request; raises `Unavailable` when trying again later may help."""
        import aiohttp

        host = urlsplit(url).netloc
        if self._silence.lasts(host):
            raise _unavailable("it did not answer others")
        try:
            async with asyncio.timeout(self._timeout):
                reply = await self._exchange(method, url, headers, body)
        except TimeoutError:
            self._silence.note_none(host)
            raise _unavailable(f"no answer within {self._timeout:g} seconds") from None
        except TargetError as error:
            raise _unavailable(str(error)) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _unavailable(f"{type(error).__name__} while asking it") from error
        self._silence.note_answer(host)
        if reply.status >= SERVER_ERRORS or reply.status in TRY_AGAIN:
            raise _unavailable(f"it answered {reply.status}")
        return reply

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> ProviderReply:
        from bpm.events.attempt.connection import read_whole

        sent = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
        request = self._opened().request(method, url, headers=sent, json=body, allow_redirects=False)
        async with request as answer:
            return ProviderReply(answer.status, await read_whole(answer, MAX_ANSWER_BYTES))

    def _opened(self) -> "aiohttp.ClientSession":
        if self._session is None:
            from bpm.events.attempt.connection import open_session

            self._session = open_session(None, client_context())
        return self._session


def _unavailable(cause: str) -> Unavailable:
    return Unavailable(f"the provider can't be asked just now: {cause}", retry_after=RETRY_SECONDS)
