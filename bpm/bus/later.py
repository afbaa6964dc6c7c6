"""Messages for later: a row that says what to send, and a job that sends it."""

from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from bpm.bus import tables
from bpm.bus.envelope import Envelope, Recorder
from bpm.bus.messages import Message
from bpm.bus.outcome import Outcome
from bpm.bus.registry import Registry
from bpm.clock import Clock
from bpm.errors import BpmError, Failed, Fenced, Poisoned
from bpm.jobs import Job, JobQueue, RetryPolicy
from bpm.security.identifiers import new_id
from bpm.security.permissions import Principal
from bpm.security.sealing import open_fields, seal_fields
from bpm.security.secrets import SecretBox, SecretError
from bpm.security.stored_principal import StoredPrincipal, principal_columns
from bpm.store import Database, Transaction

KIND = "message"
RETRY = RetryPolicy(attempts=5, waits=(10, 60, 600, 3_600))
"""How often a scheduled message is sent."""


@dataclass(frozen=True, slots=True)
class Later:
    """What to send, after how long, and the name under which only one may wait.

    `depth` is how much further from the cause it is than its sender: 0 for the rest of the sender's own work.
    """

    name: str
    fields: dict[str, Any]
    delay: timedelta = timedelta()
    key: str | None = None
    depth: int = 1


class Executor(Protocol):
    """The part of the bus that sends."""

    registry: Registry

    def place_for(self, message: Message[Any], organization_id: int, purpose: Hashable) -> AbstractContextManager[None]:
        """Hold a worker's place while it executes a message that reaches outside; raises `NoFreeSlot`."""
        ...

    async def execute(self, envelope: Envelope) -> Outcome:
        """Take a message through the whole pipeline."""
        ...


class ScheduledMessages:
    """Keeps messages for later and, as a job kind, sends them; see `bpm.jobs.JobKind`."""

    name = KIND

    def __init__(self, database: Database, jobs: JobQueue, clock: Clock, box: SecretBox) -> None:
        """Stand between the table and the job engine; `box` seals secrets until they are sent."""
        self._box = box
        self._database = database
        self._jobs = jobs
        self._clock = clock
        self.executor: Executor | None = None

    def schedule(self, tx: Transaction, envelope: Envelope, later: Later) -> None:
        """Write the row and ask for its job."""
        now = self._clock()
        due = now + later.delay
        row = {
            "organization_id": envelope.principal.organization_id,
            "id": new_id(),
            "type": later.name,
            "fields": self._sealed(later),
            "key": f"{envelope.principal.organization_id}:{later.key}" if later.key is not None else None,
            **principal_columns(envelope.principal, "principal"),
            "correlation_id": envelope.root,
            "causation_id": envelope.request_id,
            "depth": envelope.depth + later.depth,
            "state": "waiting",
            "attempt": 0,
            "created_at": now,
            "due_at": due,
        }
        if tables.schedule(tx, row):
            self._jobs.enqueue(tx, Job(KIND, str(row["id"]), 0, due, envelope.principal.organization_id))

    def _sealed(self, later: Later) -> Mapping[str, Any]:
        assert self.executor is not None
        message_type = self.executor.registry.find(later.name).message_type
        return seal_fields(later.fields, self._box, message_type.secrets | message_type.sources)

    def _opened(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return open_fields(fields, self._box)
        except SecretError as error:
            raise Failed(f"fields: {error}") from error

    def pending(self, tx: Transaction, limit: int) -> Sequence[Job]:
        """See `JobKind.pending`."""
        rows = tables.waiting_messages(tx, limit)
        return [Job(KIND, row.id, row.attempt, row.due_at, row.organization_id) for row in rows]

    async def run(self, job: Job) -> None:
        """See `JobKind.run`."""
        row = await self._database.read(lambda tx: tables.scheduled_message(tx, job.ref))
        if row is None or row.state != "waiting" or row.attempt != job.attempt or self.executor is None:
            return
        if not row.is_active:
            return  # the reconciler wakes it when the organisation is switched on
        principal = sender_of(row)
        settlement = MessageSettlement(self._jobs, self._clock, job, row.organization_id)
        try:
            message = self.executor.registry.decode(row.type, self._opened(row.fields))
        except BpmError as error:
            outcome = Outcome(error=error)
            await self._database.write(lambda tx: settlement.settle(tx, outcome))
            return
        envelope = Envelope(
            message,
            principal,
            correlation_id=row.correlation_id,
            causation_id=row.causation_id,
            depth=row.depth,
            recorder=settlement,
        )
        with suppress(Fenced), self.executor.place_for(message, row.organization_id, ("message", row.type)):
            await self.executor.execute(envelope)

    async def give_up(self, job: Job, error: Poisoned) -> None:
        """See `JobKind.give_up`."""
        row = await self._database.read(lambda tx: tables.scheduled_message(tx, job.ref))
        if row is None:
            return
        settlement = MessageSettlement(self._jobs, self._clock, job, row.organization_id)
        with suppress(Fenced):
            await self._database.write(lambda tx: settlement.settle(tx, Outcome(error=error)))


def sender_of(row: tables.ScheduledRow) -> Principal:
    """Return on whose behalf a scheduled message is sent; the bus asks what they may do when it is."""
    stored = StoredPrincipal(row.principal_id, row.principal_name, row.organization_id, row.permissions, row.authority)
    return stored.acting("system")


class MessageSettlement(Recorder):
    """Settles a scheduled message in the transaction of its effect."""

    is_tried_again = True

    def __init__(self, jobs: JobQueue, clock: Clock, job: Job, organization_id: int) -> None:
        """Settle this attempt of an organisation's message."""
        self._jobs = jobs
        self._clock = clock
        self._job = job
        self._organization_id = organization_id

    def after(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> None:
        """Write what became of it; raises `Fenced` when another run was first."""
        self.settle(tx, outcome)

    def settle(self, tx: Transaction, outcome: Outcome) -> None:
        """Complete the message, try it again later, or give it up."""
        now, error = self._clock(), outcome.error
        if error is None:
            self._complete(tx, now)
            return
        due = RETRY.retry_at(self._job.attempt + 1, now, is_final=error.is_final)
        if due is not None:
            self._retry_at(tx, due, error)
        else:
            self._give_up(tx, now, error)

    def _complete(self, tx: Transaction, now: datetime) -> None:
        self._write(tx, {"state": "sent", "completed_at": now, "key": None})

    def _retry_at(self, tx: Transaction, due: datetime, error: BpmError) -> None:
        attempt = self._job.attempt + 1
        self._write(tx, {"attempt": attempt, "due_at": due, "errors": list(error.errors)})
        self._jobs.enqueue(tx, Job(KIND, self._job.ref, attempt, due, self._organization_id))

    def _give_up(self, tx: Transaction, now: datetime, error: BpmError) -> None:
        self._write(tx, {"state": "dead", "completed_at": now, "key": None, "errors": list(error.errors)})

    def _write(self, tx: Transaction, values: dict[str, Any]) -> None:
        if not tables.settle_scheduled(tx, self._job.ref, self._job.attempt, values):
            raise Fenced
