"""Send again what died, what a subscription never got, and what was kept while it was inactive."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Command, Context, Id, View, handles
from bpm.bus.paging import When
from bpm.events import delivery_tables, recovery_tables, subscription_tables, tables
from bpm.events.delivery_tables import CANCELLED
from bpm.events.health import Health
from bpm.events.publisher import Publisher
from bpm.events.recovery_tables import MissingEvent, RestingDelivery
from bpm.events.subscription_tables import Subscription, SubscriptionRow
from bpm.metering import MAX_STEPS, steps_left
from bpm.store import organizations
from commands.deliveries.access import active_subscription
from commands.deliveries.views import RecoveryView

BATCH = 200
MAX_PREVIEWED = 5_000


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
    """Whether to send what the subscription never got."""
    preview: bool = False
    after: Annotated[str, Field(max_length=100)] | None = None
    """Where a batch goes on."""

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """Only one subscription can be compared with the events."""
        if fields.get("missing") is True and fields.get("subscriptionId") is None:
            yield "subscriptionId: is required when missing is true"


@handles
def recover(
    command: RecoverFailedDeliveriesCommand, context: Context, publisher: Publisher, health: Health
) -> RecoveryView:
    """Count, or send a batch and arrange for the rest."""
    until = command.until or context.now()
    if command.subscription_id is not None:
        subscription = active_subscription(command.subscription_id, context)
        if command.missing:
            return _replay(command, subscription, until, context, publisher)
    return _revive(command, until, context, publisher, health)


class ResumedView(View):
    """How many deliveries that were kept go out now, and whether more follow by themselves."""

    resumed: int
    """How many go out now."""
    goes_on: bool
    """Whether more follow by themselves."""


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
    for delivery in waiting.rows:
        publisher.resume(context.tx, row, delivery, context.now(), context.envelope.depth)
    if waiting.is_last:
        subscription_tables.update_subscription(context.tx, row, {"is_resuming": False})
    else:
        context.later("ResumeDeliveriesCommand", {"subscriptionId": command.subscription_id}, depth=0)
    return ResumedView(resumed=len(waiting.rows), goes_on=not waiting.is_last)


def _revive(
    command: RecoverFailedDeliveriesCommand, until: datetime, context: Context, publisher: Publisher, health: Health
) -> RecoveryView:
    wanted = (context.tx, context.organization_id, command.subscription_id, command.since, until)
    if command.preview:
        return RecoveryView(preview=True, found=recovery_tables.count_dead(*wanted), goes_on=False)
    found = recovery_tables.dead(*wanted, limit=BATCH)
    subscriptions: dict[int, SubscriptionRow] = {}
    done = 0
    for delivery in found.rows:
        if not _has_room():
            break
        done += 1
        id_ = delivery.subscription_id
        if id_ not in subscriptions:
            health.forgive(context.tx, id_, context.now())
            subscription = subscription_tables.subscription_row(context.tx, id_)
            assert subscription is not None  # only deliveries of active ones are found
            subscriptions[id_] = subscription
        _go_again(delivery, subscriptions[id_], context, publisher)
    goes_on = not found.is_last or done < len(found.rows)
    if goes_on:
        _go_on(command, command.since, until, None, context)
    return RecoveryView(preview=False, found=done, goes_on=goes_on)


def _go_again(delivery: RestingDelivery, subscription: SubscriptionRow, context: Context, publisher: Publisher) -> None:
    """Send a dead delivery again; one that its filter failed on is cancelled if the filter, mended, is against it."""
    if delivery.attempts == 0 and not publisher.wants(context.tx, subscription, delivery.whole_event):
        ended = {"state": CANCELLED, "completed_at": context.now(), "last_error": "filter: does not want the event"}
        delivery_tables.revive(context.tx, delivery.id, delivery.turn, ended)
    else:
        publisher.resume(context.tx, subscription, delivery, context.now(), context.envelope.depth)


def _replay(
    command: RecoverFailedDeliveriesCommand,
    subscription: Subscription,
    until: datetime,
    context: Context,
    publisher: Publisher,
) -> RecoveryView:
    limit = MAX_PREVIEWED if command.preview else BATCH
    id_ = command.subscription_id or 0
    patterns = subscription_tables.patterns_of(subscription)
    found = recovery_tables.missing_events(
        context.tx, context.organization_id, id_, patterns, command.since, until, command.after, limit
    )
    wanted: list[MissingEvent] = []
    since, after, judged = command.since, command.after, 0
    for event in found.rows:
        if not _has_room():
            break
        judged, since, after = judged + 1, event.created_at, event.id
        if publisher.wants(context.tx, subscription, event.whole_event):
            wanted.append(event)
    goes_on = not found.is_last or judged < len(found.rows)
    if not command.preview:
        for event in wanted:
            tables.deepen(context.tx, event.id, context.envelope.depth)
            publisher.deliver(context.tx, subscription, event.whole_event, context.now())
        if goes_on:
            _go_on(command, since, until, after, context)
    return RecoveryView(preview=command.preview, found=len(wanted), goes_on=goes_on)


def _has_room() -> bool:
    """Whether another filter may take all its steps; else the rest waits for the next message, which has all of them.

    A filter that could not be judged for want of steps would let every event through.
    """
    return steps_left() >= MAX_STEPS


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
    context.later("RecoverFailedDeliveriesCommand", fields, depth=0)
