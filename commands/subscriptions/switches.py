"""Switch subscriptions on and off; nothing that happens meanwhile is lost."""

from bpm.bus import Command, Context, Id, handles
from bpm.errors import Conflict
from bpm.events import subscription_tables
from bpm.events.health import Health
from commands.subscriptions.access import current_view, get_or_404
from commands.subscriptions.views import SubscriptionView


class ActivateSubscriptionCommand(Command[SubscriptionView]):
    """Switch a subscription on; what was kept for it meanwhile is delivered, the oldest first."""

    permission = "subscriptions:write"
    succeeded = "Subscription activated successfully"
    failed = "Activation failed"

    id: Id


@handles
def activate(command: ActivateSubscriptionCommand, context: Context, health: Health) -> SubscriptionView:
    """Switch it on, close its breaker, and begin with what was kept."""
    row = get_or_404(command.id, context)
    if row.is_active:
        raise Conflict("Subscription is already active")
    values = {"is_active": True, "is_resuming": True, "disabled_reason": None, "updated_at": context.now()}
    subscription_tables.update_subscription(context.tx, row, values)
    health.forgive(context.tx, command.id, context.now())
    context.call("ResumeDeliveriesCommand", {"subscriptionId": command.id})
    return current_view(row, context)


class DeactivateSubscriptionCommand(Command[SubscriptionView]):
    """Switch a subscription off; its events are kept for the day it is switched on again."""

    permission = "subscriptions:write"
    succeeded = "Subscription deactivated successfully"
    failed = "Deactivation failed"

    id: Id


@handles
def deactivate(command: DeactivateSubscriptionCommand, context: Context, health: Health) -> SubscriptionView:
    """Switch it off; what waits is put aside when it is looked at."""
    row = get_or_404(command.id, context)
    if not row.is_active:
        raise Conflict("Subscription is already inactive")
    values = {"is_active": False, "is_resuming": False, "updated_at": context.now()}
    subscription_tables.update_subscription(context.tx, row, values)
    health.look_at_all(context.tx, command.id, context.now())
    return current_view(row, context)
