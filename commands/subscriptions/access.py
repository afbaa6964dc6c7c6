"""How the commands about a subscription find it, and how they show it."""

from bpm.bus import Context
from bpm.errors import NotFound
from bpm.events import health_tables, subscription_tables
from bpm.events.subscription_tables import Subscription
from commands.subscriptions.views import SubscriptionView, to_view

MISSING = "No subscription found with the specified ID"


def get_or_404(id_: int, context: Context, dialect: str | None = None) -> Subscription:
    """Return a subscription of the organisation's, if one is given only of that dialect; raises `NotFound`."""
    row = subscription_tables.subscription(context.tx, context.organization_id, id_)
    if row is None or dialect not in (None, row.dialect):
        raise NotFound(MISSING)
    return row


def current_view(row: Subscription, context: Context) -> SubscriptionView:
    """Show a subscription as it is now, with the health of its receiver."""
    health = health_tables.health(context.tx, context.organization_id, row.id or 0)
    return to_view(row, health, context)
