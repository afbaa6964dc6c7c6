"""What becomes of a delivery, written in one transaction: its state, the attempt, its receiver's health."""

from datetime import datetime, timedelta
from typing import Any

import structlog

from bpm.bus import Bus
from bpm.bus.own_events import publish_settled, publisher_of
from bpm.events import breaker, delivery_tables, subscription_tables
from bpm.events.attempt_result import RETRY_AFTER, AttemptResult
from bpm.events.catalogue import DISABLED_EVENT, FAILING_EVENT
from bpm.events.delivery_tables import CANCELLED, DEAD, DELIVERED, KIND, PAUSED, PENDING, DeliveryRow
from bpm.events.destination import Destination, scope_of
from bpm.events.health import Health
from bpm.events.schedule import read_retry_after, retry_policy
from bpm.events.tables import EventRow
from bpm.exact_json import read_json
from bpm.jobs import Job, JobQueue, Lane, Lanes
from bpm.metrics import Counter
from bpm.security.redaction import redacted_url
from bpm.store import Transaction

GONE = 410

DELIVERIES = ("system:events", "deliveries")
"""The id and the name of who tells what deliveries have come to."""

log = structlog.get_logger("bpm.events")


class DeliverySettlement:
    """Writes the outcomes of deliveries; each method is fenced by the turn of the row it is given."""

    def __init__(self, bus: Bus, jobs: JobQueue, lanes: Lanes, health: Health) -> None:
        """Take the bus, which tells of a disabled subscription, where jobs are asked for, and the receivers' health."""
        self._bus = bus
        self._jobs = jobs
        self._lanes = lanes
        self._health = health
        self.attempts = Counter(
            "bpm_delivery_attempts_total", "Attempts of deliveries, by what became of the delivery.", "outcome"
        )

    def put_off(self, tx: Transaction, row: DeliveryRow, until: datetime) -> None:
        """Look at a delivery again later; it keeps its place, and no attempt is counted."""
        delivery_tables.rest(tx, row, due_at=until)
        self._jobs.enqueue(tx, Job(KIND, row.id, row.turn + 1, until, row.organization_id))

    def await_receiver(self, tx: Transaction, row: DeliveryRow) -> None:
        """Put a delivery off until its receiver, which is left alone, may be asked again."""
        self.put_off(tx, row, self._health.look_again(tx, row.subscription_id, self._bus.now()))

    def queue(self, tx: Transaction, row: DeliveryRow, lane: Lane) -> None:
        """Let a delivery wait its turn in a lane."""
        now = self._bus.now()
        delivery_tables.take_turn(tx, row, lane=lane.name, due_at=now)
        self._lanes.enter(tx, lane, Job(KIND, row.id, row.turn + 1, now, row.organization_id))

    def release_paused(self, tx: Transaction, row: DeliveryRow, destination: Destination) -> None:
        """Let a delivery go that was put aside while its subscription was being switched on, in its lane."""
        if not row.is_active or row.is_resuming:
            return
        now = self._bus.now()
        data = read_json(row.event_data)
        event = EventRow(row.organization_id, row.event_id, row.event, row.published_at, data, row.ordering_key)
        lane = destination.lane_of(scope_of(event))  # of the audit log's as well, whose whole data was read
        changes = {"state": PENDING, "due_at": now, "lane": lane.name if lane is not None else None}
        turn = delivery_tables.revive(tx, row.id, row.turn, changes)
        job = Job(KIND, row.id, turn, now, row.organization_id)
        if lane is None:
            self._jobs.enqueue(tx, job)
        else:
            self._lanes.enter(tx, lane, job)

    def pause(self, tx: Transaction, row: DeliveryRow, destination: Destination) -> None:
        """Keep a delivery for the day its subscription is active again."""
        delivery_tables.rest(tx, row, state=PAUSED, due_at=None, lane=None)
        self._leave(tx, row, destination)

    def cancel(self, tx: Transaction, row: DeliveryRow, destination: Destination) -> None:
        """End a delivery whose subscription was deleted."""
        now = self._bus.now()
        delivery_tables.take_turn(tx, row, state=CANCELLED, due_at=None, lane=None, completed_at=now)
        self._leave(tx, row, destination)

    def settle(
        self,
        tx: Transaction,
        row: DeliveryRow,
        destination: Destination,
        result: AttemptResult,
        *,
        started_at: datetime,
        request_body: str | None = None,
        is_probe: bool = False,
    ) -> None:
        """Write what an attempt came to: delivered, tried again later, or dead."""
        self._record(tx, row, result, started_at, request_body)
        if result.ok:
            self._complete(tx, row, destination, result)
        else:
            self._retry_or_give_up(tx, row, destination, result, is_probe=is_probe)

    def _complete(self, tx: Transaction, row: DeliveryRow, destination: Destination, result: AttemptResult) -> None:
        now = self._bus.now()
        changes = {"state": DELIVERED, "due_at": None, "completed_at": now, "lane": None}
        delivery_tables.take_turn(tx, row, **changes, **_counted(row, result))
        self._leave(tx, row, destination)
        self._health.succeeded(tx, destination.id, row, now)
        tx.after_commit(lambda: self.attempts.add("delivered"))

    def _retry_or_give_up(
        self, tx: Transaction, row: DeliveryRow, destination: Destination, result: AttemptResult, *, is_probe: bool
    ) -> None:
        now = self._bus.now()
        retry_after = read_retry_after(result.headers.get(RETRY_AFTER), now)
        gone = result.status == GONE
        due = retry_policy(destination.retry_count).retry_at(
            row.tries + 1, now, is_final=gone or result.is_final, at_least=retry_after or timedelta()
        )
        keeps_lane = due is not None and destination.is_ordered(row.lane)
        changes = {"due_at": due, "lane": row.lane if keeps_lane else None}
        if due is None:
            changes |= {"state": DEAD, "completed_at": now}
        delivery_tables.take_turn(tx, row, **changes, **_counted(row, result))
        tx.after_commit(lambda: self.attempts.add("dead" if due is None else "failed"))
        if not keeps_lane:
            self._leave(tx, row, destination)
        if due is not None:
            self._jobs.enqueue(tx, Job(KIND, row.id, row.turn + 1, due, row.organization_id))
        asked = breaker.asked_until(result.status, retry_after, now)
        failing = self._health.failed(tx, destination.id, now, made=result.made, is_probe=is_probe, asked=asked)
        if gone:
            self._disable(tx, destination, "the receiver answered 410 Gone", now)
        elif breaker.is_hopeless(failing.since, now):
            self._disable(tx, destination, f"nothing but failures since {failing.since:%Y-%m-%d %H:%M} UTC", now)
        elif failing.is_to_be_told:
            self._tell(tx, destination, FAILING_EVENT, f"nothing but failures since {failing.since:%Y-%m-%d %H:%M} UTC")

    def _disable(self, tx: Transaction, destination: Destination, reason: str, now: datetime) -> None:
        """Switch the subscription off and tell: the log, the list, and whoever subscribed to that."""
        if not subscription_tables.disable(tx, destination.id, reason, now):
            return
        tx.after_commit(lambda: log.warning("subscription disabled", subscription=destination.id, reason=reason))
        self._tell(tx, destination, DISABLED_EVENT, reason)

    def _tell(self, tx: Transaction, destination: Destination, event: str, reason: str) -> None:
        """Publish what has become of a subscription."""
        data = {
            "subscriptionId": destination.id,
            "name": destination.name,
            "url": redacted_url(destination.url),
            "reason": reason,
        }
        publisher = publisher_of(*DELIVERIES, destination.organization_id)
        publish_settled(self._bus, tx, publisher, event, data)

    def _record(
        self, tx: Transaction, row: DeliveryRow, result: AttemptResult, started_at: datetime, request_body: str | None
    ) -> None:
        attempt = {
            "organization_id": row.organization_id,
            "delivery_id": row.id,
            "subscription_id": row.subscription_id,
            "number": row.attempts + 1,
            "ok": result.ok,
            "status": result.status,
            "error": result.error,
            "duration_ms": result.milliseconds,
            "request_body": request_body,
            "response_headers": result.headers or None,
            "response_body": result.body,
            "created_at": started_at,
        }
        delivery_tables.append_attempt(tx, attempt)

    def _leave(self, tx: Transaction, row: DeliveryRow, destination: Destination) -> None:
        if row.lane is not None:
            lane = destination.lane_named(row.lane)
            due = row.due_at or self._bus.now()
            self._lanes.leave(tx, lane, Job(KIND, row.id, row.turn, due, row.organization_id))


def _counted(row: DeliveryRow, result: AttemptResult) -> dict[str, Any]:
    return {
        "tries": row.tries + 1,
        "attempts": row.attempts + 1,
        "last_status": result.status,
        "last_error": result.error,
        "duration_ms": result.milliseconds,
    }
