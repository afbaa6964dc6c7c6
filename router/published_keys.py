"""Keys, sets of keys and certificates that providers publish at addresses: fetched once, remembered for a while.

Verifying waits for nothing. What is not known yet is fetched beside it, and the request is answered 503 with
`Retry-After`: providers send again. What has aged is fetched anew while the former still counts, for a day and no
longer; so does the former where an answer is none of keys. Each organisation has a share of its own: addresses that
hang, and many of them, keep no other organisation's keys away. So do the addresses that its rules name and those that
requests name, which strangers make up.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import structlog

from bpm.security.net_targets import TargetError, Targets
from bpm.security.tls import client_context
from bpm.signatures import KeyLookup, SignatureRefusal, check_published_keys, load_certificates

if TYPE_CHECKING:
    import aiohttp

log = structlog.get_logger("router")

MAX_REMEMBERED = 50
"""Maximum number of answers remembered for one organisation."""
MAX_AT_ONCE = 4
"""Maximum number fetched at once for one organisation."""
MAX_AT_ONCE_IN_ALL = 32
"""Maximum number of addresses fetched at once that rules name, and of those that requests name."""
MAX_BYTES = 64 * 1024
TIMEOUT_SECONDS = 10.0
USUAL_SECONDS, SHORTEST_SECONDS, LONGEST_SECONDS = 3_600, 300, 86_400
STALE_SECONDS = 86_400
"""How long what has aged still counts when it can't be fetched anew."""
FAILED_SECONDS = 30
RENEWED_SECONDS = 60
"""How old a set of keys must be before a token with an unknown key has it fetched anew."""

_MAX_AGE = re.compile(r"max-age\s*=\s*(\d{1,9})")


class Published(NamedTuple):
    """What an address answered, or why nothing came of it when it was asked last.

    It is fetched again after `fresh_until`, or after `asked_until` where a key is lacking, and counts until
    `known_until`.
    """

    text: str | None
    cause: str
    fresh_until: float
    asked_until: float
    known_until: float


class KeyShare:
    """What is known to one organisation's rules, and what is being fetched for them, among the `shares` of all."""

    def __init__(self, shares: "KeyShares", organization_id: int) -> None:
        """Begin with nothing."""
        self.shares = shares
        self.organization_id = organization_id
        self.known: dict[str, Published] = {}
        self.fetching: dict[str, asyncio.Task[None]] = {}

    def remember(self, url: str, found: Published) -> None:
        """Remember an answer; of too many the failures are forgotten first, then the oldest."""
        self.known.pop(url, None)
        if len(self.known) >= MAX_REMEMBERED:
            failures = (each for each, known in self.known.items() if known.text is None)
            del self.known[next(failures, next(iter(self.known)))]
        self.known[url] = found


