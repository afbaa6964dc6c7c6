"""What a worker does for waiting instances: run scripts, send effects, fire timers."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import structlog

from bpm.bpmn.state import changes
from bpm.bus import Bus, Envelope, Outcome
from bpm.errors import PUTS_OFF, BpmError, Conflict, Failed, Fenced, Forbidden, NotFound, NoTurn, Poisoned
from bpm.fair_slots import FairSlots, NoFreeSlot
from bpm.jobs import Job, JobQueue, RetryPolicy
from bpm.process import instance_tables, start_tables, wait_tables
from bpm.process.actors import engine_of, starter_of
from bpm.process.answering import AnswerRecorder
from bpm.process.definition_cache import DefinitionCache
from bpm.process.rows import InstanceRow, WaitRow
from bpm.process.sealing import restored_wait, stored_wait
from bpm.process.spans import recorded_step
from bpm.security.permissions import EXECUTE, Authority, Permission, Principal, acting
from bpm.store import Transaction, organizations

RETRY = RetryPolicy(attempts=4, waits=(1, 10, 60, 600))
"""How often a task's command is sent; a file may say how often it is tried again."""

PIECES_AT_ONCE = 2
"""How many pieces of long work wait for the writer at once, so that others come in between."""
RESTED_SECONDS = 1
"""A timer of so many seconds ends a chain of messages that cause one another."""

GONE = (Conflict, Fenced, NotFound)
"""What an instance refuses an answer with that somebody else has given, or when it has ended: nothing is left to do."""

log = structlog.get_logger("bpm.process")


class OpenWork(NamedTuple):
    """A wait that is to be answered, its instance, and the authors of the version that it runs."""

    wait: WaitRow
    instance: InstanceRow
    authors: Authority


