"""Mono's side of a connection: the code that a browser brings back becomes an account's id.

Source: https://docs.mono.co/api (Exchange Token, version 2).
"""

from dataclasses import dataclass

from bpm.errors import Failed, Unavailable
from router.providers.client import ProviderClient, ProviderReply
from router.providers.credentials import secret_text
from router.providers.mono.settings import MonoSettings
from router.providers.payload import PayloadFields, read_json

NOT_OURS = frozenset({401, 403})
MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Exchange:
    """Either the account's id, or why Mono gave none and never will for this code."""

    account_id: str | None = None
    refusal: str | None = None


class MonoApi:
    """Asks Mono with the secret key of the settings."""

    def __init__(self, settings: MonoSettings, client: ProviderClient) -> None:
        """Take the base address and key, and the client to ask with."""
        self._url = f"{settings.base_url.rstrip('/')}/v2/accounts/auth"
        self._key = secret_text(settings.secret_key)
        self._client = client

    async def exchange(self, code: str) -> Exchange:
        """Exchange a code for the account's id.

        Raises `Failed` when the secret key is not set or not accepted, and `Unavailable` when trying again
        later may help.
        """
        if not self._key:
            raise Failed("BPM_MONO__SECRET_KEY must be set to exchange Mono's codes for account ids")
        reply = await self._client.ask("POST", self._url, {"mono-sec-key": self._key}, {"code": code})
        if reply.status in NOT_OURS:
            raise Failed(f"Mono answered {reply.status}; check BPM_MONO__SECRET_KEY and BPM_MONO__BASE_URL")
        return _exchange(reply)


def _exchange(reply: ProviderReply) -> Exchange:
    answer = _fields(reply)
    if not reply.ok:
        said = answer.text("message") or "no reason given"
        return Exchange(refusal=f"Mono answered {reply.status}: {said}"[:MAX_REASON])
    found = answer.inner("data").text("id", "_id") or answer.text("id", "_id")
    if found is None:
        raise Unavailable("Mono's answer names no account")
    return Exchange(account_id=found)


def _fields(reply: ProviderReply) -> PayloadFields:
    try:
        return PayloadFields(read_json(reply.body))
    except ValueError:
        return PayloadFields(None)
