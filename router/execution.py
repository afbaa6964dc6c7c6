"""From a stored request to its effect: by a worker, or at once for callers that wait."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from sqlalchemy.exc import IntegrityError

from bpm.bus import Bus, Envelope, Message, Outcome
from bpm.clock import Clock
from bpm.errors import BpmError, Defect, Failed, Fenced, NotFound, Unavailable
from bpm.jobs import Job, JobQueue
from bpm.security.permissions import Principal, shared_permissions
from bpm.store import Database, Transaction
from router import tables
from router.answers import Answers, accepted
from router.config import RetryConfig
from router.fixed import FixedRoutes
from router.inbox import KIND, Inbox, Settlement, Source, kept_result, pending, row_of
from router.providers import Answer, Call, Refusal
from router.request import InboundCall
from router.rule import Rule
from router.table import RouteTable

log = structlog.get_logger("router")

RETRY = RetryConfig()
"""How often the requests of providers are tried."""

Holder = Callable[[str], Awaitable[Principal]]
"""Returns an account as it is now; raises `NotFound` or `Forbidden` when it is gone or disabled."""


class Execution:
    """Executes requests of rules and providers; as a job kind, those that were accepted for later."""

    name = KIND

    def __init__(
        self,
        bus: Bus,
        table: RouteTable,
        fixed: FixedRoutes,
        inbox: Inbox,
        jobs: JobQueue,
        answers: Answers,
        holder: Holder,
        clock: Clock,
        sync_seconds: float,
    ) -> None:
        """Take the bus and where requests and their rules are found."""
        self._bus = bus
        self._database: Database = bus.database
        self._table = table
        self._fixed = fixed
        self._inbox = inbox
        self._jobs = jobs
        self._answers = answers
        self._holder = holder
        self._clock = clock
        self._sync_seconds = sync_seconds
        self._unfinished: dict[str, asyncio.Task[Outcome]] = {}

    def pending(self, tx: Transaction, limit: int) -> Sequence[Job]:
        """See `JobKind.pending`."""
        return pending(tx, limit)

    async def run(self, job: Job) -> None:
        """See `JobKind.run`."""
        if job.ref in self._unfinished:
            return
        row = await self._database.read(lambda tx: tables.inbound_by_id(tx, job.ref))
        if row is None or row.attempt != job.attempt or row.state not in tables.OPEN_STATES:
            return
        call = call_of(row)
        rule = self._table.by_id(row.config_id) if row.config_id is not None else None
        settlement = Settlement(self._jobs, self._clock, job, rule.retry if rule else RETRY)
        with contextlib.suppress(Fenced):  # somebody else has done this attempt
            await self._execute(row, call, rule, settlement)

    async def _execute(self, row: Any, call: InboundCall, rule: Rule | None, settlement: Settlement) -> None:
        try:
            message, principal = await self._message(row, call, rule)
        except Exception as error:
            failure = self._as_failure(error, call)
            await self._database.write(lambda tx: settlement.settle(tx, None, Outcome(error=failure)))
            return
        await self._bus.execute(Envelope(message, principal, call.id, address=call.address, recorder=settlement))

    async def at_once(self, call: InboundCall, rule: Rule, source: Source, key: str | None) -> Answer:
        """Execute a request while its caller waits; after the time limit answer 202 and go on."""
        try:
            message = rule.dispatch(call.scope(rule.path_values(call.path)))
            principal = await self.principal_of(rule)
        except Exception as error:
            return await self._refuse(call, source, self._as_failure(error, call))
        registration = self._bus.registry.of(message)
        row = row_of(call, source, tables.RUNNING, dedupe_key=source.dedupe_key(key))

        def answer(outcome: Outcome) -> Answer:
            outcome.message = registration.message_type.succeeded
            return self._answers.outcome(call, rule, outcome, registration.message_type.failed)

        if registration.kind == "effect":
            recorder: AtOnce = AheadOfEffect(row, self._clock, answer)
            outcome = await self._within_limit(_enveloped(message, principal, call, recorder))
        else:
            recorder = WithEffect(row, self._clock, answer)
            outcome = await self._in_one_go(_enveloped(message, principal, call, recorder), recorder)
        if recorder.first is not None:
            await self._inbox.repeat(call, source, recorder.first)
            return self._answers.again(recorder.first)
        if outcome is None:
            return accepted(call.id, 202)
        return answer(outcome)  # a process may have gone on since its first rest was written down

    async def drain(self, seconds: float) -> None:
        """Wait for what goes on after its time limit; what is cut off is taken up at the next start."""
        tasks = list(self._unfinished.values())
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def principal_of(self, rule: Rule) -> Principal:
        """Return what a rule may do: what its author (or `runAs`) could when it was saved and still can."""
        holder = await self._holder(rule.run_as_id or rule.author_id)
        may = shared_permissions(rule.permissions, holder.permissions)
        return Principal("rule", f"rule:{rule.id}", rule.key, rule.organization_id, may)

    async def _message(self, row: Any, call: InboundCall, rule: Rule | None) -> tuple[Message[Any], Principal]:
        if row.provider is not None:
            return self._provider_message(row.provider, call)
        if rule is None:
            raise NotFound("the configuration was deleted before the request was executed")
        return rule.dispatch(call.scope(rule.path_values(call.path))), await self.principal_of(rule)

    def _provider_message(self, name: str, call: InboundCall) -> tuple[Message[Any], Principal]:
        entry = (self._fixed.find(call.path) or {}).get(call.method)
        if entry is None:
            raise NotFound(f"the provider {name} is switched off")
        provider, route = entry
        try:
            reception = route.read(Call(call.method, call.headers, call.query, call.body, call.address))
        except Refusal as refusal:
            raise Failed(refusal.cause) from refusal
        principal = Principal("provider", f"provider:{name}", name, 1, provider.permissions)
        return self._bus.registry.decode(reception.message_type, reception.fields), principal

    def _as_failure(self, error: Exception, call: InboundCall) -> BpmError:
        """Return what a request failed with; raises what says nothing about it, so that it is tried again."""
        if isinstance(error, Unavailable) or self._database.is_outage(error):
            raise error
        if isinstance(error, BpmError):
            return error
        if isinstance(error, ValueError):
            return Failed(str(error))
        log.error("request can't be made a message", request_id=call.id, exc_info=error)
        return Defect()

    async def _refuse(self, call: InboundCall, source: Source, error: BpmError) -> Answer:
        row = row_of(call, source, tables.FAILED, errors=list(error.errors), attempt=1)
        await self._database.append((tables.INBOUND, row), size=len(call.body))
        return self._answers.problem(error, call.id)

    async def _in_one_go(self, envelope: Envelope, recorder: "AtOnce") -> Outcome | None:
        """Execute; None when the unique index knew the provider's id, which has undone the effect."""
        try:
            return await self._bus.execute(envelope)
        except IntegrityError:
            recorder.first = await self._database.write(recorder.find_first)
        return await self._bus.execute(envelope) if recorder.first is None else None

    async def _within_limit(self, envelope: Envelope) -> Outcome | None:
        task = self._unfinished[envelope.request_id] = asyncio.create_task(self._bus.execute(envelope))
        task.add_done_callback(lambda ended: self._end(envelope.request_id, ended))
        done, _ = await asyncio.wait((task,), timeout=self._sync_seconds)
        return task.result() if done else None

    def _end(self, request_id: str, task: asyncio.Task[Outcome]) -> None:
        """Leave to a worker what was stored but could not be settled."""
        del self._unfinished[request_id]
        if not task.cancelled() and task.exception() is not None:
            self._jobs.remember(Job(KIND, request_id, 0, self._clock()))


