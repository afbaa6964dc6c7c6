"""The event types that every installation knows, each with an example of its data.

A `family` is the interface a type belongs to: `mokapen`, `plandocket` and `donutwork` are the REST dialects,
`payments` what providers' notifications become, `bpm` what the product says about itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Family = Literal["bpm", "donutwork", "mokapen", "payments", "plandocket"]

DIALECTS: tuple[Family, ...] = ("mokapen", "plandocket", "donutwork")
"""The interfaces through which an organisation's own types can be subscribed to as well."""

TEST_EVENT = "subscription.test"
DISABLED_EVENT = "subscription.disabled"

OWN_BEGINNINGS = ("mono.", "process.", "remita.", "subscription.", "webhook.")
"""What the product publishes itself begins so; nobody may forbid it to by a schema."""

MOKAPEN_ENTITIES: Mapping[str, Mapping[str, Any]] = {
    "task": {"title": "Call back", "status": "open", "due_at": "2026-02-01T09:00:00Z"},
    "project": {"name": "Office move", "status": "active"},
    "contact": {"first_name": "Ada", "last_name": "Obi", "email": "ada@example.com"},
    "company": {"name": "Obi & Sons", "city": "Lagos"},
    "ticket": {"subject": "Printer is on fire", "priority": "high", "status": "open"},
    "booking": {"service_id": 12, "starts_at": "2026-02-01T09:00:00Z"},
    "product": {"name": "Chair", "sku": "CH-01", "price": "49.90"},
    "service": {"name": "Haircut", "duration_minutes": 30, "price": "25.00"},
    "quote": {"number": "Q-2026-017", "total": "1200.00", "currency": "EUR"},
    "order": {"number": "O-2026-113", "total": "99.80", "currency": "EUR", "status": "new"},
    "deal": {"name": "Yearly contract", "value": "12000.00", "stage": "negotiation"},
    "appointment": {"title": "First meeting", "starts_at": "2026-02-01T09:00:00Z"},
    "document": {"name": "offer.pdf", "mime_type": "application/pdf", "size": 48213},
    "campaign": {"name": "Spring", "channel": "email", "status": "draft"},
}
MOKAPEN_VERBS = ("created", "updated", "deleted")

PLANDOCKET_DATA: Mapping[str, tuple[Mapping[str, Any], tuple[str, ...]]] = {
    "application": ({"application_id": 31, "event_id": 7, "company": "Obi & Sons"}, ("approved", "rejected")),
    "contact": ({"contact_id": 5, "email": "ada@example.com"}, ("created", "updated")),
    "participant": ({"participant_id": 88, "event_id": 7, "name": "Ada Obi"}, ("added", "removed", "confirmed")),
    "invoice": (
        {"invoice_id": 1042, "number": "2026-1042", "total": "595.00", "currency": "EUR"},
        ("created", "paid", "cancelled"),
    ),
    "booth": ({"booth_id": 12, "number": "A-12", "participant_id": 88}, ("assigned", "unassigned")),
    "service_order": ({"service_order_id": 3, "participant_id": 88, "total": "120.00"}, ("confirmed", "completed")),
}

CHARGE = {"chargeId": "ch_001", "subscriptionId": "sub_001", "amount": "19.90", "currency": "EUR"}
ACCOUNT: Mapping[str, Any] = {
    "event": "mono.events.account_updated",
    "eventId": "evt_1",
    "accountId": "6100c2…",
    "data": {},
}
CONNECTION = {"accountId": "6100c2…", "reference": "order-1", "reason": None}
MONO_EVENTS: Mapping[str, str] = {
    "account_income": "Mono has worked out the income of an account.",
    "account_credit_worthiness": "Mono has judged whether an account's owner can repay.",
    "direct_debit.payment_successful": "A one-time payment was made.",
    "direct_debit.payment_failed": "A one-time payment failed.",
    "direct_debit.payment_cancelled": "A payer cancelled a one-time payment.",
    "direct_debit.payment_abandoned": "A payer left a one-time payment.",
    "mandates.created": "A mandate was made and waits for its owner.",
    "mandates.approved": "The owner of an account approved a mandate.",
    "mandates.rejected": "A mandate was rejected.",
    "mandates.ready": "Accounts can be debited under a mandate.",
    "mandates.expired": "A mandate has ended.",
    "mandate.action.pause": "A mandate was paused.",
    "mandate.action.cancel": "A mandate was cancelled.",
    "mandate.action.reinstate": "A paused mandate goes on.",
    "mandates.debit.processing": "A debit under a mandate has begun.",
    "mandates.debit.successful": "A debit under a mandate was made.",
    "mandates.debit.failed": "A debit under a mandate failed.",
    "mandates.debit_attempt.successful": "A repeated debit under a mandate was made.",
}
"""Further events that Mono documents, without the `mono.` under which they are published."""
RRR = {"rrr": "110-0020-71256", "amount": "200.00", "channel": "CARD", "orderId": "o1"}
INSTANCE = {"instanceId": 17, "processKey": "onboarding", "businessKey": "customer-5"}

