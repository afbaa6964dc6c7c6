"""From a stored request to its effect: by a worker, or at once for callers that wait."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy.exc import IntegrityError

from bpm.bus import Bus, Envelope, Message, Outcome
from bpm.clock import Clock
from bpm.edge.answer import Answer
from bpm.edge.envelope import problem
from bpm.errors import BpmError, Defect, Failed, Fenced, NotFound, Overloaded, Poisoned, Unavailable
from bpm.jobs import Job, JobQueue, Lanes, RetryPolicy, Shares
from bpm.security.cause_marks import HEADER as CAUSE
from bpm.security.permissions import Authority, Principal, acting
from bpm.security.redaction import hidden_from_logs, without_secrets_of
from bpm.store import Database, Transaction
from bpm.threads import beside_loop
from router.answers import Answers, accepted, has_refused
from router.config import RetryConfig
from router.execution_types import ExecutionType
from router.fixed_routes import FixedRoutes
from router.inbox import Inbox, pending
from router.providers import Call, Refusal
from router.request import InboundCall
from router.request_seal import RequestSeal
from router.route_table import RouteTable
from router.rule import Rule
from router.settlement import RequestSettlement, Settling
from router.source import Source
from router.sync_recorders import DeferredSync, EffectSync, SyncRecorder, TransactionalSync
from router.tables import requests, settling
from router.tables.requests import RequestRow

log = structlog.get_logger("router")


WOKEN = 1_000
"""How many requests are asked for at once when a rule goes on."""

LEFT_BEHIND_SECONDS = 20.0
"""How long after its time limit a `sync` request that was not settled is taken up by a worker."""

RETRY = RetryConfig().policy()
"""How often the requests of providers are tried."""

ONCE = RetryConfig(attempts=1).policy()
"""How often the requests of a deleted configuration are tried: there is nothing to wait for."""

Present = Callable[[Principal], Awaitable[Principal]]
"""Returns somebody with what they may do now; raises `Forbidden` when an account is gone or disabled."""


class Execution:
    """Executes requests of rules and providers; as a job kind, those that were accepted for later."""

    name = requests.KIND

    def __init__(
        self,
        bus: Bus,
        table: RouteTable,
        fixed: FixedRoutes,
        inbox: Inbox,
        jobs: JobQueue,
        lanes: Lanes,
        answers: Answers,
        present: Present,
        clock: Clock,
        sync_seconds: float,
        seal: RequestSeal,
        shares: Shares,
    ) -> None:
        """Take the bus and where requests and their rules are found."""
        self._bus = bus
        self._database: Database = bus.database
        self._table = table
        self._fixed = fixed
        self.inbox = inbox
        self._jobs = jobs
        self._answers = answers
        self._present = present
        self._clock = clock
        self._sync_seconds = sync_seconds
        self._seal = seal
        self._shares = shares
        self._settling = Settling(bus, jobs, lanes, clock)
        self._unfinished: dict[str, asyncio.Task[Outcome]] = {}

    def pending(self, tx: Transaction, limit: int) -> Sequence[Job]:
        """See `JobKind.pending`."""
        return pending(tx, limit)

    async def run(self, job: Job) -> None:
        """See `JobKind.run`."""
        if job.ref in self._unfinished:
            await asyncio.wait((self._unfinished[job.ref],))
        row = await self._open_row(job)
        if row is None or self._table.rests(row.organization_id):
            return  # the reconciler wakes it when the organisation is switched on
        call = await beside_loop(len(row.body), partial(self._seal.whole, row))
        rule = await self._rule_of(row)
        if rule is not None and rule.paused and await self._is_paused(rule.id):
            return  # it is woken when the rule goes on
        settlement = self.settlement(row, rule)
        with contextlib.suppress(Fenced):  # somebody else has done this attempt
            await self._execute(row, call, rule, settlement)

    def settlement(self, row: RequestRow, rule: Rule | None) -> RequestSettlement:
        """Return what settles the next attempt of a request, which begins now."""
        return RequestSettlement(row, _policy(row, rule), self._settling)

    async def give_up(self, job: Job, error: Poisoned) -> None:
        """See `JobKind.give_up`."""
        row = await self._open_row(job)
        if row is not None:
            settlement = RequestSettlement(row, ONCE, self._settling)
            with contextlib.suppress(Fenced):
                await self._database.write(lambda tx: self._poisoned(tx, settlement, job.ref, error))

    def _poisoned(self, tx: Transaction, settlement: RequestSettlement, request_id: str, error: Poisoned) -> None:
        settlement.settle(tx, None, Outcome(error=error))
        settling.note_cause(tx, request_id, requests.POISONED)

    async def _open_row(self, job: Job) -> RequestRow | None:
        """Return the request if it still waits for this attempt."""
        row = self.inbox.recent.take(job)
        if row is None:
            row = await self._database.read(lambda tx: requests.find_request(tx, None, job.ref))
        return row if row is not None and row.attempt == job.attempt and row.state in requests.OPEN_STATES else None

    async def _execute(
        self, row: RequestRow, call: InboundCall, rule: Rule | None, settlement: RequestSettlement
    ) -> None:
        try:
            message, principal = await self._message(row, call, rule)
        except Exception as error:
            failure = self._as_failure(error, call)
            await self._database.write(lambda tx: settlement.settle(tx, None, Outcome(error=failure)))
            return
        request_id = f"{call.id}:{row.run}" if row.run else call.id  # executed once more, although it had succeeded
        envelope = Envelope(
            message,
            principal,
            request_id,
            call.id,
            address=call.address,
            depth=self.depth_of(call),
            recorder=settlement,
        )
        is_effect = self._bus.registry.of(message).kind == "effect"
        with self._shares.place(row.organization_id) if is_effect else contextlib.nullcontext():
            await self._bus.execute(envelope)

    def depth_of(self, call: InboundCall) -> int:
        """Return how many messages led to a request: some, where a delivery of ours has become it."""
        return self._bus.marks.depth_of(call.headers.get(CAUSE))

    async def at_once(self, call: InboundCall, rule: Rule, source: Source, key: str | None) -> Answer:
        """Execute a request while its caller waits; after the time limit answer 202 and go on."""
        try:
            message = await beside_loop(call.weight, partial(rule.message, call))
            principal = await self.principal_of(rule)
        except Exception as error:
            return await self._refuse(call, source, self._as_failure(error, call))
        registration = self._bus.registry.of(message)
        row = await self.inbox.row_of(call, source, requests.RUNNING, dedupe_key=source.dedupe_key(key))

        def answer(outcome: Outcome) -> Answer:
            outcome.message = registration.message_type.succeeded
            return self._answers.outcome(call, rule, outcome, registration.message_type.failed)

        def remembered(outcome: Outcome) -> Answer | None:
            return answer(outcome) if outcome.ok and not has_refused(rule, outcome) else None

        def enveloped(recorder: SyncRecorder) -> Envelope:
            depth = self.depth_of(call)
            return Envelope(message, principal, call.id, address=call.address, depth=depth, recorder=recorder)

        async def attempt() -> tuple[Outcome | None, SyncRecorder]:
            if registration.kind == "effect":
                kind = EffectSync if key is not None else DeferredSync
                recorder = kind(row, self._clock, remembered, self._seal, self._jobs, self._taken_up(call))
                return await self._within_limit(enveloped(recorder), recorder), recorder
            recorder = TransactionalSync(row, self._clock, remembered, self._seal)
            return await self._in_one_go(enveloped(recorder), recorder), recorder

        outcome, recorder = await self._once_the_first_is_over(attempt, rule)
        if recorder.first is not None:
            await self.inbox.repeat(call, source, recorder.first)
            return self._answers.again(recorder.first)
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
            task = self._unfinished.get(first.request_id)
            left = deadline - time.monotonic()
            if task is None or left <= 0:
                raise Overloaded("The same request is being executed just now; send it again in a moment")
            await asyncio.wait((task,), timeout=left)

    def _is_overdue(self, row: RequestRow) -> bool:
        return (self._clock() - row.received_at).total_seconds() >= self._sync_seconds

    def _taken_up(self, call: InboundCall) -> Job:
        """Return the job that takes up what a process leaves behind that ends while it executes."""
        due = call.received_at + timedelta(seconds=self._sync_seconds + LEFT_BEHIND_SECONDS)
        return Job(requests.KIND, call.id, 0, due)

    async def drain(self, seconds: float) -> None:
        """Wait for what goes on after its time limit; what is cut off is left to the next worker."""
        tasks = dict(self._unfinished)
        if tasks:
            await asyncio.wait(tasks.values(), timeout=seconds)
        cut_off = [request_id for request_id, task in tasks.items() if task.cancel()]
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        if cut_off:
            await self._database.write(lambda tx: self._hand_over(tx, cut_off))

    def _hand_over(self, tx: Transaction, request_ids: Sequence[str]) -> None:
        jobs = [Job(requests.KIND, request_id, 0, self._clock()) for request_id in request_ids]
        self._jobs.cancel(tx, *jobs)
        self._jobs.enqueue(tx, *jobs)

    async def principal_of(self, rule: Rule, sender: Authority | None = None) -> Principal:
        """Return what a rule may do: what its author (or `runAs`) could when it was saved and still can.

        Of a request that a `sender` made by hand it does what that one may do, too.
        """
        authority = rule.authority if sender is None else rule.authority.joined(sender)
        return await self._present(acting("rule", f"rule:{rule.id}", rule.key, rule.organization_id, authority))

    async def _rule_of(self, row: RequestRow) -> Rule | None:
        """Return the request's rule as it is now, which this process may not have seen yet."""
        if row.config_id is None:
            return None
        rule = self._table.by_id(row.config_id)
        if rule is None or rule.revision < (row.revision or 0):
            await self._table.refresh()
            rule = self._table.by_id(row.config_id)
        return rule

    async def _is_paused(self, config_id: int) -> bool:
        """Tell whether a rule is paused still; that it goes on this process may not have seen yet."""
        await self._table.refresh()
        rule = self._table.by_id(config_id)
        return rule is not None and rule.paused

    async def wake(self) -> None:
        """Ask for the oldest requests that wait without a job, as those of a rule that goes on.

        The reconciler asks for the others within a minute.
        """
        waiting = await self._database.read(lambda tx: pending(tx, WOKEN))
        await self._database.write(lambda tx: self._jobs.enqueue(tx, *waiting))

    async def _message(self, row: RequestRow, call: InboundCall, rule: Rule | None) -> tuple[Message[Any], Principal]:
        if row.provider is not None:
            return await beside_loop(call.weight, partial(self._provider_message, row.provider, call))
        if rule is None:
            raise NotFound("the configuration was deleted before the request was executed")
        sender = None if row.resent_for is None else Authority.from_json(row.resent_for)
        return await beside_loop(call.weight, partial(rule.message, call)), await self.principal_of(rule, sender)

    def _provider_message(self, name: str, call: InboundCall) -> tuple[Message[Any], Principal]:
        entry = (self._fixed.find(call.path) or {}).get(call.method)
        if entry is None:
            raise NotFound(f"the provider {name} is switched off")
        provider, route = entry
        try:
            reception = route.read(Call(call.method, call.headers, call.parameters, call.content, call.address))
        except Refusal as refusal:
            raise Failed(refusal.cause) from refusal
        principal = Principal("provider", f"provider:{name}", name, 1, provider.permissions)
        return self._bus.registry.decode(reception.message_type, reception.fields), principal

    def _as_failure(self, error: Exception, call: InboundCall) -> BpmError:
        """Return what a request failed with; raises what says nothing about it, so that it is tried again."""
        if isinstance(error, Unavailable) or self._database.is_outage(error):
            raise error
        if isinstance(error, BpmError):
            error.errors = _discreet(error.errors, call)
            return error
        if isinstance(error, ValueError):
            return Failed(*_discreet((str(error),), call))
        with hidden_from_logs(_payload_of(call)):
            log.error("request can't be made a message", request_id=call.id, exc_info=error)
        return Defect()

    async def _refuse(self, call: InboundCall, source: Source, error: BpmError) -> Answer:
        row = await self.inbox.row_of(call, source, requests.FAILED, errors=list(error.errors), attempt=1)
        await self._database.append((requests.INBOUND, row), size=len(call.body))
        return problem(error, call.id)

    async def _in_one_go(self, envelope: Envelope, recorder: "SyncRecorder") -> Outcome | None:
        """Execute; None when the unique index knew the provider's id, which has undone the effect."""
        try:
            return await self._bus.execute(envelope)
        except IntegrityError:
            recorder.first = await self._database.write(recorder.find_first)
        return await self._bus.execute(envelope) if recorder.first is None else None

    async def _within_limit(self, envelope: Envelope, recorder: EffectSync) -> Outcome | None:
        """Execute, and return None at the time limit; then the request is on disk, for its caller is told so."""
        task = self._unfinished[envelope.request_id] = asyncio.create_task(self._bus.execute(envelope))
        task.add_done_callback(lambda _: self._unfinished.pop(envelope.request_id))
        done, _ = await asyncio.wait((task,), timeout=self._sync_seconds)
        if not done and recorder.can_wait:
            await self._database.write(lambda tx: recorder.before(tx, envelope))
        return task.result() if done else None


def _discreet(sentences: Sequence[str], call: InboundCall) -> tuple[str, ...]:
    """Return sentences without the secrets that the request's body holds: they are written down."""
    return without_secrets_of(sentences, _payload_of(call))


def _payload_of(call: InboundCall) -> Any:
    with contextlib.suppress(ValueError):
        return call.payload.value
    return None


def _policy(row: RequestRow, rule: Rule | None) -> RetryPolicy:
    if rule is not None:
        return rule.retry
    return RETRY if row.provider is not None else ONCE
