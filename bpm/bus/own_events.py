"""Events that the product itself publishes, in the transaction of what happened.

They are consequences, not wishes of a sender, who therefore needs no permission to publish: the publisher is a part
of the product with `PUBLISH_OWN`, or the sender to whom that is lent.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import structlog

from bpm.bus.envelope import Envelope
from bpm.bus.registry import Registry
from bpm.errors import BpmError
from bpm.security.permissions import PUBLISH_OWN, Principal
from bpm.store import Transaction

PUBLISH = "PublishEventCommand"

log = structlog.get_logger("bpm.bus")


class Performer(Protocol):
    """The part of the bus that runs a message inside an open transaction."""

    registry: Registry

    def perform(self, tx: Transaction, envelope: Envelope) -> Any:
        """Run it, undone alone if it raises."""
        ...


def publisher_of(id_: str, name: str, organization_id: int) -> Principal:
    """Return a part of the product as it publishes for an organisation."""
    return Principal("system", id_, name, organization_id, PUBLISH_OWN)


def publish_caused(
    bus: Performer,
    tx: Transaction,
    cause: Envelope,
    publisher: Principal,
    event: str,
    data: Mapping[str, Any],
    depth: int = 1,
) -> None:
    """Publish what a message caused, `depth` further than it; raises what keeps the event from being published."""
    message = bus.registry.decode(PUBLISH, {"event": event, "data": data})
    bus.perform(tx, cause.caused(message, depth=cause.depth + depth, principal=publisher))


def publish_settled(
    bus: Performer,
    tx: Transaction,
    publisher: Principal,
    event: str,
    data: Mapping[str, Any],
    correlation_id: str = "",
    depth: int = 0,
) -> None:
    """Publish what became of stored work, which no message caused; `depth` is how many had led to the work.

    What keeps the event from being published is logged, and does not keep the work from being settled.
    """
    try:
        message = bus.registry.decode(PUBLISH, {"event": event, "data": data})
        envelope = Envelope(
            message, publisher, correlation_id=correlation_id, causation_id=correlation_id or None, depth=depth
        )
        bus.perform(tx, envelope)
    except BpmError as error:
        ids = {"correlation_id": correlation_id} if correlation_id else {}
        log.warning("an event was not published", event_name=event, publisher=publisher.name, error=str(error), **ids)
