"""What became of a stored request, written in the transaction of its effect: done, tried again, or dead."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bpm.bus import Bus, Envelope, Outcome, Recorder
from bpm.bus.own_events import publish_settled, publisher_of
from bpm.clock import Clock, wire_time
from bpm.errors import Fenced
from bpm.jobs import Job, JobQueue, Lane, Lanes, RetryPolicy
from bpm.security.causation_header import HEADER as CAUSE
from bpm.security.redaction import redacted
from bpm.store import Transaction
from router import attempts
from router.attempts import AttemptedRequest
from router.failure_log import log_dead_after
from router.tables import requests, settling
from router.tables.requests import RequestRow

MAX_RESULT_BYTES = 256 * 1024
"""Longer results are not kept with the request; the caller of a `sync` rule got them."""

DEAD_EVENT = "webhook.request.dead"


@dataclass(frozen=True, slots=True)
class Settling:
    """The parts that settlements lean on."""

    bus: Bus
    jobs: JobQueue
    lanes: Lanes
    clock: Clock


class RequestSettlement(Recorder):
    """Settles one attempt of a stored request; when another run was first the unit is `Fenced`, effect and all."""

    is_tried_again = True

    def __init__(self, row: RequestRow, retry: RetryPolicy, parts: Settling) -> None:
        """Take the request's row as it was when the attempt began, which is now, and its rule's policy."""
        self._row = row
        self._retry = retry
        self._parts = parts
        self._started = parts.clock()

    def before(self, tx: Transaction, envelope: Envelope) -> Outcome | None:
        """Let an effect begin only while the request is open at this attempt; a transaction is undone afterwards."""
        is_effect = self._parts.bus.registry.of(envelope.message).kind == "effect"
        if is_effect and not settling.is_open(tx, self._row.request_id, self._row.attempt):
            raise Fenced

    def after(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> None:
        """Write what became of it."""
        self.settle(tx, envelope.name, outcome)

    def settle(self, tx: Transaction, message_type: str | None, outcome: Outcome) -> None:
        """Complete the request, try it again later, or give it up."""
        now = self._parts.clock()
        values = settled(outcome, message_type, self._row.attempt + 1, now)
        if outcome.error is None:
            self._complete(tx, values, now)
            return
        made = self._row.attempt + 1 - self._row.attempts_before
        due = self._retry.retry_at(made, now, is_final=outcome.error.is_final)
        if due is not None:
            self._retry_at(tx, due, values, now)
        else:
            self._give_up(tx, values, now)
            name = self._row.config_key or self._row.provider
            log_dead_after(tx, self._row.request_id, name, outcome.error, values["attempt"])

    def _complete(self, tx: Transaction, values: dict[str, Any], now: datetime) -> None:
        self._write(tx, values, now)
        self._leave_lane(tx, now)

    def _retry_at(self, tx: Transaction, due: datetime, values: dict[str, Any], now: datetime) -> None:
        self._write(tx, values | {"next_attempt_at": due, "completed_at": None}, now)
        organization_id = self._row.organization_id
        self._parts.jobs.enqueue(
            tx, Job(requests.KIND, self._row.request_id, self._row.attempt + 1, due, organization_id)
        )

    def _give_up(self, tx: Transaction, values: dict[str, Any], now: datetime) -> None:
        self._write(tx, values | {"state": requests.DEAD}, now)
        self._leave_lane(tx, now)
        self._announce(tx, values)

    def _write(self, tx: Transaction, values: dict[str, Any], now: datetime) -> None:
        settling.settle(tx, self._row.request_id, self._row.attempt, values)
        row = self._row
        attempted = AttemptedRequest(row.organization_id, row.request_id, row.replay_count, row.replayed_by)
        attempts.note(tx, attempted, self._started, now, values)

    def _leave_lane(self, tx: Transaction, now: datetime) -> None:
        row = self._row
        if row.lane is not None:
            job = Job(requests.KIND, row.request_id, row.attempt, now, row.organization_id)
            self._parts.lanes.leave(tx, Lane(row.lane), job)

    def _announce(self, tx: Transaction, values: dict[str, Any]) -> None:
        row = self._row
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
        publisher = publisher_of("router", "router", row.organization_id)
        bus = self._parts.bus
        depth = bus.causation.read(row.headers.get(CAUSE)).depth + 1
        publish_settled(bus, tx, publisher, DEAD_EVENT, data, row.request_id, depth)


def settled(outcome: Outcome, message_type: str | None, attempt: int, now: datetime) -> dict[str, Any]:
    """Return the columns of a request that was executed for the `attempt`th time, and not to be tried again."""
    return {
        "state": requests.DONE if outcome.ok else requests.FAILED,
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
