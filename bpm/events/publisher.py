"""From an event to the deliveries it causes, in the transaction that publishes it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from bpm import schemas
from bpm.events import delivery_tables, subscription_tables, tables
from bpm.events.audit_events import whole_event
from bpm.events.delivery_tables import KIND, PAUSED, PENDING
from bpm.events.destination import Destination, Destinations, scope_of
from bpm.events.recovery_tables import RestingDelivery
from bpm.events.subscription_tables import Subscriber
from bpm.events.tables import EventRow
from bpm.expressions import EvaluationError
from bpm.jobs import Job, JobQueue, Lanes
from bpm.metering import MAX_STEPS
from bpm.security.identifiers import new_id
from bpm.settings import MIB
from bpm.store import Transaction

MAX_FILTER_STEPS = 400_000
"""Steps of all filters of one event together."""
LEAST_FILTER_STEPS = 300


class SubscriptionState(Protocol):
    """The part of a subscription's row that says whether deliveries go out at once."""

    @property
    def id(self) -> Any:
        """The subscription's number."""
        ...

    @property
    def version(self) -> int:
        """Which version of its destination counts."""
        ...

    @property
    def is_active(self) -> bool:
        """Whether it is switched on."""
        ...

    @property
    def is_resuming(self) -> bool:
        """Whether what was kept for it is still being taken up."""
        ...


class Listener(Protocol):
    """Another consumer of events beside the subscriptions, such as processes that start on one."""

    def hears(self, tx: Transaction, organization_id: int, name: str) -> bool:
        """Whether an event of this name is to be passed on."""
        ...


