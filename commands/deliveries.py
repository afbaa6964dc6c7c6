"""Deliveries: what was sent to whom, what was answered, and how to send it again."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from bpm.bus import Command, Context, Id, Page, PagedQuery, Query, View, handles
from bpm.bus.paging import When
from bpm.errors import Conflict, NotFound
from bpm.events import delivery_tables, recovery_tables, subscription_tables, tables
from bpm.events.delivery_tables import CANCELLED, KIND, PAUSED, PENDING, Delivery, DeliveryAttempt
from bpm.events.destination import Destinations
from bpm.events.publisher import Publisher
from bpm.events.subscription_tables import Subscription
from bpm.jobs import Job, JobQueue, Lanes
from bpm.store import organizations
from commands.delivery_views import (
    AttemptView,
    DeliveryDetailView,
    DeliveryView,
    RecoveryView,
    shown,
    shown_attempt,
    shown_whole,
)

State = Literal["pending", "paused", "delivered", "dead", "cancelled"]
DeliveryId = Annotated[str, Field(min_length=1, max_length=100)]
BATCH = 200
MAX_PREVIEWED = 5_000


class GetDeliveryListQuery(PagedQuery[Page[DeliveryView]]):
    """List deliveries, the newest first; `event` is a name or `order.*`."""

    permission = "deliveries:read"
    succeeded = "Deliveries retrieved successfully"

    subscription_id: Id | None = None
    event_id: DeliveryId | None = None
    event: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    state: State | None = None


@handles
def list_deliveries(query: GetDeliveryListQuery, context: Context) -> Page[DeliveryView]:
    """Return one page."""
    statement = delivery_tables.select_deliveries(
        subscription_id=query.subscription_id, event_id=query.event_id, event=query.event, state=query.state
    )
    columns = {"createdAt": "created_at", "completedAt": "completed_at", "nextAttemptAt": "due_at", "event": "event"}
    return query.page(context, statement, Delivery, shown, search=("event", "last_error"), sortable=columns)


class GetDeliveryByIdQuery(Query[DeliveryDetailView]):
    """Return one delivery with its event's data and every attempt: timing, request, answer."""

    permission = "deliveries:read"
    succeeded = "Delivery retrieved successfully"
    failed = "Delivery not found"

    id: DeliveryId


@handles
def get(query: GetDeliveryByIdQuery, context: Context) -> DeliveryDetailView:
    """Look it up."""
    row = _existing(query.id, context)
    event = tables.event(context.tx, context.organization_id, row.event_id)
    attempts = delivery_tables.attempts_of(context.tx, context.organization_id, row.id)
    if event is None:
        raise NotFound("The event of this delivery was deleted")
    return shown_whole(row, event, list(attempts))


class GetDeliveryAttemptListQuery(PagedQuery[Page[AttemptView]]):
    """List the requests made, the newest first: the log of one subscription, or of all."""

    permission = "deliveries:read"
    succeeded = "Delivery attempts retrieved successfully"

    subscription_id: Id | None = None
    ok: bool | None = None


@handles
def list_attempts(query: GetDeliveryAttemptListQuery, context: Context) -> Page[AttemptView]:
    """Return one page."""
    statement = delivery_tables.select_attempts(query.subscription_id, ok=query.ok)
    columns = {"createdAt": "created_at", "id": "id", "durationMs": "duration_ms", "status": "status"}
    page = query.page(context, statement, DeliveryAttempt, lambda row: row, search=("error",), sortable=columns)
    wanted = [row.delivery_id for row in page.items]
    events = delivery_tables.events_of(context.tx, context.organization_id, wanted)
    items = [shown_attempt(row, events.get(row.delivery_id)) for row in page.items]
    return Page[AttemptView].of(items, page.total_count, page.page_number, page.page_size)


class RetryDeliveryCommand(Command[DeliveryView]):
    """Send a delivery again, at once, with a new round of attempts; one that waits is hurried."""

    permission = "deliveries:write"
    succeeded = "Delivery is tried again"
    failed = "Retry failed"

    id: DeliveryId


@handles
def retry(
    command: RetryDeliveryCommand,
    context: Context,
    publisher: Publisher,
    lanes: Lanes,
    jobs: JobQueue,
    destinations: Destinations,
) -> DeliveryView:
    """Take it out of whatever it waits for and let it go."""
    row = _existing(command.id, context)
    subscription = _active_subscription(row.subscription_id, context)
    if row.state == PENDING:
        _withdraw(row, context, lanes, jobs, destinations, subscription)
    subscription_tables.forgive(context.tx, row.subscription_id)
    whole = recovery_tables.resting(context.tx, command.id)
    publisher.resume(context.tx, subscription, whole, context.now())
    return shown(_reread(row, context))


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
    row = _existing(command.id, context)
    if row.state not in (PENDING, PAUSED):
        raise Conflict(f"Delivery is {row.state} already")
    subscription = subscription_tables.subscription_row(context.tx, row.subscription_id)
    if row.state == PENDING:
        _withdraw(row, context, lanes, jobs, destinations, subscription)
    changes = {"state": CANCELLED, "due_at": None, "lane": None, "completed_at": context.now()}
    delivery_tables.change_delivery(context.tx, row, **changes)
    return shown(row)