class ProcessJobs:
    """The job kind of process instances; see `bpm.jobs.JobKind`."""

    name = wait_tables.KIND

    def __init__(self, bus: Bus, jobs: JobQueue, deployed: DefinitionCache, shares: FairSlots) -> None:
        """Send through the bus; ask the job engine for another try; `deployed` knows who wrote what runs.

        `shares` are the worker's places, of which an organisation's scripts and commands may hold so many.
        """
        self._bus = bus
        self._jobs = jobs
        self._deployed = deployed
        self._shares = shares
        self._running: dict[str, asyncio.Task[None]] = {}
        self._pieces = asyncio.Semaphore(PIECES_AT_ONCE)
        self._turns: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()

    def pending(self, tx: Transaction, limit: int) -> Sequence[Job]:
        """See `JobKind.pending`."""
        return [wait_tables.job_of(wait) for wait in wait_tables.job_waits(tx, limit)]

    async def run(self, job: Job) -> None:
        """See `JobKind.run`; a job that runs in this process already is waited for, not run again."""
        task = self._running.get(job.ref)
        if task is None:
            task = self._running[job.ref] = asyncio.create_task(self._do(job.ref))
            task.add_done_callback(lambda _: self._running.pop(job.ref, None))
        await asyncio.shield(task)

    async def give_up(self, job: Job, error: Poisoned) -> None:
        """See `JobKind.give_up`; the instance stops at an incident."""
        work = await self._open_work(job.ref)
        if work is not None:
            await self._answer(work, {"failure": _failure(error)})

    async def settle(self, instance_id: int, seconds: float) -> None:
        """Run what an instance and those it calls wait for, until they rest, have ended, or the time is over."""
        try:
            async with asyncio.timeout(seconds):
                while waits := await self._immediate(instance_id):
                    for wait in waits:
                        await self.run(wait_tables.job_of(wait))
        except (TimeoutError, NoFreeSlot, NoTurn):  # a worker does the rest
            return

    async def _immediate(self, instance_id: int) -> list[WaitRow]:
        waits = await self._bus.database.read(lambda tx: wait_tables.job_waits_below(tx, instance_id))
        now = self._bus.now()
        return [wait for wait in waits if wait.due_at is None or wait.due_at <= now]

    async def _do(self, ref: str) -> None:
        work = await self._open_work(ref)
        if work is None:
            return
        if self._bus.tracer is None:
            await self._go_on(work, ref)
            return
        with recorded_step(self._bus.tracer, work.wait, work.instance):
            await self._go_on(work, ref)

    async def _go_on(self, work: OpenWork, ref: str) -> None:
        wait = work.wait
        if wait.kind == "timer":
            await self._answer(work, {"hasRested": _has_rested(wait)})
            return
        if wait.kind not in ("command", "script"):
            await self._do_piece(ref, wait.organization_id)
            return
        try:
            data = restored_wait(wait.data, self._bus.box)
        except Failed as error:
            await self._answer(work, {"failure": _failure(error)})
            return
        purpose = ("process", work.instance.definition_id)
        with suppress(*GONE), self._shares.place(work.instance.organization_id, purpose):
            await self._step(work, data)

    async def _step(self, work: OpenWork, data: dict[str, Any]) -> None:
        """Execute a script or command and let the instance go on in the same transaction; raises what it refused."""

        def answer(tx: Transaction, outcome: Outcome) -> None:
            self._bus.perform(tx, self._advance(work, _answer_of(work.wait, data, outcome)))

        recorder = AnswerRecorder(answer)
        outcome = await self._execute(work, data, recorder)
        if recorder.error is not None:
            raise recorder.error
        if outcome.error is not None:
            await self._failed(work, data, outcome.error)
        elif outcome.replayed:  # an earlier version gave the answer in a transaction of its own
            await self._answer(work, _answer_of(work.wait, data, outcome))

    async def _do_piece(self, ref: str, organization_id: int) -> None:
        """Go on with long work, unless another piece has done this, too, in the meantime.

        An organisation's pieces wait for one another before they wait for others', so that these come soon.
        """
        turn = self._turns.setdefault(organization_id, asyncio.Semaphore(PIECES_AT_ONCE))
        async with turn, self._pieces:
            work = await self._open_work(ref)
            if work is not None:
                await self._answer(work, {})

    async def _open_work(self, ref: str) -> OpenWork | None:
        """Return what is still to be done, or None.

        Nothing is while the organisation is switched off; then it goes on.
        """
        instance_id, wait_id, attempt = map(int, ref.split("."))
        work = await self._bus.database.read(lambda tx: self._find(tx, instance_id, wait_id))
        is_open = work is not None and work.wait.kind in wait_tables.JOB_KINDS and work.wait.attempt == attempt
        return work if is_open else None

    def _find(self, tx: Transaction, instance_id: int, wait_id: int) -> OpenWork | None:
        instance = instance_tables.find_instance(tx, instance_id)
        if instance is None or not organizations.is_active(tx, instance.organization_id):
            return None
        wait = wait_tables.find_wait(tx, instance_id, wait_id)
        return OpenWork(wait, instance, self._deployed.authority(tx, instance.definition_id)) if wait else None

    async def _execute(self, work: OpenWork, data: dict[str, Any], recorder: AnswerRecorder) -> Outcome:
        wait, instance, authors = work
        name, fields = data.get("command", ""), data.get("fields", {})
        if wait.kind == "script":
            rule = f"process:{instance.definition_id}"
            name, fields = "ExecuteCodeCommand", {"code": data["source"], "variables": data["variables"], "rule": rule}
        sender = starter_of(instance, authors)
        try:
            message = self._bus.registry.decode(name, fields)
            if wait.kind == "script":
                sender = await self._scripting(sender, authors, message.permission or "")
        except PUTS_OFF:
            raise
        except BpmError as error:
            return Outcome(error=error)
        key = f"process:{instance.id}:{wait.wait_id}:{wait.attempt}"
        return await self._bus.execute(
            Envelope(
                message,
                sender,
                correlation_id=instance.correlation_id,
                depth=wait.depth + 1,
                idempotency_key=key if wait.kind == "command" else None,
                recorder=recorder,
            )
        )

    async def _scripting(self, sender: Principal, authors: Authority, needed: Permission) -> Principal:
        """Return who runs a script: its authors must be allowed to write code; whoever starts it need not be."""
        author = acting("process", sender.id, sender.name, sender.organization_id, authors)
        await self._bus.require_now(author, needed, "a script")
        return sender.lending(frozenset({needed}))

    async def _failed(self, work: OpenWork, data: dict[str, Any], error: BpmError) -> None:
        wait = work.wait
        is_final = wait.kind != "command" or error.is_final or isinstance(error, Forbidden)
        due = _policy(data.get("retries")).retry_at(wait.tries + 1, self._bus.now(), is_final=is_final)
        if due is None:
            await self._answer(work, {"failure": _failure(error)})
        else:
            failure = stored_wait(wait.kind, _failure(error), self._bus.box)
            await self._bus.database.write(lambda tx: self._retry_at(tx, wait, due, failure))

    def _retry_at(self, tx: Transaction, wait: WaitRow, due: datetime, failure: Mapping[str, Any] | None) -> None:
        if wait_tables.retry_at(tx, wait, due, failure):
            ref, organization_id = wait_tables.job_ref(wait), wait.organization_id
            self._jobs.enqueue(tx, Job(wait_tables.KIND, ref, wait.tries + 1, due, organization_id))

    async def _answer(self, work: OpenWork, answer: dict[str, Any]) -> None:
        with suppress(*GONE):
            (await self._bus.execute(self._advance(work, answer))).unwrap()

    def _advance(self, work: OpenWork, answer: dict[str, Any]) -> Envelope:
        """Return the message by which an instance goes on."""
        wait, instance, _ = work
        engine = engine_of(instance.organization_id, {EXECUTE})
        fields = {
            "instanceId": instance.id,
            "waitId": wait.wait_id,
            "attempt": wait.attempt,
            "kind": wait.kind,
            **answer,
        }
        message = self._bus.registry.decode("AdvanceProcessInstanceCommand", fields)
        depth = 0 if answer.get("hasRested") else wait.depth
        return Envelope(message, engine, correlation_id=instance.correlation_id, depth=depth)