class KeyShares:
    """The shares of all organisations in addresses that are named by rules, or in those that requests name."""

    def __init__(self, targets: Targets, check: Callable[[str], object]) -> None:
        """Take who judges addresses, and what raises `ValueError` for a text without a key of the kind wanted there."""
        self.check = check
        self._targets = targets
        self._shares: dict[int, KeyShare] = {}
        self._session: aiohttp.ClientSession | None = None

    def of(self, organization_id: int) -> KeyShare:
        """Return an organisation's share."""
        return self._shares.setdefault(organization_id, KeyShare(self, organization_id))

    @property
    def fetching(self) -> list[asyncio.Task[None]]:
        """What is being fetched for all of them."""
        return [task for share in self._shares.values() for task in share.fetching.values()]

    def session(self) -> "aiohttp.ClientSession":
        """Return the connections of these addresses, with threads of their own that ask name servers."""
        if self._session is None:
            from bpm.events.attempt.connection import open_session

            self._session = open_session(self._targets, client_context())
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class PublishedKeys:
    """Knows what stands at addresses, of hosts that may be reached; only whole answers of at most 64 KiB count."""

    def __init__(self, targets: Targets, now: Callable[[], float] = time.monotonic) -> None:
        """Take who judges addresses, and a clock in seconds; connections are opened when they are first needed."""
        self._targets = targets
        self._now = now
        self._named, self._sent = KeyShares(targets, check_published_keys), KeyShares(targets, load_certificates)
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Fetch from now on, in the running event loop."""
        self._loop = asyncio.get_running_loop()

    async def stop(self) -> None:
        """End what is being fetched, and close the connections."""
        self._loop = None
        fetching = [*self._named.fetching, *self._sent.fetching]
        for task in fetching:
            task.cancel()
        await asyncio.gather(*fetching, return_exceptions=True)
        await self._named.close()
        await self._sent.close()

    def of(self, organization_id: int) -> KeyLookup:
        """Return what looks keys up for the rules of an organisation."""
        return partial(self._find, self._named.of(organization_id), self._sent.of(organization_id))

    def _find(
        self, named: KeyShare, sent: KeyShare, url: str, is_outdated: bool = False, is_sent: bool = False, /
    ) -> str:
        share = sent if is_sent else named
        known, now = share.known.get(url), self._now()
        if known is None:
            self._ask(share, url)
            raise _pending("the provider's key is being fetched; the same request may be right in a moment")
        is_lacking = is_outdated and (bool(known.cause) or now > known.asked_until)
        if now > known.fresh_until or (is_outdated and now > known.asked_until):
            self._ask(share, url)
        if known.text is None or now > known.known_until:
            raise _pending(f"the provider's key can't be fetched: {known.cause or 'it is too old'}")
        if is_lacking:
            raise _pending("the provider's keys are being fetched anew")
        return known.text

    def _ask(self, share: KeyShare, url: str) -> None:
        """Have an address fetched; a command's handler asks from a thread of its own."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._begin, share, url)

    def _begin(self, share: KeyShare, url: str) -> None:
        is_full = len(share.fetching) >= MAX_AT_ONCE or len(share.shares.fetching) >= MAX_AT_ONCE_IN_ALL
        if url in share.fetching or is_full or self._loop is None:
            return
        task = asyncio.create_task(self._fetch(share, url), name="bpm-published-key")
        share.fetching[url] = task
        task.add_done_callback(lambda _: share.fetching.pop(url, None))

    async def _fetch(self, share: KeyShare, url: str) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                text, seconds = await self._exchange(share, url)
            share.shares.check(text)
        except Exception as error:  # whatever goes wrong on the way, the request is only answered later
            cause = str(error) if isinstance(error, TargetError | ValueError) else type(error).__name__
            log.warning("a provider's key can't be fetched", url=url, error=cause)
            share.remember(url, self._failed(share.known.get(url), cause))
        else:
            now = self._now()
            fresh_until = now + seconds
            found = Published(text, "", fresh_until, now + RENEWED_SECONDS, fresh_until + STALE_SECONDS)
            share.remember(url, found)

    def _failed(self, former: Published | None, cause: str) -> Published:
        """Return what is known after a failure: the former answer, which counts no longer than it would have."""
        again = self._now() + FAILED_SECONDS
        if former is None or former.text is None:
            return Published(None, cause, again, again, again)
        return former._replace(cause=cause, fresh_until=again, asked_until=again)

    async def _exchange(self, share: KeyShare, url: str) -> tuple[str, float]:
        from bpm.events.attempt.connection import read_whole
        from bpm.events.attempt.resolver import ASKING

        self._targets.check_url(url)
        ASKING.set(share.organization_id)
        request = share.shares.session().get(url, allow_redirects=False, headers={"accept-encoding": "identity"})
        async with request as answer:
            answer.raise_for_status()
            if answer.status != 200:
                raise TargetError(f"it answered {answer.status}")
            body = await read_whole(answer, MAX_BYTES)
            return body.decode(), _lifetime(answer.headers)


def _lifetime(headers: Mapping[str, str]) -> float:
    """How many seconds an answer counts, by its Cache-Control and within bounds."""
    said = _MAX_AGE.search(headers.get("cache-control", ""))
    return min(max(int(said[1]), SHORTEST_SECONDS), LONGEST_SECONDS) if said else USUAL_SECONDS


def _pending(cause: str) -> SignatureRefusal:
    return SignatureRefusal("secret", cause, is_pending=True)
