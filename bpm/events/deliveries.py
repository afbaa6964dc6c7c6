"""The job kind of deliveries: looks at one whose turn has come, and makes its attempt."""

import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bpm.bus import Bus
from bpm.errors import Fenced, Forbidden, NoTurn, Poisoned, SwitchedOff
from bpm.events import breaker, delivery_tables, health_tables
from bpm.events.attempt_result import AttemptResult, unmade, without_secrets
from bpm.events.audit_events import NO_LINE, READ_AUDIT, is_audit_event, whole_data
from bpm.events.credential_redaction import redact_echoed_credentials
from bpm.events.delivery_request import EventNotice, make_request
from bpm.events.delivery_tables import KIND, PAUSED, PENDING, DeliveryRow
from bpm.events.destination import Destination, Destinations
from bpm.events.destination_slots import DestinationLimiters
from bpm.events.settlement import DeliverySettlement
from bpm.events.spans import DeliverySpans
from bpm.events.transform import TransformError, apply_transform
from bpm.exact_json import read_json
from bpm.jobs import Job
from bpm.security.net_targets import Targets
from bpm.security.permissions import WRITE_CODE, acting
from bpm.security.redaction import redacted_text, without_secrets_of
from bpm.store import Transaction
from scripts import Sandbox

if TYPE_CHECKING:
    from bpm.events.attempt import AttemptClient

CROWDED_SECONDS = (1.0, 3.0)
"""When a delivery that has its turn in a lane but finds no place at the destination is looked at again."""

CLAIMED_SECONDS = 1.0
"""When a delivery looks again that was not the first to probe."""

REQUEST_KEPT = 4 * 1024

GONE_LINE = "retention has deleted the line of the audit log that the event tells"


