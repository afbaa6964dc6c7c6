"""Mono's word: the account that a browser's code stands for, and whether a payment or a debit was made.

Source: https://docs.mono.co/api ("Exchange Token" and "Verify Payment", version 2; "Retrieve a Debit", version 3, by
the mandate and the debit's reference). Amounts are in the currency's smallest unit (kobo).
"""

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from bpm.errors import Failed, Unavailable
from router.providers.client import ProviderClient, ProviderReply
from router.providers.credentials import secret_text
from router.providers.mono.events import account_of
from router.providers.mono.settings import MonoSettings
from router.providers.payload import PayloadFields, read_json

NOT_OURS = frozenset({401, 403})
MAX_REASON = 500
MAX_STATUS = 100
MADE = "successful"
"""What Mono calls the status of a payment that was made."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Either the account's id, or why Mono gave none and never will for this code."""

    account_id: str | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class MonoPaymentStatus:
    """What Mono says of a payment; `status` is the HTTP status where it knows no such payment, or says no."""

    status: str
    message: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    account_id: str | None = None
    mandate_id: str | None = None
    """The mandate that was asked about."""
    is_refunded: bool = False

    @property
    def is_done(self) -> bool:
        """Whether the money has arrived."""
        return self.status == MADE


class MonoApi:
    """Asks Mono with the secret key of the settings."""

    def __init__(self, settings: MonoSettings, client: ProviderClient) -> None:
        """Take the base address and key, and the client to ask with."""
        self._base_url = settings.base_url.rstrip("/")
        self._key = secret_text(settings.secret_key)
        self._client = client

    async def exchange(self, code: str) -> Exchange:
        """Exchange a code for the account's id.

        Raises `Failed` when the secret key is not set or not accepted, and `Unavailable` when trying again
        later may help.
        """
        return _exchange(await self._ask("POST", "/v2/accounts/auth", "exchange its codes", {"code": code}))

    @property
    def configured(self) -> bool:
        """Whether Mono can be asked at all."""
        return bool(self._key)

    async def payment_status(self, reference: str, mandate_id: str | None) -> MonoPaymentStatus:
        """Ask for the status of a payment, or of a debit under a mandate; raises as `exchange` does."""
        written = _in_path(reference)
        path = f"/v2/payments/verify/{written}"
        if mandate_id is not None:
            path = f"/v3/payments/mandates/{_in_path(mandate_id)}/debits/{written}"
        return _payment(await self._ask("GET", path, "confirm payments"), reference, mandate_id)

    async def _ask(self, method: str, path: str, purpose: str, body: dict[str, str] | None = None) -> ProviderReply:
        if not self._key:
            raise Failed(f"BPM_MONO__SECRET_KEY must be set to ask Mono: to {purpose}")
        reply = await self._client.ask(method, f"{self._base_url}{path}", {"mono-sec-key": self._key}, body)
        if reply.status in NOT_OURS:
            raise Failed(f"Mono answered {reply.status}; check BPM_MONO__SECRET_KEY and BPM_MONO__BASE_URL")
        return reply


def _in_path(name: str) -> str:
    """Return a name as one step of a path; raises `Failed` for the two that would lead to another address."""
    if name in (".", ".."):
        raise Failed(f"Mono can't be asked about {name!r}, which is no name in an address")
    return quote(name, safe="")


def _exchange(reply: ProviderReply) -> Exchange:
    answer = _fields(reply)
    if not reply.ok:
        said = answer.text("message") or "no reason given"
        return Exchange(refusal=f"Mono answered {reply.status}: {said}"[:MAX_REASON])
    found = answer.inner("data").text("id", "_id") or answer.text("id", "_id")
    if found is None:
        raise Unavailable("Mono's answer names no account")
    return Exchange(account_id=found)


def _payment(reply: ProviderReply, reference: str, mandate_id: str | None) -> MonoPaymentStatus:
    answer = _fields(reply)
    message = (answer.text("message") or "")[:MAX_REASON] or None
    if not reply.ok:
        return MonoPaymentStatus(str(reply.status), message)
    said = answer.inner("data")
    status = said.text("status")
    if status is None:
        raise Unavailable("Mono's answer names no status")
    about = said.text("reference", "reference_number") or reference
    if about != reference:
        raise Unavailable(f"Mono answered about {about[:50]} instead of {reference}")
    try:
        amount = said.amount("amount")
    except ValueError as error:
        raise Unavailable(f"Mono's answer can't be read: {error}") from None
    return MonoPaymentStatus(
        status=status[:MAX_STATUS].lower(),
        message=message,
        amount=amount,
        currency=said.text("currency"),
        account_id=account_of(said) or said.text("account_id"),
        mandate_id=mandate_id,
        is_refunded=said.get("refunded") in (True, "true"),
    )


def _fields(reply: ProviderReply) -> PayloadFields:
    try:
        return PayloadFields(read_json(reply.body))
    except ValueError:
        return PayloadFields(None)
