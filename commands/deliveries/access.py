"""How the commands about a delivery find it, and its subscription."""

from typing import Annotated

from pydantic import Field

from bpm.bus import Context
from bpm.errors import Conflict, NotFound
from bpm.events import delivery_tables, subscription_tables
from bpm.events.delivery_tables import Delivery
from bpm.events.subscription_tables import Subscription

DeliveryId = Annotated[str, Field(min_length=1, max_length=100)]


def get_or_404(id_: str, context: Context) -> Delivery:
    """Return a delivery of the organisation's; raises `NotFound`."""
    row = delivery_tables.delivery(context.tx, context.organization_id, id_)
    if row is None:
        raise NotFound("No delivery found with the specified ID")
    return row


def active_subscription(id_: int, context: Context) -> Subscription:
    """Return a subscription that deliveries can go to; raises `NotFound` and `Conflict`."""
    row = subscription_tables.subscription(context.tx, context.organization_id, id_)
    if row is None:
        raise NotFound("No subscription found with the specified ID")
    if not row.is_active:
        raise Conflict("The subscription is inactive; activate it first, and what was kept is delivered")
    return row