def _failure(error: BpmError) -> dict[str, str]:
    return {"message": "; ".join(error.errors), "code": type(error).__name__}


def _has_rested(wait: WaitRow) -> bool:
    """Whether a timer let so much time pass that its instance does not run hot."""
    return wait.due_at is not None and wait.due_at - wait.created_at >= timedelta(seconds=RESTED_SECONDS)


def _policy(retries: int | None) -> RetryPolicy:
    return RETRY if retries is None else replace(RETRY, attempts=retries + 1)


def _answer_of(wait: WaitRow, data: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
    found = outcome.wire
    if wait.kind != "script":
        return {"result": found}
    variables = changes(data["variables"], found.get("variables") or {})
    return {"result": found.get("result"), "variables": variables}


class StartJobs:
    """The job kind of timers that begin instances; see `bpm.jobs.JobKind`."""

    name = start_tables.KIND

    def __init__(self, bus: Bus) -> None:
        """Send through the bus."""
        self._bus = bus

    def pending(self, tx: Transaction, limit: int) -> Sequence[Job]:
        """See `JobKind.pending`."""
        return [
            Job(start_tables.KIND, f"{row.definition_id}.{row.element_id}", row.turn, row.due_at, row.organization_id)
            for row in start_tables.open_schedules(tx, limit)
        ]

    async def run(self, job: Job) -> None:
        """See `JobKind.run`."""
        row = await self._open_timer(job)
        if row is None:
            return
        engine = engine_of(row.organization_id, {EXECUTE})
        fields = {"definitionId": row.definition_id, "elementId": row.element_id, "turn": row.turn}
        message = self._bus.registry.decode("FireStartTimerCommand", fields)
        depth = 1 if row.cause else 0
        (await self._bus.execute(Envelope(message, engine, correlation_id=row.cause or "", depth=depth))).unwrap()

    async def give_up(self, job: Job, error: Poisoned) -> None:
        """See `JobKind.give_up`; the timer begins no further instances until its process is activated again."""
        row = await self._open_timer(job)
        if row is not None:
            await self._bus.database.write(lambda tx: start_tables.set_again(tx, row, None, None))
            log.error(
                "a start timer is given up", definition=row.definition_id, element=row.element_id, error=str(error)
            )

    async def _open_timer(self, job: Job) -> Any:
        definition, _, element_id = job.ref.partition(".")
        row = await self._bus.database.read(lambda tx: _schedule(tx, int(definition), element_id))
        return row if row is not None and row.turn == job.attempt else None


def _schedule(tx: Transaction, definition_id: int, element_id: str) -> Any:
    """Return a timer that begins instances; None while the organisation is switched off, then the timer goes on."""
    row = start_tables.find_schedule(tx, definition_id, element_id)
    return row if row is not None and organizations.is_active(tx, row.organization_id) else None