class Deliveries:
    """See `bpm.jobs.JobKind`."""

    name = KIND

    def __init__(
        self,
        bus: Bus,
        settlement: DeliverySettlement,
        destinations: Destinations,
        sandbox: Sandbox,
        targets: Targets,
        source: str,
        gates: DestinationLimiters,
        most_bytes: int,
    ) -> None:
        """Take the parts; `source` is the server's address, the source of CloudEvents.

        `most_bytes` bounds what a transform makes of an event.
        """
        self._bus = bus
        self._settlement = settlement
        self._destinations = destinations
        self._sandbox = sandbox
        self._targets = targets
        self._source = source
        self._gates = gates
        self._most_bytes = most_bytes
        self._client: AttemptClient | None = None

    def pending(self, tx: Transaction, limit: int) -> Sequence[Job]:
        """See `JobKind.pending`."""
        waiting = delivery_tables.pending(tx, limit)
        put_aside = delivery_tables.paused_for_active(tx, limit - len(waiting))
        return [Job(KIND, row.id, row.turn, row.due_at, row.organization_id) for row in (*waiting, *put_aside)]

    async def run(self, job: Job) -> None:
        """See `JobKind.run`."""
        found = await self._bus.database.read(lambda tx: self._find(tx, job))
        if found is None:
            return
        row, destination = found
        with contextlib.suppress(Fenced):  # somebody else has taken this turn
            await self._take_up(row, destination)

    async def give_up(self, job: Job, error: Poisoned) -> None:
        """See `JobKind.give_up`."""
        found = await self._bus.database.read(lambda tx: self._find(tx, job))
        if found is None:
            return
        row, destination = found
        result, now = unmade(str(error), is_final=True), self._bus.now()
        with contextlib.suppress(Fenced):
            await self._write(lambda tx: self._settlement.settle(tx, row, destination, result, started_at=now))

    async def close(self) -> None:
        """Close the connections to receivers."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _find(self, tx: Transaction, job: Job) -> tuple[DeliveryRow, Destination] | None:
        row = delivery_tables.find_with_subscription(tx, job.ref)
        if row is None or row.turn != job.attempt or row.state not in (PENDING, PAUSED):
            return None
        if is_audit_event(row.event):
            said = whole_data(tx, row.organization_id, row.event_data, row.published_at, self._most_bytes)
            row = row._replace(event_data=said)
        return row, self._destinations.of(tx, row.subscription_id, row.version)

    async def _take_up(self, row: DeliveryRow, destination: Destination) -> None:
        """Make the attempt, unless the subscription rests, its receiver is left alone, or others are first."""
        now = self._bus.now()
        if row.state == PAUSED:
            await self._write(lambda tx: self._settlement.release_paused(tx, row, destination))
        elif row.deleted_at is not None:
            await self._write(lambda tx: self._settlement.cancel(tx, row, destination))
        elif not row.is_active:
            await self._write(lambda tx: self._settlement.pause(tx, row, destination))
        elif row.open_until is not None and row.open_until > now and row.lane is not None:
            await self._write(lambda tx: self._settlement.await_receiver(tx, row))
        elif row.lane is None and (row.open_until or destination.max_in_flight or destination.rate_per_second):
            await self._write(lambda tx: self._settlement.queue(tx, row, destination.overflow))
        else:
            await self._enter(row, destination, now)

    async def _enter(self, row: DeliveryRow, destination: Destination, now: datetime) -> None:
        """Make the attempt if there is a place at the destination; what finds none waits in a lane."""
        is_proven = row.failure_count == 0 and row.last_success_at is not None
        place = await self._gates.enter(
            destination.id, destination.max_in_flight, destination.organization_id, is_proven=is_proven
        )
        if place is not None:
            arrived = False
            try:
                arrived = await self._probe_or_attempt(row, destination, now)
            finally:
                place.leave(arrived=arrived)
        elif row.lane is None:
            await self._write(lambda tx: self._settlement.queue(tx, row, destination.overflow))
        else:
            await self._put_off(row, now)

    async def _put_off(self, row: DeliveryRow, now: datetime) -> None:
        until = now + timedelta(seconds=random.uniform(*CROWDED_SECONDS))  # noqa: S311 spread, not secrecy
        await self._write(lambda tx: self._settlement.put_off(tx, row, until))

    async def _probe_or_attempt(self, row: DeliveryRow, destination: Destination, now: datetime) -> bool:
        """Make the attempt, unless it would be a probe and somebody else makes it; tells whether it arrived."""
        is_probe = row.open_until is not None
        if row.open_until is not None and not await self._claim(row.subscription_id, row.open_until, now):
            until = now + timedelta(seconds=CLAIMED_SECONDS)
            await self._write(lambda tx: self._settlement.put_off(tx, row, until))
            return False
        return await self._attempt(row, destination, is_probe=is_probe)

    async def _claim(self, subscription_id: int, open_until: datetime, now: datetime) -> bool:
        until = now + timedelta(seconds=breaker.PROBE_SECONDS)
        return await self._bus.database.write(
            lambda tx: health_tables.claim_probe(tx, subscription_id, open_until, until)
        )

    async def _attempt(self, row: DeliveryRow, destination: Destination, *, is_probe: bool) -> bool:
        started_at = self._bus.now()
        spans = DeliverySpans(self._bus.tracer, row)
        try:
            result, kept = await self._result(row, destination, spans.traceparent, started_at)
        except NoTurn:  # nothing was sent
            await self._put_off(row, started_at)
            return False
        spans.record(result)
        await self._write(
            lambda tx: self._settlement.settle(
                tx, row, destination, result, started_at=started_at, request_body=kept, is_probe=is_probe
            )
        )
        return result.ok

    async def _result(
        self, row: DeliveryRow, destination: Destination, traceparent: str, started_at: datetime
    ) -> tuple[AttemptResult, str | None]:
        """Make the request; return what it came to, and what is kept of its body, both without secrets."""
        is_audit = is_audit_event(row.event)
        refusal = await self._why_not_audit(row, destination) if is_audit else None
        if refusal is not None:
            return without_secrets(unmade(refusal, is_final=True)), None
        notice = self._notice(row, traceparent)
        kept: str | None = None
        try:
            await self._require_author(destination)
            changed = await apply_transform(destination, notice, row.ordering_key, self._sandbox, self._most_bytes)
            kept = redacted_text(changed[:REQUEST_KEPT].decode("utf-8", "replace")) if changed is not None else None
            if destination.broken is not None:
                result = unmade(destination.broken)
            else:
                sent = await self._sender().send(make_request(destination, notice, changed, self._source, started_at))
                result = redact_echoed_credentials(sent, destination.credentials)
        except TransformError as error:
            (sentence,) = without_secrets_of([str(error)], read_json(notice.data))
            result = unmade(sentence)
        result = without_secrets(result)
        if is_audit:  # whoever may read deliveries need not be allowed to read the audit log
            return replace(result, body=None), None
        return result, kept

    def _notice(self, row: DeliveryRow, traceparent: str) -> EventNotice:
        root = self._bus.causes.root_of(row.organization_id, row.correlation_id)
        cause = self._bus.causation.write(row.event_depth, row.event_id, root)
        return EventNotice(row.event_id, row.event, row.published_at, row.event_data.encode(), cause, traceparent)

    async def _require_author(self, destination: Destination) -> None:
        """Raise `TransformError` when whoever wrote the transform's script may not write code any more."""
        if destination.script is None or destination.script_authority is None:
            return
        id_, organization_id = f"subscription:{destination.id}", destination.organization_id
        author = acting("system", id_, destination.name, organization_id, destination.script_authority)
        try:
            await self._bus.require_now(author, WRITE_CODE, "transform.script:")
        except SwitchedOff:
            raise
        except Forbidden as error:
            raise TransformError("; ".join(error.errors)) from error

    async def _why_not_audit(self, row: DeliveryRow, destination: Destination) -> str | None:
        """Say why an event of the audit log is not sent: whoever subscribed to it may not read it, or it is gone."""
        if destination.audit_authority is None:
            return f"nobody with the permission {READ_AUDIT} has subscribed to the audit log"
        id_, organization_id = f"subscription:{destination.id}", destination.organization_id
        reader = acting("system", id_, destination.name, organization_id, destination.audit_authority)
        try:
            await self._bus.require_now(reader, READ_AUDIT, f"{row.event}:")
        except SwitchedOff:
            raise
        except Forbidden as error:
            return "; ".join(error.errors)
        return GONE_LINE if row.event_data == NO_LINE else None

    def _sender(self) -> "AttemptClient":
        if self._client is None:
            from bpm.events.attempt import AttemptClient

            self._client = AttemptClient(self._targets)
        return self._client

    async def _write(self, work: Callable[[Transaction], None]) -> None:
        await self._bus.database.write(work)
