"""Requests that are executed while their callers wait, for as long as the time limit lets them."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError

from bpm.bus import Bus, Envelope, Outcome
from bpm.clock import Clock
from bpm.edge.answer import Answer
from bpm.edge.envelope import problem
from bpm.errors import PUTS_OFF, BpmError, Fenced, Invalid, Overloaded, Unavailable
from bpm.jobs import Job, JobQueue
from bpm.store import Transaction
from router.answers import Answers, accepted, has_refused
from router.execution_types import ExecutionType
from router.failure_log import log_failed
from router.inbox import Inbox
from router.request import InboundCall
from router.request_messages import RequestMessages
from router.request_seal import RequestSeal
from router.rule import Rule
from router.source import Source
from router.sync_recorders import DeferredSync, EffectSync, SyncRecorder, TransactionalSync
from router.tables import requests
from router.tables.requests import RequestRow

LEFT_BEHIND_SECONDS = 20.0
"""How long after its time limit a `sync` request that was not settled is taken up by a worker: after its caller's, and
when that one is over, after its effect's."""


class Unfinished(NamedTuple):
    """A request that is being executed, and whose it is."""

    task: asyncio.Task[Outcome | None]
    organization_id: int


class SyncExecution:
    """Executes requests of rules that answer with the outcome."""

    def __init__(
        self,
        bus: Bus,
        messages: RequestMessages,
        inbox: Inbox,
        jobs: JobQueue,
        answers: Answers,
        clock: Clock,
        sync_seconds: float,
        seal: RequestSeal,
    ) -> None:
        """Take the bus, and what makes a request's message, keeps it, and words its answer."""
        self._bus = bus
        self._messages = messages
        self._inbox = inbox
        self._jobs = jobs
        self._answers = answers
        self._clock = clock
        self._sync_seconds = sync_seconds
        self._seal = seal
        self._unfinished: dict[str, Unfinished] = {}

    async def answer(self, call: InboundCall, rule: Rule, source: Source, key: str | None) -> Answer:
        """Execute a request while its caller waits; after the time limit answer 202 and go on."""
        try:
            message, principal = await self._messages.of_rule(call, rule)
        except Exception as error:
            return await self._refuse(call, rule, source, self._messages.as_failure(error, call))
        registration = self._bus.registry.of(message)
        row = await self._inbox.row_of(call, source, requests.RUNNING, dedupe_key=source.dedupe_key(key))

        def answer(outcome: Outcome) -> Answer:
            outcome.message = registration.message_type.succeeded
            return self._answers.outcome(call, rule, outcome, registration.message_type.failed)

        def remembered(outcome: Outcome) -> Answer | None:
            return answer(outcome) if outcome.ok and not has_refused(rule, outcome) else None

        def enveloped(recorder: SyncRecorder) -> Envelope:
            depth = self._messages.depth_of(call, principal.organization_id)
            return Envelope(message, principal, call.id, address=call.address, depth=depth, recorder=recorder)

        async def attempt() -> tuple[Outcome | None, SyncRecorder]:
            if registration.kind == "effect":
                kind = EffectSync if key is not None else DeferredSync
                recorder = kind(row, self._clock, remembered, self._seal, self._jobs, self._taken_up(call, source))
                return await self._within_limit(enveloped(recorder), recorder), recorder
            recorder = TransactionalSync(row, self._clock, remembered, self._seal)
            return await self._in_one_go(enveloped(recorder), recorder), recorder

        outcome, recorder = await self._once_the_first_is_over(attempt, rule)
        if recorder.first is not None:
            await self._inbox.repeat(call, source, recorder.first)
            return self._answers.again(recorder.first, rule, row["body"], rule.prescribed_answer(call))
        if outcome is None:
            return accepted(call.id, 202)
        return answer(outcome)  # a process may have gone on since its first rest was written down

    async def _once_the_first_is_over(
        self, attempt: Callable[[], Awaitable[tuple[Outcome | None, SyncRecorder]]], rule: Rule
    ) -> tuple[Outcome | None, SyncRecorder]:
        """Execute, but of a request whose first is being executed only when that one has left its id free.

        The first may yet be refused, and then it was not the provider's. Raises `Overloaded` while that is open. When
        the first one's own caller was answered 202, so is this, unless a script may still refuse it.
        """
        may_refuse = rule.fields.execution_type is ExecutionType.CODE
        deadline = time.monotonic() + self._sync_seconds
        while True:
            outcome, recorder = await attempt()
            first = recorder.first
            if first is None or first.state != requests.RUNNING or (self._is_overdue(first) and not may_refuse):
                return outcome, recorder
            unfinished = self._unfinished.get(first.request_id)
            left = deadline - time.monotonic()
            if unfinished is None or left <= 0:
                raise Overloaded("The same request is being executed just now; send it again in a moment")
            await asyncio.wait((unfinished.task,), timeout=left)

    def _is_overdue(self, row: RequestRow) -> bool:
        return (self._clock() - row.received_at).total_seconds() >= self._sync_seconds

    def _taken_up(self, call: InboundCall, source: Source) -> Job:
        """Return the job that takes up what a process leaves behind that ends while it executes."""
        due = call.received_at + timedelta(seconds=self._sync_seconds + LEFT_BEHIND_SECONDS)
        return Job(requests.KIND, call.id, 0, due, source.organization_id)

    async def drain(self, seconds: float) -> None:
        """Wait for what goes on after its time limit; what is cut off is left to the next worker."""
        unfinished = dict(self._unfinished)
        tasks = [each.task for each in unfinished.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        cut_off = {request_id: each.organization_id for request_id, each in unfinished.items() if each.task.cancel()}
        await asyncio.gather(*tasks, return_exceptions=True)
        if cut_off:
            await self._bus.database.write(lambda tx: self._hand_over(tx, cut_off))

    def _hand_over(self, tx: Transaction, organizations: Mapping[str, int]) -> None:
        """Have a worker take requests up now; each is given with whose it is."""
        jobs = [Job(requests.KIND, id_, 0, self._clock(), whose) for id_, whose in organizations.items()]
        self._jobs.cancel(tx, *jobs)
        self._jobs.enqueue(tx, *jobs)

    async def until_over(self, request_id: str) -> None:
        """Wait for a request that is still executed although its time limit is over."""
        if request_id in self._unfinished:
            await asyncio.wait((self._unfinished[request_id].task,))

    async def _refuse(self, call: InboundCall, rule: Rule, source: Source, error: BpmError) -> Answer:
        """Keep a request that becomes no message; that a field of its body is wrong is told to whoever sent it."""
        row = await self._inbox.row_of(call, source, requests.FAILED, errors=list(error.errors), attempt=1)
        await self._bus.database.append((requests.INBOUND, row), size=len(call.body))
        log_failed(call.id, source.config_key or source.provider, error)
        return problem(error, call.id) if isinstance(error, Invalid) else self._answers.failed(call.id, rule, error)

    async def _in_one_go(self, envelope: Envelope, recorder: "SyncRecorder") -> Outcome | None:
        """Execute; None when the unique index knew the provider's id, which has undone the effect."""
        try:
            return await self._bus.execute(envelope)
        except IntegrityError:
            recorder.first = await self._bus.database.write(recorder.find_first)
        return await self._bus.execute(envelope) if recorder.first is None else None

    async def _within_limit(self, envelope: Envelope, recorder: EffectSync) -> Outcome | None:
        """Execute, and return None at the time limit; then the request is on disk, for its caller is told so."""
        task = asyncio.create_task(self._unless_left(envelope, recorder))
        self._unfinished[envelope.request_id] = Unfinished(task, envelope.principal.organization_id)
        task.add_done_callback(lambda _: self._unfinished.pop(envelope.request_id))
        done, _ = await asyncio.wait((task,), timeout=self._sync_seconds)
        if not done:
            await self._bus.database.write(lambda tx: self._outlast(tx, envelope, recorder))
        return task.result() if done else None

    async def _unless_left(self, envelope: Envelope, recorder: EffectSync) -> Outcome | None:
        """Execute; None when a worker has taken up the request meanwhile, and did it, or is to do so now."""
        try:
            return await self._bus.execute(envelope)
        except Fenced:
            return None
        except PUTS_OFF:
            if not recorder.is_tried_again:
                raise
        with contextlib.suppress(Unavailable):  # its job is due later as well
            organizations = {envelope.request_id: envelope.principal.organization_id}
            await self._bus.database.write(lambda tx: self._hand_over(tx, organizations))
        return None

    def _outlast(self, tx: Transaction, envelope: Envelope, recorder: EffectSync) -> None:
        """Have the request on disk, and taken up no sooner than its effect is ended."""
        if recorder.can_wait:
            recorder.before(tx, envelope)
        left = self._bus.seconds_for(self._bus.registry.of(envelope.message)) + LEFT_BEHIND_SECONDS
        recorder.outlast(tx, self._clock() + timedelta(seconds=left))
