"""Questions to the provider of single sign-on: bounded in time and size, to addresses that may be reached alone."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from bpm.errors import Unavailable
from bpm.security.net_targets import TargetError, Targets
from bpm.security.tls import client_context

if TYPE_CHECKING:
    import aiohttp

TIMEOUT_SECONDS = 10.0
MAX_BYTES = 64 * 1024
OK = 200


class SignOnReply(NamedTuple):
    """What a provider answered."""

    status: int
    body: bytes


class SignOnClient:
    """Follows no redirect, keeps no cookie and takes no proxy from the environment; its libraries load when used."""

    def __init__(self, targets: Targets) -> None:
        """Take who judges addresses; connections are opened when they are first needed."""
        self._targets = targets
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str) -> bytes:
        """Return what stands at an address; raises `Unavailable`."""
        reply = await self._ask("GET", url, {}, None)
        if reply.status != OK:
            raise _unavailable(url, f"it answered {reply.status}")
        return reply.body

    async def get_as(self, url: str, access_token: str) -> SignOnReply:
        """Ask for what an access token opens; raises `Unavailable`."""
        return await self._ask("GET", url, {"authorization": f"Bearer {access_token}"}, None)

    async def post(self, url: str, headers: Mapping[str, str], form: Mapping[str, str]) -> SignOnReply:
        """Send a form; raises `Unavailable`."""
        return await self._ask("POST", url, headers, form)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None
    ) -> SignOnReply:
        import aiohttp

        try:
            self._targets.check_url(url)
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await self._exchange(method, url, headers, form)
        except TimeoutError:
            raise _unavailable(url, f"no answer within {TIMEOUT_SECONDS:g} seconds") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            cause = str(error) if isinstance(error, TargetError) else type(error).__name__
            raise _unavailable(url, cause) from error

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None
    ) -> SignOnReply:
        from bpm.events.attempt.connection import read_whole

        sent = {"accept": "application/json", "accept-encoding": "identity", **headers}
        request = self._opened().request(method, url, data=form, headers=sent, allow_redirects=False)
        async with request as answer:
            return SignOnReply(answer.status, await read_whole(answer, MAX_BYTES))

    def _opened(self) -> "aiohttp.ClientSession":
        if self._session is None:
            from bpm.events.attempt.connection import open_session

            self._session = open_session(self._targets, client_context())
        return self._session


def _unavailable(url: str, cause: str) -> Unavailable:
    return Unavailable(f"the provider of single sign-on can't be asked at {url}: {cause}", retry_after=10)
