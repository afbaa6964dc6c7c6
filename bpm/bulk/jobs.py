"""Works through bulk jobs: a few rows at a time, each by a message of its own on behalf of whoever asked."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from bpm.bulk import tables
from bpm.bulk.settlement import BulkSettlement
from bpm.bulk.tables import KIND, RunningJob, WaitingRow
from bpm.bus import Bus, Envelope
from bpm.bus.outcome import Outcome
from bpm.clock import Clock
from bpm.errors import PUTS_OFF, BpmError, Fenced, Poisoned, Refused
from bpm.jobs import Job, JobQueue
from bpm.security.permissions import Principal
from bpm.security.stored_principal import StoredPrincipal
from bpm.store import Database, Transaction

AT_ONCE = 20
"""How many rows a step does, each in a transaction of its own."""


class BulkJobs:
    """The job kind of bulk jobs; see `bpm.jobs.JobKind`."""

    name = KIND

    def __init__(self, database: Database, jobs: JobQueue, bus: Bus, clock: Clock) -> None:
        """Stand between the tables, the job engine and the bus."""
        self._database = database
        self._jobs = jobs
        self._bus = bus
        self._clock = clock

    def start(self, tx: Transaction, organization_id: int, job_id: str, asker: Mapping[str, Any]) -> bool:
        """Begin an organisation's plan on behalf of its `asker`, as columns; tells False when it is not planned."""
        now = self._clock()
        begun = {**asker, "state": tables.RUNNING, "started_at": now}
        started = tables.switch_state(tx, job_id, ("planned",), begun)
        if started:
            self._jobs.enqueue(tx, Job(KIND, job_id, 0, now, organization_id))
        return started

    def cancel(self, tx: Transaction, job_id: str) -> bool:
        """End a job early: what is done stays done, nothing further is. Tells False when it has ended.

        The list of one that never began is of no use to anybody, and is not kept.
        """
        ended = {"state": tables.CANCELLED, "completed_at": self._clock()}
        if tables.switch_state(tx, job_id, ("planned",), ended):
            tables.delete_rows(tx, job_id)
            return True
        return tables.switch_state(tx, job_id, ("running",), ended)

    def pending(self, tx: Transaction, limit: int) -> Sequence[Job]:
        """See `JobKind.pending`."""
        rows = tables.without_token(tx, limit)
        return [Job(KIND, row.id, row.turn, row.created_at, row.organization_id) for row in rows]

    async def run(self, job: Job) -> None:
        """Do the next rows, and ask for the step after; see `JobKind.run`."""
        found = await self._database.read(lambda tx: tables.take_up(tx, job.ref, job.attempt))
        if found is None:
            return
        job = replace(job, organization_id=found.organization_id)
        rows = await self._database.read(lambda tx: tables.waiting_rows(tx, found.id, AT_ONCE))
        if not rows:
            await self._settle(job, {"state": tables.DONE, "completed_at": self._clock()})
            return
        sender = asker_of(found)
        try:
            await self._ask(found, sender)
        except PUTS_OFF:
            raise
        except Refused as error:
            await self._give_up(job, error)
            return
        await asyncio.gather(*(self._do(found, row, sender) for row in rows))
        await self._settle(job, {})

    async def give_up(self, job: Job, error: Poisoned) -> None:
        """See `JobKind.give_up`."""
        await self._give_up(job, error)

    async def _ask(self, job: RunningJob, sender: Principal) -> None:
        """Raise `Forbidden` when whoever asked may do this no more, and `Invalid` when the message is known no more."""
        permission = self._bus.registry.find(job.message_type).message_type.permission
        if permission is not None:
            await self._bus.require_now(sender, permission, "Going on with the bulk job")

    async def _do(self, job: RunningJob, row: WaitingRow, sender: Principal) -> None:
        settlement = BulkSettlement(self._clock, job, row.number)
        with suppress(Fenced):
            try:
                message = self._bus.registry.decode(job.message_type, {**job.fields, **row.fields})
            except Refused as error:
                outcome = Outcome(error=error)
                await self._database.write(lambda tx: settlement.settle(tx, outcome))
                return
            await self._bus.execute(
                Envelope(message, sender, correlation_id=job.correlation_id, depth=job.depth, recorder=settlement)
            )

    async def _give_up(self, job: Job, error: BpmError) -> None:
        sentence = "; ".join(error.errors) or error.message
        await self._settle(job, {"state": tables.FAILED, "error": sentence, "completed_at": self._clock()})

    async def _settle(self, job: Job, values: dict[str, Any]) -> None:
        """Change the job unless it was cancelled; while it runs on, ask for its next step."""

        def settle(tx: Transaction) -> None:
            if tables.change_job(tx, job.ref, job.attempt, values) and "state" not in values:
                self._jobs.enqueue(tx, Job(KIND, job.ref, job.attempt + 1, self._clock(), job.organization_id))

        await self._database.write(settle)


def asker_of(job: RunningJob) -> Principal:
    """Return on whose behalf a job works; the bus asks at each row what they may do then."""
    stored = StoredPrincipal(job.asker_id, job.asker_name, job.organization_id, job.permissions, job.authority)
    return stored.acting("system")