OWN: Mapping[str, tuple[Family, str, Mapping[str, Any]]] = {
    "RecurringPayments.charge.paid": ("donutwork", "A recurring charge was paid.", CHARGE),
    "RecurringPayments.charge.failed": ("donutwork", "A recurring charge failed.", {**CHARGE, "reason": "declined"}),
    "mono.account_connected": ("payments", "A bank account was connected through Mono.", ACCOUNT),
    "mono.account_updated": ("payments", "Mono has new data of an account.", ACCOUNT),
    "mono.account_reauthorized": ("payments", "The owner of an account agreed again.", ACCOUNT),
    "mono.reauthorisation_required": ("payments", "The owner of an account must agree again.", ACCOUNT),
    "mono.account_unlinked": ("payments", "An account was taken away from Mono.", ACCOUNT),
    "mono.sync_failed": ("payments", "Mono could not read an account.", ACCOUNT),
    "mono.connection_connected": ("payments", "A browser came back with a code, and an account.", CONNECTION),
    "mono.connection_failed": ("payments", "A browser came back with a code that Mono refused.", CONNECTION),
    "mono.connection_closed": ("payments", "A browser came back without a code.", CONNECTION),
    **{f"mono.{name}": ("payments", sentence, ACCOUNT) for name, sentence in MONO_EVENTS.items()},
    "remita.payment_notified": ("payments", "Remita told of a payment, not yet confirmed.", RRR),
    "remita.payment_confirmed": ("payments", "Remita confirmed a payment when asked back.", RRR),
    "remita.payment_mismatch": ("payments", "Remita confirmed another amount than it told.", RRR),
    "remita.payment_unconfirmed": ("payments", "Remita was asked for a day, and has not confirmed a payment.", RRR),
    "remita.payment_rejected": ("payments", "Elements of a notification could not be read.", {"elements": []}),
    "remita.collection_notified": ("payments", "Remita told of a debit.", {"mandateId": "1", "requestId": "2"}),
    "remita.collection_rejected": ("payments", "Elements of a notification could not be read.", {"elements": []}),
    "process.completed": ("bpm", "A process instance came to its end.", INSTANCE),
    "process.incident": (
        "bpm",
        "A process instance stopped because something failed.",
        {**INSTANCE, "elementId": "Task_1", "message": "no answer within 15 seconds"},
    ),
    "webhook.request.dead": (
        "bpm",
        "An inbound request failed at its last attempt.",
        {"requestId": "0196…", "configKey": "orders", "errors": ["Order not found"]},
    ),
    DISABLED_EVENT: (
        "bpm",
        "A subscription was switched off because its receiver is gone.",
        {"subscriptionId": 4, "name": "Billing", "url": "https://example.com/hook", "reason": "410 Gone"},
    ),
    TEST_EVENT: ("bpm", "What SendTestEventCommand sends, unless asked for another.", {"subscriptionId": 4}),
}


@dataclass(frozen=True, slots=True)
class EventKind:
    """A type of event: its name, what it means, the families it belongs to and an example of its data."""

    name: str
    description: str
    families: tuple[Family, ...]
    example: Mapping[str, Any]


def _mokapen() -> Iterable[EventKind]:
    for entity, data in MOKAPEN_ENTITIES.items():
        for verb in MOKAPEN_VERBS:
            example = {"id": 4711, "org_id": 849, **(data if verb != "deleted" else {})}
            yield EventKind(f"{entity}.{verb}", f"A {entity} was {verb}.", ("mokapen",), example)


def _plandocket() -> Iterable[EventKind]:
    for noun, (data, verbs) in PLANDOCKET_DATA.items():
        for verb in verbs:
            words = noun.replace("_", " ")
            yield EventKind(f"{noun}.{verb}", f"The {words} was {verb}.", ("plandocket",), data)


def _own() -> Iterable[EventKind]:
    for name, (family, description, example) in OWN.items():
        yield EventKind(name, description, (family,), example)


def _by_name(kinds: Iterable[EventKind]) -> dict[str, EventKind]:
    """Join the types of one name: the first one's words, all their families."""
    joined: dict[str, EventKind] = {}
    for kind in kinds:
        known = joined.get(kind.name)
        if known is None:
            joined[kind.name] = kind
        else:
            joined[kind.name] = EventKind(
                known.name, known.description, (*known.families, *kind.families), known.example
            )
    return joined


_ALL = (*_mokapen(), *_plandocket(), *_own())
BUILT_IN: Mapping[str, EventKind] = _by_name(_ALL)
"""Every built-in type by its name."""


def family_of(family: Family) -> list[EventKind]:
    """Return the built-in types of a family, in the order of its document."""
    return [BUILT_IN[kind.name] for kind in _ALL if family in kind.families]
