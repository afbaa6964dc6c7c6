"""Remita's word on a payment: status and amount of an RRR.

Source: https://api.remita.net, "Check RRR Status": the hash is the hexadecimal SHA-512 of RRR, API key and
merchant id written one after the other; the statuses 00 and 01 mean paid.
"""

import hashlib
import re
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from bpm.errors import Failed, Unavailable
from router.providers.client import ProviderClient
from router.providers.credentials import secret_text
from router.providers.payload import PayloadFields, read_json
from router.providers.remita.settings import RemitaSettings

PAID = frozenset({"00", "01"})

_WRAPPED = re.compile(rb"\s*jsonp\s*\((.*)\)\s*;?\s*", re.DOTALL)
"""Some of Remita's servers wrap their JSON as a script."""


@dataclass(frozen=True, slots=True)
class PaymentStatus:
    """What Remita says about an RRR; `amount` is in naira."""

    status: str
    message: str | None
    amount: Decimal | None

    @property
    def paid(self) -> bool:
        """Whether the money has arrived."""
        return self.status in PAID


class RemitaApi:
    """Asks Remita with the merchant id and API key of the settings."""

    def __init__(self, settings: RemitaSettings, client: ProviderClient) -> None:
        """Take the base address and credentials, and the client to ask with."""
        self._base_url = settings.base_url.rstrip("/")
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
        if not self.configured:
            raise Failed("BPM_REMITA__MERCHANT_ID and BPM_REMITA__API_KEY must be set to confirm payments")
        token = hashlib.sha512(f"{rrr}{self._api_key}{self._merchant_id}".encode()).hexdigest()
        url = f"{self._base_url}/{quote(self._merchant_id, safe='')}/{rrr}/{token}/status.reg"
        credentials = f"remitaConsumerKey={self._merchant_id},remitaConsumerToken={token}"
        reply = await self._client.ask("GET", url, {"Authorization": credentials})
        if not reply.ok:
            raise Failed(f"Remita answered {reply.status}; check BPM_REMITA__BASE_URL and the merchant's credentials")
        return _status(reply.body, rrr)


def _status(body: bytes, rrr: str) -> PaymentStatus:
    wrapped = _WRAPPED.fullmatch(body)
    try:
        answer = PayloadFields(read_json(wrapped[1] if wrapped else body))
        status, amount = answer.text("status", "statuscode"), answer.amount("amount")
    except ValueError as error:
        raise Unavailable(f"Remita's answer can't be read: {error}") from None
    if status is None:
        raise Unavailable("Remita's answer names no status")
    about = (answer.text("RRR") or rrr).replace("-", "")
    if about != rrr:
        raise Unavailable(f"Remita answered about {about[:50]} instead of {rrr}")
    return PaymentStatus(status, answer.text("message", "statusmessage"), amount)
