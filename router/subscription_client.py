"""Opens the address by which a provider has a subscription confirmed: of an allowed host, with limits."""

import asyncio
import ssl
from collections.abc import Iterable
from urllib.parse import urlsplit

from bpm.errors import Failed, Unavailable
from bpm.security.net_targets import TargetError, Targets
from bpm.security.tls import client_context
from bpm.signatures import is_host

TIMEOUT_SECONDS = 10.0
MAX_ANSWER_BYTES = 64 * 1024
RETRY_SECONDS = 30.0
HTTPS_PORT = 443

SERVER_ERRORS, NOT_DONE = 500, 300
TRY_AGAIN = frozenset({408, 425, 429})


class SubscriptionClient:
    """Follows no redirect, keeps no connection, and reaches what deliveries may reach."""

    def __init__(self, targets: Targets, context: ssl.SSLContext | None = None) -> None:
        """Take who judges addresses, and what TLS trusts besides the usual authorities."""
        self._targets = targets
        self._context = context

    async def confirm(self, address: str, hosts: Iterable[str]) -> int:
        """Open an address and return its status, which says done.

        Raises `Failed` for an address that may not be opened and an answer that says no, and `Unavailable` when
        trying again later may help.
        """
        check_host(address, hosts)
        try:
            self._targets.check_url(address)
            async with asyncio.timeout(TIMEOUT_SECONDS):
                status = await self._open(address)
        except TimeoutError:
            raise _unavailable(f"no answer within {TIMEOUT_SECONDS:g} seconds") from None
        except TargetError as error:
            raise Failed(f"the subscription can't be confirmed: {error}") from None
        if status >= SERVER_ERRORS or status in TRY_AGAIN:
            raise _unavailable(f"it answered {status}")
        if status >= NOT_DONE:
            raise Failed(f"the subscription is not confirmed: the provider answered {status}")
        return status

    async def _open(self, address: str) -> int:
        import aiohttp

        from bpm.events.attempt.connection import open_session

        try:
            async with open_session(self._targets, self._context or client_context()) as session:
                headers = {"accept-encoding": "identity"}
                async with session.get(address, allow_redirects=False, headers=headers) as answer:
                    await answer.content.read(MAX_ANSWER_BYTES)
                    return answer.status
        except (aiohttp.ClientError, OSError) as error:
            raise _unavailable(f"{type(error).__name__} while opening its address") from error


def check_host(address: str, hosts: Iterable[str]) -> None:
    """Raise `Failed` unless an address is https and of one of the hosts, which may name a port."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or HTTPS_PORT
        is_plain = parts.scheme == "https" and parts.username is None and parts.password is None
    except ValueError:
        is_plain, host, port = False, "", HTTPS_PORT
    allowed = [entry.partition(":") for entry in hosts]
    if not is_plain or not any(
        is_host(host, name) and port == int(written or HTTPS_PORT) for name, _, written in allowed
    ):
        raise Failed("the subscription can't be confirmed: the address is not https, or of none of the allowed hosts")


def _unavailable(cause: str) -> Unavailable:
    return Unavailable(f"the subscription can't be confirmed just now: {cause}", retry_after=RETRY_SECONDS)
