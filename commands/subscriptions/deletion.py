"""Delete subscriptions."""

from bpm.bus import Command, Context, Id, Moment, View, handles
from bpm.events import recovery_tables, subscription_tables
from bpm.events.health import Health
from bpm.security.redaction import redacted_url
from commands.subscriptions.access import get_or_404
from commands.subscriptions.fields import Dialect


class DeletedSubscriptionView(View):
    """What was deleted, and when."""

    id: int
    name: str
    url: str
    """Where deliveries went."""
    deleted_at: Moment


class DeleteSubscriptionCommand(Command[DeletedSubscriptionView]):
    """Delete a subscription; deliveries that wait are cancelled, its log stays.

    With `dialect`, only one that was made through that interface is found.
    """

    permission = "subscriptions:write"
    succeeded = "Subscription deleted successfully"
    failed = "Deletion failed"

    id: Id
    dialect: Dialect | None = None


@handles
def delete(command: DeleteSubscriptionCommand, context: Context, health: Health) -> DeletedSubscriptionView:
    """Let no event find it any more; what waits is cancelled when it is looked at."""
    row = get_or_404(command.id, context, command.dialect)
    now = context.now()
    subscription_tables.delete_subscription(context.tx, command.id, now)
    recovery_tables.cancel_paused(context.tx, command.id, now)
    health.look_at_all(context.tx, command.id, now)
    return DeletedSubscriptionView(id=command.id, name=row.name, url=redacted_url(row.url), deleted_at=now)
