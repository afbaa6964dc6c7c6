"""Remita's word on a payment, by its RRR, and on a mandate and a debit under it, by mandate and request.

Source: https://api.remita.net. "Check RRR Status": the hash is the hexadecimal SHA-512 of RRR, API key and merchant id
written one after the other; the statuses 00 and 01 mean paid. "Direct Debit", "Mandate Status" and "Debit Status": the
hash is that of mandate, merchant, request and API key; a debit was made with 01, a mandate counts with 00 while it is
active.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from bpm.errors import Failed, Unavailable
from router.providers.client import ProviderClient
from router.providers.credentials import secret_text
from router.providers.payload import PayloadFields, read_json
from router.providers.remita.settings import RemitaSettings

PAID = frozenset({"00", "01"})
MAX_SAID = 500
"""How much is kept of what Remita says."""

ASKED_AT: Mapping[str, str] = {"ACTIVATION": "status", "DEBIT": "payment/status"}
"""Below the address of mandates; nothing is documented by which Remita could be asked about a repayment."""
_WRONG_CREDENTIALS = frozenset({"013", "020"})
_WRONG_MERCHANT = frozenset({"020", "023"})
"""Of payments: the hash is not accepted, and there is no such merchant."""

_WRAPPED = re.compile(rb"\s*jsonp\s*\((.*)\)\s*(?:;\s*)?", re.DOTALL)
"""Some of Remita's servers wrap their JSON as a script."""


@dataclass(frozen=True, slots=True)
class PaymentStatus:
    """What Remita says about an RRR; `amount` is in naira, `order_id` the biller's id of what was paid for."""

    status: str
    message: str | None
    amount: Decimal | None
    order_id: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether the money has arrived."""
        return self.status in PAID


@dataclass(frozen=True, slots=True)
class CollectionStatus:
    """What Remita says about a mandate or a debit; `amount` is in naira, and of a debit alone."""

    status: str
    message: str | None
    amount: Decimal | None
    is_done: bool
    """Whether the mandate is active, or the debit made."""
    reference: str | None = None
    """Remita's own reference of a debit, if it names one."""
    confirmed_for: str | None = None
    """For which day the same debit was confirmed already."""


class RemitaApi:
    """Asks Remita with the merchant id and API key of the settings."""

    def __init__(self, settings: RemitaSettings, client: ProviderClient) -> None:
        """Take the base address and credentials, and the client to ask with."""
        self._base_url = settings.base_url.rstrip("/")
        self._mandate_url = settings.mandate_url.rstrip("/")
        self._merchant_id = (settings.merchant_id or "").strip()
        self._api_key = secret_text(settings.api_key)
        self._client = client

    @property
    def configured(self) -> bool:
        """Whether payments can be confirmed at all."""
        return bool(self._merchant_id and self._api_key)

    async def status(self, rrr: str) -> PaymentStatus:
        """Ask for the status of an RRR (letters and digits).

        Raises `Failed` when the credentials are not set or the question was refused, and `Unavailable` when
        trying again later may help.
        """
        self._require_configured()
        token = hashlib.sha512(f"{rrr}{self._api_key}{self._merchant_id}".encode()).hexdigest()
        url = f"{self._base_url}/{quote(self._merchant_id, safe='')}/{rrr}/{token}/status.reg"
        credentials = f"remitaConsumerKey={self._merchant_id},remitaConsumerToken={token}"
        reply = await self._client.ask("GET", url, {"Authorization": credentials})
        found = _status(reply.body, rrr) if reply.ok else None
        if found is None or found.status in _WRONG_MERCHANT:
            said = found.status if found is not None else str(reply.status)
            raise Failed(f"Remita answered {said}; check BPM_REMITA__BASE_URL and the merchant's credentials")
        return found

    async def collection_status(self, kind: str, mandate_id: str, request_id: str) -> CollectionStatus:
        """Ask about a mandate's activation or a debit; raises as `status` does."""
        self._require_configured()
        parts = (mandate_id, self._merchant_id, request_id, self._api_key)
        question = {
            "merchantId": self._merchant_id,
            "mandateId": mandate_id,
            "requestId": request_id,
            "hash": hashlib.sha512("".join(parts).encode()).hexdigest(),
        }
        reply = await self._client.ask("POST", f"{self._mandate_url}/{ASKED_AT[kind]}", {}, question)
        answer = _answer(reply.body) if reply.ok else PayloadFields(None)
        status = answer.text("statuscode")
        if not reply.ok or status in _WRONG_CREDENTIALS:
            said = status or str(reply.status)
            raise Failed(f"Remita answered {said}; check BPM_REMITA__MANDATE_URL and the merchant's credentials")
        return _collection_status(answer, kind, mandate_id, request_id)

    def _require_configured(self) -> None:
        if not self.configured:
            raise Failed("BPM_REMITA__MERCHANT_ID and BPM_REMITA__API_KEY must be set to confirm payments")


def _answer(body: bytes) -> PayloadFields:
    wrapped = _WRAPPED.fullmatch(body)
    try:
        return PayloadFields(read_json(wrapped[1] if wrapped else body))
    except ValueError as error:
        raise Unavailable(f"Remita's answer can't be read: {error}") from None


def _collection_status(answer: PayloadFields, kind: str, mandate_id: str, request_id: str) -> CollectionStatus:
    status = answer.text("statuscode")
    if status is None:
        raise Unavailable("Remita's answer names no status")
    about = answer.text("mandateId") or mandate_id, answer.text("requestId") or request_id
    if about != (mandate_id, request_id):
        raise Unavailable("Remita answered about another mandate or request")
    try:
        amount = answer.amount("amount") if kind == "DEBIT" else None
    except ValueError as error:
        raise Unavailable(f"Remita's answer can't be read: {error}") from None
    is_done = status == "01" if kind == "DEBIT" else status == "00" and answer.get("isActive") in (True, "true")
    reference = _said(answer, "RRR", "transactionRef") if kind == "DEBIT" else None
    return CollectionStatus(status[:MAX_SAID], _said(answer, "status"), amount, is_done, reference)


def _status(body: bytes, rrr: str) -> PaymentStatus:
    answer = _answer(body)
    try:
        status, amount = answer.text("status", "statuscode"), answer.amount("amount")
    except ValueError as error:
        raise Unavailable(f"Remita's answer can't be read: {error}") from None
    if status is None:
        raise Unavailable("Remita's answer names no status")
    about = (answer.text("RRR") or rrr).replace("-", "")
    if about != rrr:
        raise Unavailable(f"Remita answered about {about[:50]} instead of {rrr}")
    order_id = answer.text("orderId")
    return PaymentStatus(status[:MAX_SAID], _said(answer, "message", "statusmessage"), amount, order_id)


def _said(answer: PayloadFields, *names: str) -> str | None:
    return (answer.text(*names) or "")[:MAX_SAID] or None
