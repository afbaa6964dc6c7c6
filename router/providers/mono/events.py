"""What Mono's events say: the name under which they are published, and the account they are about.

Shapes from https://docs.mono.co/docs/webhooks; older accounts write `accountNumber`, newer ones `account_number`.
"""

import re
from datetime import UTC, datetime
from typing import Any

from router.providers.payload import PayloadFields, as_text

CONNECTED, REAUTHORISATION_REQUIRED, UNLINKED = "connected", "reauthorisation_required", "unlinked"
STATUS_AFTER = {
    "mono.account_connected": CONNECTED,
    "mono.account_updated": CONNECTED,
    "mono.account_reauthorized": CONNECTED,
    "mono.reauthorisation_required": REAUTHORISATION_REQUIRED,
    "mono.account_unlinked": UNLINKED,
}
"""The status of an account after an event; other events leave it as it is."""

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
    invent tomorrow follow the same rule.
    """
    own = _DOTS.sub(".", _UNUSUAL.sub("_", _FAMILY.sub("", event))).strip(".")
    return f"mono.{own or 'unnamed'}"[:MAX_PUBLISHED].rstrip(".")


def account_id(name: str, data: dict[str, Any]) -> str | None:
    """Return the account's id from `data.id`, `data.account` or `data.object.account`.

    `data.id` is the account's only in events about accounts; elsewhere it is a payment's or a mandate's.
    """
    fields = PayloadFields(data)
    about_account = name in ACCOUNT_EVENTS or name.startswith("mono.account_")
    account = fields.get("account") or fields.inner("object").get("account")
    found = PayloadFields(account).text("_id", "id") or as_text(account)
    return (fields.text("id") if about_account else None) or found


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
        "balance": _balance(account),
        "account_type": account.text("type"),
        "institution_name": institution.text("name"),
        "institution_type": institution.text("type"),
        "bank_code": institution.text("bank_code"),
    }
    return {column: value for column, value in found.items() if value is not None}


def moment_of(timestamp: str | None) -> datetime | None:
    """Read an event's timestamp."""
    return PayloadFields({"timestamp": timestamp}).moment(UTC, "timestamp")


def _balance(account: PayloadFields) -> Any:
    """An unreadable balance stays unsaid; the event's own data still holds it."""
    try:
        return account.amount("balance", signed=True)
    except ValueError:
        return None