class Publisher:
    """Finds the subscriptions that want an event and asks for its deliveries."""

    def __init__(
        self,
        jobs: JobQueue,
        lanes: Lanes,
        destinations: Destinations,
        listeners: Sequence[Listener] = (),
        most_bytes: int = MIB,
    ) -> None:
        """Take where jobs are asked for, where destinations are found, and who else listens.

        `most_bytes` bounds what an event of the audit log says of a command's fields.
        """
        self._most_bytes = most_bytes
        self._listeners = listeners
        self._jobs = jobs
        self._lanes = lanes
        self._destinations = destinations

    def problems(self, tx: Transaction, organization_id: int, name: str, data: Mapping[str, Any]) -> list[str]:
        """Return what the registered schema of a type has against an event's data."""
        schema = tx.remembered(("schema", organization_id, name), lambda: tables.schema_of(tx, organization_id, name))
        return schemas.problems(schema, data) if schema is not None else []

    def is_heard(self, tx: Transaction, organization_id: int, name: str) -> bool:
        """Whether an event concerns somebody beside the subscriptions."""
        return tx.remembered(
            ("listeners", organization_id, name),
            lambda: any(listener.hears(tx, organization_id, name) for listener in self._listeners),
        )

    def fan_out(self, tx: Transaction, event: EventRow, now: datetime) -> bool:
        """Make a delivery for each subscription that wants the event; tells whether any does."""
        scope = scope_of(event)
        jobs: list[Job] = []
        is_wanted = False
        subscribers = self._subscribers(tx, event.organization_id, event.name)
        steps = _share(len(subscribers))
        for subscription in subscribers:
            destination = self._destinations.of(tx, subscription.id, subscription.version)
            row = self._delivery(destination, subscription, event, scope, now, steps)
            if row is not None:
                is_wanted = True
                delivery_tables.append_delivery(tx, row)
                jobs.extend(self._start(tx, destination, row, now))
        if jobs:
            self._jobs.enqueue(tx, *jobs)
        return is_wanted

    def _subscribers(self, tx: Transaction, organization_id: int, name: str) -> Sequence[Subscriber]:
        key = ("subscriptions", organization_id, name)
        return tx.remembered(key, lambda: subscription_tables.subscribed_to(tx, organization_id, name))

    def wants(self, tx: Transaction, subscription: SubscriptionState, event: EventRow) -> bool:
        """Whether a subscription's filter lets an event through; one that can't be judged is let through."""
        try:
            return self._destinations.of(tx, subscription.id, subscription.version).wants(self._scope(tx, event))
        except EvaluationError:
            return True

    def deliver(
        self,
        tx: Transaction,
        subscription: SubscriptionState,
        event: EventRow,
        now: datetime,
        *,
        is_test: bool = False,
    ) -> str | None:
        """Make the delivery of a stored event to one subscription; None when it has one already."""
        destination = self._destinations.of(tx, subscription.id, subscription.version)
        row = self._row(destination, subscription, event, self._scope(tx, event), now)
        row["is_test"] = is_test
        if not delivery_tables.insert_delivery_once(tx, row):
            return None
        self._jobs.enqueue(tx, *self._start(tx, destination, row, now))
        return row["id"]

    def resume(
        self, tx: Transaction, subscription: SubscriptionState, row: RestingDelivery, now: datetime, depth: int
    ) -> None:
        """Let a delivery that rested go for a new round, at the end of its lane; `depth` is the wish's."""
        tables.deepen(tx, row.event_id, depth)
        destination = self._destinations.of(tx, subscription.id, subscription.version)
        lane = _lane_name(destination, self._scope(tx, row.whole_event))
        fresh = {"state": PENDING, "due_at": now, "completed_at": None, "tries": 0, "lane": lane}
        turn = delivery_tables.revive(tx, row.id, row.turn, fresh)
        going = {"id": row.id, "state": PENDING, "lane": lane, "turn": turn}
        self._jobs.enqueue(tx, *self._start(tx, destination, going, now))

    def _scope(self, tx: Transaction, event: EventRow) -> dict[str, Any]:
        """Return what a subscription's expressions see of a stored event."""
        return scope_of(whole_event(tx, event, self._most_bytes))

    def _delivery(
        self,
        destination: Destination,
        subscription: SubscriptionState,
        event: EventRow,
        scope: dict[str, Any],
        now: datetime,
        steps: int,
    ) -> dict[str, Any] | None:
        """Return a delivery's row, None when the filter is against it; a filter that fails shows in a dead one."""
        try:
            if not destination.wants(scope, steps):
                return None
        except EvaluationError as error:
            dead = {"state": delivery_tables.DEAD, "last_error": f"filter: {error}", "completed_at": now}
            return {**self._row(destination, subscription, event, scope, now), **dead, "due_at": None, "lane": None}
        return self._row(destination, subscription, event, scope, now)

    def _row(
        self,
        destination: Destination,
        subscription: SubscriptionState,
        event: EventRow,
        scope: dict[str, Any],
        now: datetime,
    ) -> dict[str, Any]:
        goes = subscription.is_active and not subscription.is_resuming
        return {
            "organization_id": event.organization_id,
            "id": new_id(),
            "subscription_id": destination.id,
            "event_id": event.id,
            "event": event.name,
            "state": PENDING if goes else PAUSED,
            "turn": 0,
            "lane": _lane_name(destination, scope) if goes else None,
            "due_at": now if goes else None,
            "last_error": None,
            "completed_at": None,
            "created_at": now,
        }

    def _start(self, tx: Transaction, destination: Destination, row: Mapping[str, Any], now: datetime) -> Iterable[Job]:
        """Let a pending delivery take its place in its lane; return the job of one that needs none."""
        if row["state"] != PENDING:
            return ()
        job = Job(KIND, row["id"], row["turn"], now, destination.organization_id)
        if row["lane"] is None:
            return (job,)
        self._lanes.enter(tx, destination.lane_named(row["lane"]), job)
        return ()


def _share(subscriptions: int) -> int:
    """Return how many steps each filter may take, so that none uses up what another needs."""
    return min(MAX_STEPS, max(LEAST_FILTER_STEPS, MAX_FILTER_STEPS // max(subscriptions, 1)))


def _lane_name(destination: Destination, scope: Mapping[str, Any]) -> str | None:
    lane = destination.lane_of(scope)
    return lane.name if lane is not None else None