class AtOnce:
    """Stores and settles a request that is executed while its caller waits.

    `first` is the request that carried the same provider's id before, if there was one.
    """

    def __init__(self, row: dict[str, Any], clock: Clock, answer: Callable[[Outcome], Answer]) -> None:
        """Take the request's row and how its outcome is answered."""
        self._row = row
        self._clock = clock
        self._answer = answer
        self.first: Any = None

    def before(self, tx: Transaction, envelope: Envelope) -> Outcome | None:
        """Nothing is known before."""

    def after(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> None:
        """Write the outcome beside the effect."""
        raise NotImplementedError

    def find_first(self, tx: Transaction) -> Any:
        """Return the first request with the provider's id; None when that was too long ago to count."""
        key = self._row["dedupe_key"]
        return tables.first_with_key(tx, key, self._row["received_at"]) if key is not None else None

    def _settled(self, envelope: Envelope, outcome: Outcome) -> dict[str, Any]:
        """Return the row's columns after the execution; the answer where it may have to be given again.

        A failure is not remembered as the answer to its id: the caller knows it, and may try again.
        """
        key = self._row["dedupe_key"] if outcome.ok else None
        first = self._answer(outcome) if key is not None else None
        return {
            "state": tables.DONE if outcome.ok else tables.FAILED,
            "attempt": 1,
            "completed_at": self._clock(),
            "message_type": envelope.name,
            "result": kept_result(outcome),
            "errors": list(outcome.error.errors) if outcome.error else None,
            "dedupe_key": key,
            "answer_status": first.status if first else None,
            "answer_type": first.content_type if first else None,
            "answer_body": first.body if first else None,
        }


class WithEffect(AtOnce):
    """Writes the request together with its effect, as one row with the group's others."""

    def after(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> None:
        """See `AtOnce.after`; a provider's id that is known fails the unit, and with it the effect."""
        tx.append(tables.INBOUND, {**self._row, **self._settled(envelope, outcome)})


class AheadOfEffect(AtOnce):
    """Puts the request on disk before the handler reaches outside, and settles it afterwards."""

    def before(self, tx: Transaction, envelope: Envelope) -> Outcome | None:
        """Insert the request, or find the first one with the same id."""
        if self._row["dedupe_key"] is None:
            tables.insert(tx, self._row)
            return None
        self.first = tables.insert_unless_known(tx, self._row)
        return Outcome(replayed=True) if self.first is not None else None

    def after(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> None:
        """See `AtOnce.after`."""
        tables.finish(tx, self._row["request_id"], self._settled(envelope, outcome))


def _enveloped(message: Message[Any], principal: Principal, call: InboundCall, recorder: AtOnce) -> Envelope:
    return Envelope(message, principal, call.id, address=call.address, recorder=recorder)


def call_of(row: Any) -> InboundCall:
    """Return a stored request as it came."""
    return InboundCall(
        method=row.method,
        path=row.path,
        headers=row.headers,
        query_string=row.query,
        address=row.address,
        received_at=row.received_at,
        body=row.body,
        id=row.request_id,
    )
