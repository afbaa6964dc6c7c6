"""What became of a stored request, written in the transaction of its effect: done, tried again, or dead."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from bpm.bus import Bus, Envelope, Outcome
from bpm.clock import Clock, wire_time
from bpm.errors import BpmError, Fenced
from bpm.jobs import Job, JobQueue, Lane, Lanes, jittered
from bpm.security.permissions import PUBLISH_OWN, Principal
from bpm.security.redaction import redacted
from bpm.store import Transaction
from router import attempts, tables
from router.config import RetryConfig

MAX_RESULT_BYTES = 256 * 1024
"""Longer results are not kept with the request; the caller of a `sync` rule got them."""

DEAD_EVENT = "webhook.request.dead"

log = structlog.get_logger("router")


@dataclass(frozen=True, slots=True)
class Settling:
    """The parts that settlements lean on."""

    bus: Bus
    jobs: JobQueue
    lanes: Lanes
    clock: Clock


class Settlement:
    """Settles one attempt of a stored request; when another run was first the unit is `Fenced`, effect and all."""

    def __init__(self, row: Any, retry: RetryConfig, parts: Settling) -> None:
        """Take the request's row as it was when the attempt began, which is now, and its rule's policy."""
        self._row = row
        self._retry = retry
        self._parts = parts
        self._started = parts.clock()

    def before(self, tx: Transaction, envelope: Envelope) -> Outcome | None:
        """Let an effect begin only while the request is open at this attempt; a transaction is undone afterwards."""
        is_effect = self._parts.bus.registry.of(envelope.message).kind == "effect"
        if is_effect and not tables.is_open(tx, self._row.request_id, self._row.attempt):
            raise Fenced

    def after(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> None:
        """Write what became of it."""
        self.settle(tx, envelope.name, outcome)

    def settle(self, tx: Transaction, message_type: str | None, outcome: Outcome) -> None:
        """Done, failed until the next attempt, or dead."""
        row, now = self._row, self._parts.clock()
        values = settled(outcome, message_type, row.attempt + 1, now)
        due = self._next_attempt(outcome, now)
        if due is not None:
            values |= {"next_attempt_at": due, "completed_at": None}
        elif not outcome.ok:
            values["state"] = tables.DEAD
        tables.settle(tx, row.request_id, row.attempt, values)
        attempts.note(tx, row._mapping, self._started, now, values)
        if due is not None:
            self._parts.jobs.enqueue(tx, Job(tables.KIND, row.request_id, row.attempt + 1, due))
            return
        if row.lane is not None:
            self._parts.lanes.leave(tx, Lane(row.lane), Job(tables.KIND, row.request_id, row.attempt, now))
        if not outcome.ok:
            self._announce(tx, values)

    def _next_attempt(self, outcome: Outcome, now: datetime) -> datetime | None:
        made = self._row.attempt + 1 - self._row.attempts_before
        if outcome.error is None or outcome.error.is_final or made >= self._retry.attempts:
            return None
        return now + jittered(self._retry.delay(made), self._retry.jitter)

    def _announce(self, tx: Transaction, values: dict[str, Any]) -> None:
        """Publish that the request is dead; what keeps the event from being published does not keep it alive."""
        row, bus = self._row, self._parts.bus
        data = {
            "requestId": row.request_id,
            "configId": row.config_id,
            "configKey": row.config_key,
            "provider": row.provider,
            "path": row.path,
            "receivedAt": wire_time(row.received_at),
            "messageType": values["message_type"],
            "attempts": values["attempt"],
            "errors": values["errors"],
        }
        publisher = Principal("system", "router", "router", row.organization_id, PUBLISH_OWN)
        try:
            message = bus.registry.decode("PublishEventCommand", {"event": DEAD_EVENT, "data": data})
            bus.perform(tx, Envelope(message, publisher, correlation_id=row.request_id, causation_id=row.request_id))
        except BpmError as error:
            log.warning("a dead request could not be announced", request_id=row.request_id, error=str(error))


def settled(outcome: Outcome, message_type: str | None, attempt: int, now: datetime) -> dict[str, Any]:
    """Return the columns of a request that was executed for the `attempt`th time, and not to be tried again."""
    return {
        "state": tables.DONE if outcome.ok else tables.FAILED,
        "attempt": attempt,
        "next_attempt_at": None,
        "completed_at": now,
        "message_type": message_type,
        "result": result_to_keep(outcome),
        "errors": list(outcome.error.errors) if outcome.error else None,
    }


def result_to_keep(outcome: Outcome) -> Any:
    """Return the data as it is kept with the request: without secrets, as a new API key is one."""
    if outcome.json is None or len(outcome.json) > MAX_RESULT_BYTES:
        return None
    return redacted(outcome.wire)
