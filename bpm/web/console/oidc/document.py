"""A document that the provider publishes, remembered for a while."""

import asyncio
import time
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from bpm.errors import Unavailable
from bpm.web.console.oidc.client import SignOnClient

T = TypeVar("T")

FRESH_SECONDS = 3_600
STALE_SECONDS = 86_400
"""How long what has aged still counts when it can't be fetched anew."""
FAILED_SECONDS = 10
"""How long a failure counts, so that a slow provider holds up a few sign-ins and not a queue of them."""
RENEWED_SECONDS = 60
"""How old a document must be before somebody who misses something in it has it fetched anew."""


class _Fetched(NamedTuple, Generic[T]):
    """What came of fetching: a value and when it was fetched, and the last failure since."""

    url: str
    value: T | None
    at: float
    failure: Unavailable | None = None
    failed_at: float = 0.0


class PublishedDocument(Generic[T]):
    """Fetches a document when it is asked for, once for all who ask meanwhile."""

    def __init__(
        self, client: SignOnClient, read: Callable[[bytes], T], now: Callable[[], float] = time.monotonic
    ) -> None:
        """Take what reads it; that raises `ValueError` for what is none."""
        self._client = client
        self._read = read
        self._now = now
        self._fetched: _Fetched[T] | None = None
        self._lock = asyncio.Lock()

    async def get(self, url: str, *, is_missing_something: bool = False) -> T:
        """Return the document; raises `Unavailable`, for one that can't be read, too."""
        async with self._lock:
            known = self._fetched if self._fetched is not None and self._fetched.url == url else None
            if known is None or self._is_due(known, is_missing_something=is_missing_something):
                known = self._fetched = await self._fetch(url, known)
            if known.value is None or self._now() - known.at > FRESH_SECONDS + STALE_SECONDS:
                raise known.failure or Unavailable(f"the provider's document at {url} is too old")
            return known.value

    def _is_due(self, known: _Fetched[T], *, is_missing_something: bool) -> bool:
        if known.failure is not None and self._now() - known.failed_at < FAILED_SECONDS:
            return False
        age = self._now() - known.at
        return known.value is None or age > FRESH_SECONDS or (is_missing_something and age > RENEWED_SECONDS)

    async def _fetch(self, url: str, known: _Fetched[T] | None) -> _Fetched[T]:
        try:
            body = await self._client.get(url)
            return _Fetched(url, self._read(body), self._now())
        except Unavailable as error:
            failure = error
        except ValueError as error:
            failure = Unavailable(f"the provider's document at {url} can't be read: {error}")
        former = known or _Fetched(url, None, self._now())
        return former._replace(failure=failure, failed_at=self._now())
