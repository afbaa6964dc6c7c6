"""Send an event to one subscription alone, to see whether its receiver is there."""

from typing import Any, cast

from bpm.bus import Command, Context, Id, View, handles
from bpm.errors import Conflict
from bpm.events import tables
from bpm.events.catalogue import TEST_EVENT, EventCatalogue
from bpm.events.health import Health
from bpm.events.names import EventName
from bpm.events.publisher import Publisher
from bpm.events.tables import EventRow
from bpm.security.identifiers import new_id
from commands.subscriptions.access import get_or_404


class TestEventView(View):
    """The delivery of a test event; GetDeliveryByIdQuery tells what became of it."""

    delivery_id: str
    event_id: str
    event: str
    """The name of the event that was sent."""


class SendTestEventCommand(Command[TestEventView]):
    """Send an event to one subscription alone: `subscription.test`, or an example of another type."""

    permission = "subscriptions:write"
    succeeded = "Test event sent"
    failed = "The test event could not be sent"

    id: Id
    event: EventName | None = None
    """The type of the event; `subscription.test`, if left out."""


@handles
def send_test(
    command: SendTestEventCommand, context: Context, publisher: Publisher, health: Health, catalogue: EventCatalogue
) -> TestEventView:
    """Store the event without looking for other subscribers, and ask for its delivery."""
    row = get_or_404(command.id, context)
    if not row.is_active:
        raise Conflict("The subscription is inactive; activate it first")
    name, now = command.event or TEST_EVENT, context.now()
    data = _example(name, context, catalogue) if command.event else {"subscriptionId": row.id, "name": row.name}
    event = EventRow(context.organization_id, new_id(), name, now, data)
    cause = {"correlation_id": context.envelope.root, "depth": context.envelope.depth}
    stored = {**event._asdict(), "idempotency_key": None, **cause}
    tables.append_event(context.tx, stored)
    health.forgive(context.tx, command.id, now)
    delivery_id = publisher.deliver(context.tx, row, event, now, is_test=True)
    return TestEventView(delivery_id=delivery_id or "", event_id=event.id, event=name)


def _example(name: str, context: Context, catalogue: EventCatalogue) -> dict[str, Any]:
    """Return the registered example of a type, or the built-in one; the product's own events have none but that."""
    own = tables.event_type(context.tx, context.organization_id, name)
    example: Any = own.example if own is not None and not catalogue.is_own(name) else None
    if isinstance(example, dict):
        return cast("dict[str, Any]", example)
    return dict(catalogue.kinds[name].example) if name in catalogue.kinds else {}
