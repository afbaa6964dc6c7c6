"""The event types that an installation knows by itself, each with an example of its data.

A `family` is the interface a type belongs to: `mokapen`, `plandocket` and `donutwork` are the REST dialects,
`payments` what providers' notifications become, `bpm` what the product says about itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Family = Literal["bpm", "donutwork", "mokapen", "payments", "plandocket"]

PAYMENTS: tuple[Family, ...] = ("payments",)
"""The families of what a provider's notifications become."""
DIALECTS: tuple[Family, ...] = ("mokapen", "plandocket", "donutwork")
"""The interfaces through which an organisation's own types can be subscribed to as well."""


@dataclass(frozen=True, slots=True)
class EventKind:
    """A type of event: its name, what it means, the families it belongs to and an example of its data."""

    name: str
    description: str
    families: tuple[Family, ...]
    example: Mapping[str, Any]


TEST_EVENT = "subscription.test"
DISABLED_EVENT = "subscription.disabled"
FAILING_EVENT = "subscription.failing"
STALE_EVENT = "queue.stale"
MISSING_SECRET_EVENT = "webhook.secret.missing"  # noqa: S105 a type

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
INSTANCE = {"instanceId": 17, "processKey": "onboarding", "businessKey": "customer-5"}

AUDITED = {
    "id": 4711,
    "createdAt": "2026-02-01T09:00:00Z",
    "principal": "user:7",
    "principalName": "ada",
    "type": "CreateUserCommand",
    "fields": {"username": "grace", "password": "***", "roles": ["viewer"]},
    "fieldsLeftOut": False,
    "address": "192.0.2.17",
    "ok": True,
    "error": None,
    "requestId": "0196…",
    "correlationId": "0196…",
    "causationId": None,
}

PRODUCT: Mapping[str, tuple[Family, str, Mapping[str, Any]]] = {
    "RecurringPayments.charge.paid": ("donutwork", "A recurring charge was paid.", CHARGE),
    "RecurringPayments.charge.failed": ("donutwork", "A recurring charge failed.", {**CHARGE, "reason": "declined"}),
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
    FAILING_EVENT: (
        "bpm",
        "A receiver has taken nothing for some ten minutes; it is asked again, and switched off after five days.",
        {
            "subscriptionId": 4,
            "name": "Billing",
            "url": "https://example.com/hook",
            "reason": "nothing but failures since 2026-02-01 09:00 UTC",
        },
    ),
    STALE_EVENT: (
        "bpm",
        "Work of a kind has been due for five minutes and nobody begins it; told once an hour, to the installation.",
        {"kind": "inbound", "waiting": 214, "oldestSeconds": 320},
    ),
    MISSING_SECRET_EVENT: (
        "bpm",
        "A rule refers to a secret that can't be read, so its senders are told to try again; told once an hour, to the "
        "installation.",
        {"configKey": "orders", "reason": "env:ORDERS_SECRET: the environment variable 'ORDERS_SECRET' is not set"},
    ),
    "audit.succeeded": ("bpm", "A command was executed; to whoever may read the audit log.", AUDITED),
    "audit.failed": (
        "bpm",
        "A command was refused or failed; to whoever may read the audit log.",
        {**AUDITED, "ok": False, "error": "email: is not an e-mail address"},
    ),
    TEST_EVENT: ("bpm", "What SendTestEventCommand sends, unless asked for another.", {"subscriptionId": 4}),
}


def _mokapen() -> Iterable[EventKind]:
    for entity, data in MOKAPEN_ENTITIES.items():
        for verb in MOKAPEN_VERBS:
            example = {"id": 4711, "org_id": 849, **(data if verb != "deleted" else {})}
            yield EventKind(f"{entity}.{verb}", f"The {entity} was {verb}.", ("mokapen",), example)


def _plandocket() -> Iterable[EventKind]:
    for noun, (data, verbs) in PLANDOCKET_DATA.items():
        for verb in verbs:
            words = noun.replace("_", " ")
            yield EventKind(f"{noun}.{verb}", f"The {words} was {verb}.", ("plandocket",), data)


def _product() -> Iterable[EventKind]:
    for name, (family, description, example) in PRODUCT.items():
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


_KINDS = (*_mokapen(), *_plandocket(), *_product())
_BY_NAME = _by_name(_KINDS)


def family_of(family: Family) -> list[EventKind]:
    """Return the types of an interface, in the order of its document."""
    return [_BY_NAME[kind.name] for kind in _KINDS if family in kind.families]


class EventCatalogue:
    """The types of events that an installation knows by itself: the product's, and those its providers declare.

    `kinds` are by name. What the product and its providers publish begins with one of the `beginnings`; nobody else
    publishes under them, and nobody may forbid it to them by a schema.
    """

    def __init__(self, declared: Iterable[EventKind] = ()) -> None:
        """Take what the providers declare."""
        theirs = tuple(declared)
        self.kinds: Mapping[str, EventKind] = _by_name((*_KINDS, *theirs))
        published = (*family_of("bpm"), *theirs)
        self.beginnings = tuple(sorted({f"{kind.name.partition('.')[0]}." for kind in published}))

    def is_own(self, name: str) -> bool:
        """Tell whether the product or a provider publishes events of this name, in whatever case it is written."""
        return name.lower().startswith(self.beginnings)


WITHOUT_PROVIDERS = EventCatalogue()
"""What is known where no provider is."""