class RecoverFailedDeliveriesCommand(Command[RecoveryView]):
    """Send again what died since a time, of one subscription or of all that are active.

    With `missing`, instead, what one subscription never got: the events since then that it wants by now and has no
    delivery of, because it was created or mended after them. `preview` only counts. What is more than a batch
    follows by itself; `after` is where it goes on.
    """

    permission = "deliveries:write"
    succeeded = "Deliveries are recovered"
    failed = "Recovery failed"

    since: When
    until: When | None = None
    subscription_id: Id | None = None
    missing: bool = False
    preview: bool = False
    after: Annotated[str, Field(max_length=100)] | None = None

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """Only one subscription can be compared with the events."""
        if fields.get("missing") is True and fields.get("subscriptionId") is None:
            yield "subscriptionId: is required when missing is true"


@handles
def recover(command: RecoverFailedDeliveriesCommand, context: Context, publisher: Publisher) -> RecoveryView:
    """Count, or send a batch and arrange for the rest."""
    until = command.until or context.now()
    if command.subscription_id is not None:
        subscription = _active_subscription(command.subscription_id, context)
        if command.missing:
            return _replay(command, subscription, until, context, publisher)
    return _revive(command, until, context, publisher)


class ResumedView(View):
    """How many deliveries that were kept go out now, and whether more follow by themselves."""

    resumed: int
    goes_on: bool


class ResumeDeliveriesCommand(Command[ResumedView]):
    """Let the next of the deliveries go that were kept while a subscription was inactive; its activation does so."""

    permission = "subscriptions:write"
    succeeded = "Deliveries resumed"

    subscription_id: Id


@handles
def resume(command: ResumeDeliveriesCommand, context: Context, publisher: Publisher) -> ResumedView:
    """Resume a batch in order; new events queue up behind until the last one."""
    row = subscription_tables.subscription(context.tx, context.organization_id, command.subscription_id)
    if row is None or not row.is_resuming or not organizations.is_active(context.tx, context.organization_id):
        return ResumedView(resumed=0, goes_on=False)
    waiting = recovery_tables.paused(context.tx, command.subscription_id, BATCH)
    for delivery in waiting:
        publisher.resume(context.tx, row, delivery, context.now())
    if len(waiting) < BATCH:
        subscription_tables.update_subscription(context.tx, row, {"is_resuming": False})
        return ResumedView(resumed=len(waiting), goes_on=False)
    context.later("ResumeDeliveriesCommand", {"subscriptionId": command.subscription_id})
    return ResumedView(resumed=len(waiting), goes_on=True)


def _revive(
    command: RecoverFailedDeliveriesCommand, until: datetime, context: Context, publisher: Publisher
) -> RecoveryView:
    wanted = (context.tx, context.organization_id, command.subscription_id, command.since, until)
    if command.preview:
        return RecoveryView(preview=True, found=recovery_tables.count_dead(*wanted), goes_on=False)
    found = recovery_tables.dead(*wanted, limit=BATCH)
    subscriptions: dict[int, Any] = {}
    for delivery in found:
        id_ = delivery.subscription_id
        if id_ not in subscriptions:
            subscription_tables.forgive(context.tx, id_)
            subscriptions[id_] = subscription_tables.subscription_row(context.tx, id_)
        publisher.resume(context.tx, subscriptions[id_], delivery, context.now())
    if len(found) == BATCH:
        _go_on(command, command.since, until, None, context)
    return RecoveryView(preview=False, found=len(found), goes_on=len(found) == BATCH)


def _replay(
    command: RecoverFailedDeliveriesCommand,
    subscription: Subscription,
    until: datetime,
    context: Context,
    publisher: Publisher,
) -> RecoveryView:
    limit = MAX_PREVIEWED if command.preview else BATCH
    id_ = command.subscription_id or 0
    events = recovery_tables.missing_events(
        context.tx, context.organization_id, id_, subscription.events, command.since, until, command.after, limit
    )
    wanted = [event for event in events if publisher.wants(context.tx, subscription, event._mapping)]
    goes_on = len(events) == limit
    if not command.preview:
        for event in wanted:
            publisher.deliver(context.tx, subscription, event._mapping, context.now())
        if goes_on:
            _go_on(command, events[-1].created_at, until, events[-1].id, context)
    return RecoveryView(preview=command.preview, found=len(wanted), goes_on=goes_on)


def _go_on(
    command: RecoverFailedDeliveriesCommand, since: datetime, until: datetime, after: str | None, context: Context
) -> None:
    fields = {
        "since": since.isoformat(),
        "until": until.isoformat(),
        "subscriptionId": command.subscription_id,
        "missing": command.missing,
        "after": after,
    }
    context.later("RecoverFailedDeliveriesCommand", fields)


def _withdraw(
    row: Delivery, context: Context, lanes: Lanes, jobs: JobQueue, destinations: Destinations, subscription: Any
) -> None:
    """Take a pending delivery out of its lane and its time."""
    job = Job(KIND, row.id, row.turn, row.due_at or context.now())
    jobs.cancel(context.tx, job)
    if row.lane is not None:
        destination = destinations.of(context.tx, subscription.id, subscription.version)
        lanes.leave(context.tx, destination.lane_named(row.lane), job)


def _existing(id_: str, context: Context) -> Delivery:
    row = delivery_tables.delivery(context.tx, context.organization_id, id_)
    if row is None:
        raise NotFound("No delivery found with the specified ID")
    return row


def _reread(row: Delivery, context: Context) -> Delivery:
    context.session.refresh(row)
    return row


def _active_subscription(id_: int, context: Context) -> Subscription:
    row = subscription_tables.subscription(context.tx, context.organization_id, id_)
    if row is None:
        raise NotFound("No subscription found with the specified ID")
    if not row.is_active:
        raise Conflict("The subscription is inactive; activate it first, and what was kept is delivered")
    return row
