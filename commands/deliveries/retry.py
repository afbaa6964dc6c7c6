"""Send one delivery again, or give it up."""

from bpm.bus import Command, Context, handles
from bpm.errors import Conflict
from bpm.events import delivery_tables, recovery_tables, subscription_tables, tables
from bpm.events.delivery_tables import CANCELLED, KIND, PAUSED, PENDING, Delivery
from bpm.events.destination import Destinations
from bpm.events.health import Health
from bpm.events.publisher import Publisher
from bpm.jobs import Job, JobQueue, Lanes
from commands.deliveries.access import DeliveryId, active_subscription, get_or_404
from commands.deliveries.views import DeliveryView, to_view


class RetryDeliveryCommand(Command[DeliveryView]):
    """Send a delivery again, at once, with a new round of attempts.

    One that waits is brought forward, and keeps its place.

    The subscription's filter is not applied again.
    """

    permission = "deliveries:write"
    succeeded = "Delivery is tried again"
    failed = "Retry failed"

    id: DeliveryId


@handles
def retry(
    command: RetryDeliveryCommand, context: Context, publisher: Publisher, jobs: JobQueue, health: Health
) -> DeliveryView:
    """Let it go, in its place if it has one in a lane; what is due already goes by itself."""
    row = get_or_404(command.id, context)
    subscription = active_subscription(row.subscription_id, context)
    now = context.now()
    health.forgive(context.tx, row.subscription_id, now)
    whole = recovery_tables.resting(context.tx, command.id)
    assert whole is not None  # a delivery goes before its event does
    if whole.state != PENDING:
        publisher.resume(context.tx, subscription, whole, now, context.envelope.depth)
    elif whole.due_at is not None and whole.due_at > now:
        tables.deepen(context.tx, whole.event_id, context.envelope.depth)
        jobs.cancel(context.tx, Job(KIND, whole.id, whole.turn, whole.due_at, context.organization_id))
        turn = delivery_tables.revive(context.tx, whole.id, whole.turn, {"due_at": now, "tries": 0})
        jobs.enqueue(context.tx, Job(KIND, whole.id, turn, now, context.organization_id))
    context.session.refresh(row)
    return to_view(row)


class CancelDeliveryCommand(Command[DeliveryView]):
    """Give up a delivery that waits; it can be retried later."""

    permission = "deliveries:write"
    succeeded = "Delivery cancelled successfully"
    failed = "Cancellation failed"

    id: DeliveryId


@handles
def cancel(
    command: CancelDeliveryCommand, context: Context, lanes: Lanes, jobs: JobQueue, destinations: Destinations
) -> DeliveryView:
    """End it, and let the next one in its lane go."""
    row = get_or_404(command.id, context)
    if row.state not in (PENDING, PAUSED):
        raise Conflict(f"Delivery is {row.state} already")
    if row.state == PENDING:
        _withdraw(row, context, lanes, jobs, destinations)
    changes = {"state": CANCELLED, "due_at": None, "lane": None, "completed_at": context.now()}
    delivery_tables.change_delivery(context.tx, row, **changes)
    return to_view(row)


def _withdraw(row: Delivery, context: Context, lanes: Lanes, jobs: JobQueue, destinations: Destinations) -> None:
    """Take a pending delivery out of its lane and its time."""
    job = Job(KIND, row.id, row.turn, row.due_at or context.now(), row.organization_id)
    jobs.cancel(context.tx, job)
    if row.lane is not None:
        subscription = subscription_tables.subscription_row(context.tx, row.subscription_id)
        assert subscription is not None  # it is kept for its log
        destination = destinations.of(context.tx, subscription.id, subscription.version)
        lanes.leave(context.tx, destination.lane_named(row.lane), job)
