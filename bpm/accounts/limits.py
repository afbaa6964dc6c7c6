"""How many subscriptions, accounts and webhooks an organisation may have: its own limit, or the installation's."""

from collections.abc import Callable
from typing import Literal

from bpm.errors import Invalid
from bpm.settings import Settings
from bpm.store import Transaction, organizations
from bpm.store.named_lock import take_named_lock
from bpm.store.organizations import LimitName

Limited = Literal["subscriptions", "users", "webhooks"]

_NAMES: dict[Limited, LimitName] = {
    "subscriptions": "max_subscriptions",
    "users": "max_users",
    "webhooks": "max_webhooks",
}


def limit_of(tx: Transaction, organization_id: int, what: Limited, settings: Settings) -> int | None:
    """Return how many an organisation may have; None is any number."""
    own = organizations.limit_of(tx, organization_id, _NAMES[what])
    return own if own is not None else _usual(what, settings)


def require_room(
    tx: Transaction, organization_id: int, what: Limited, count: Callable[[Transaction, int], int], settings: Settings
) -> None:
    """Raise `Invalid` when an organisation has all it may have; nobody else adds to it until the transaction is over.

    `count` tells how many it has.
    """
    most = limit_of(tx, organization_id, what, settings)
    if most is None:
        return
    take_named_lock(tx, f"{what} of organisation {organization_id}")
    if count(tx, organization_id) >= most:
        raise Invalid(f"the organisation may have {most} {what}, and has them; ask the installation for a higher limit")


def _usual(what: Limited, settings: Settings) -> int | None:
    if what == "subscriptions":
        return settings.delivery.max_subscriptions
    return (settings.organizations.max_users if what == "users" else settings.organizations.max_webhooks) or None
