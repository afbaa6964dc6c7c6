"""What Mono's events say: the name under which they are published, and the account they are about.

Shapes from https://docs.mono.co/docs/webhooks; older accounts write `accountNumber`, newer ones `account_number`.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from router.providers.payload import PayloadFields, as_text

CONNECTED, REAUTHORISATION_REQUIRED, UNLINKED = "connected", "reauthorisation_required", "unlinked"
STATUS_AFTER = {
    "mono.account_connected": CONNECTED,
    "mono.account_updated": CONNECTED,
    "mono.account_reauthorized": CONNECTED,
    "mono.account_reauthorised": CONNECTED,
    "mono.reauthorisation_required": REAUTHORISATION_REQUIRED,
    "mono.account_unlinked": UNLINKED,
}
"""The status of an account after an event; other events leave it as it is."""

OWN_EVENTS = frozenset(
    {
        *(f"mono.payment_{status}" for status in ("confirmed", "mismatch", "unconfirmed")),
        *(f"mono.connection_{status}" for status in ("connected", "failed", "closed")),
    }
)
"""What is published when Mono was asked: no event that only says that it is Mono's is published as one of them."""

SYNC_FAILED = "mono.sync_failed"
ACCOUNT_EVENTS = frozenset({*STATUS_AFTER, SYNC_FAILED})
MAX_PUBLISHED = 200

_FAMILY = re.compile(r"^(?:mono\.)?(?:events?\.)?")
_UNUSUAL = re.compile(r"[^A-Za-z0-9_.-]+")
_DOTS = re.compile(r"\.{2,}")


def published_name(event: str) -> str:
    """Return the name under which an event is published.

    `mono.events.account_connected` becomes `mono.account_connected`, `direct_debit.payment_failed`
    `mono.direct_debit.payment_failed`, `events.mandates.ready` `mono.mandates.ready`; names that Mono may
    invent tomorrow follow the same rule. A name of ours keeps its `events.`.
    """
    own = _DOTS.sub(".", _UNUSUAL.sub("_", _FAMILY.sub("", event))).strip(".")
    name = f"mono.{own or 'unnamed'}"[:MAX_PUBLISHED].rstrip(".")
    return f"mono.events.{own}" if name in OWN_EVENTS else name


def account_id(name: str, data: dict[str, Any]) -> str | None:
    """Return the account's id from `data.id`, `data.account` or `data.object.account`.

    `data.id` is the account's only in events about accounts; elsewhere it is a payment's or a mandate's.
    """
    fields = PayloadFields(data)
    about_account = name in ACCOUNT_EVENTS or name.startswith("mono.account_")
    found = account_of(fields) or account_of(fields.inner("object"))
    return (fields.text("id") if about_account else None) or found


def account_of(fields: PayloadFields) -> str | None:
    """Return the id of the account that stands under `account`, alone or with what else is said of it."""
    account = fields.get("account")
    return PayloadFields(account).text("_id", "id") or as_text(account)


def account_details(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return what an event tells about its account, as columns of `MonoAccount`; nothing that it does not say.

    The balance is in the currency's smallest unit (kobo), as Mono sends it.
    """
    fields = PayloadFields(data)
    account, institution = fields.inner("account"), fields.inner("account").inner("institution")
    found = {
        "data_status": "FAILED" if name == SYNC_FAILED else fields.inner("meta").text("data_status"),
        "customer": fields.text("customer") or fields.inner("customer").text("id", "_id"),
        "reference": fields.inner("meta").text("ref", "reference"),
        "name": account.text("name"),
        "account_number": account.text("account_number"),
        "bvn": account.text("bvn"),
        "currency": account.text("currency"),
        "balance": _amount(account, "balance"),
        "account_type": account.text("type"),
        "institution_name": institution.text("name"),
        "institution_type": institution.text("type"),
        "bank_code": institution.text("bank_code"),
    }
    return {column: value for column, value in found.items() if value is not None}


class MoneyTold(NamedTuple):
    """What an event says about a payment, a mandate or a disbursement, as far as it does; amounts are in kobo.

    `session_id` names the transfer between banks, `settled_to` the bank that the money went to.
    """

    reference: str | None
    mandate_id: str | None
    disbursement: str | None
    status: str | None
    response_code: str | None
    amount: Decimal | None
    fee: Decimal | None
    fee_bearer: str | None
    currency: str | None
    session_id: str | None
    settled_to: str | None


def money_told(name: str, data: dict[str, Any]) -> MoneyTold:
    """Return what an event says about money: payments stand in `data.object`, all else in `data` itself."""
    fields = PayloadFields(data)
    told = fields.inner("object") or fields
    mandate = told.text("mandate", "mandate_id") or told.inner("mandate").text("id", "_id")
    is_mandate = name.startswith("mono.mandate") and ".debit" not in name
    return MoneyTold(
        reference=told.text("reference", "reference_number", "transaction_reference"),
        mandate_id=mandate or (told.text("id") if is_mandate else None),
        disbursement=told.text("disbursement_reference"),
        status=told.text("status"),
        response_code=told.text("response_code"),
        amount=_amount(told, "amount", "total_amount"),
        fee=_amount(told, "fee", "total_fee"),
        fee_bearer=told.text("fee_bearer"),
        currency=told.text("currency"),
        session_id=told.text("session_id"),
        settled_to=told.inner("beneficiary").text("bank_name"),
    )


def moment_of(timestamp: str | None) -> datetime | None:
    """Read an event's timestamp."""
    return PayloadFields({"timestamp": timestamp}).moment(UTC, "timestamp")


def _amount(fields: PayloadFields, *names: str) -> Decimal | None:
    """An unreadable amount stays unsaid; the event's own data still holds it."""
    try:
        return fields.amount(*names, signed=True)
    except ValueError:
        return None
