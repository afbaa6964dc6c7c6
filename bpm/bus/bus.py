"""The bus: one way in for every message."""

from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import structlog

from bpm.bus import tables
from bpm.bus.audit import Audit
from bpm.bus.behaviors import Measured, Next, authorise, compose, demand, permit
from bpm.bus.context import Context, EffectContext
from bpm.bus.correlation_budget import CorrelationBudget
from bpm.bus.costs import Costs
from bpm.bus.dry_run import DryRun
from bpm.bus.dry_run_result import DryRunResult
from bpm.bus.effects import run_handler
from bpm.bus.envelope import Envelope
from bpm.bus.idempotency import Idempotency
from bpm.bus.key_renewal import renewed_key
from bpm.bus.later import Later, ScheduledMessages
from bpm.bus.log_ids import Handling
from bpm.bus.message_turns import MessageTurns, writes_at_once
from bpm.bus.messages import Command, Message
from bpm.bus.outcome import Outcome
from bpm.bus.registry import Registration, Registry
from bpm.bus.rights import FixedRights, Rights
from bpm.bus.running_handlers import RunningHandlers
from bpm.bus.units_of_work import UnitsOfWork
from bpm.clock import Clock, system_clock
from bpm.errors import BpmError, Failed, Forbidden, NoTurn, TookTooLong
from bpm.exact_json import write_json
from bpm.fair_slots import FairSlots
from bpm.jobs import JobQueue
from bpm.metering import MAX_MESSAGE_STEPS, budget
from bpm.security.causation_header import CausationHeader
from bpm.security.permissions import SYSTEM, Permission, Principal
from bpm.security.secrets import SecretBox
from bpm.settings import ProcessSettings
from bpm.store import Database, Transaction
from bpm.threads import beside_loop, size_of
from bpm.tracing import Tracer

R = TypeVar("R")

log = structlog.get_logger("bpm.bus")

WORKER_PLACES = 400
"""Places of a bus that shares none with others."""


class Bus:
    """Takes messages through the pipeline to their handlers; see `docs/explanation/bus.md` for the walk."""

    def __init__(
        self,
        registry: Registry,
        database: Database,
        jobs: JobQueue,
        box: SecretBox,
        clock: Clock = system_clock,
        effect_seconds: float = 60.0,
        rights: Rights | None = None,
        limits: ProcessSettings | None = None,
        tracer: Tracer | None = None,
        shares: FairSlots | None = None,
    ) -> None:
        """Stand between the registered handlers, the database and the job engine.

        `box` seals kept answers; `rights` knows what accounts may do at the moment; `shares` are a worker's places
        for what reaches outside. `limits` say how much one cause may set in motion; `tracer`, where there is a
        collector, gets spans.
        """
        self.registry = registry
        self.database = database
        self.box = box
        self.causation = CausationHeader(box)
        self.scheduled = ScheduledMessages(database, jobs, clock, box)
        self.scheduled.executor = self
        self._shares = shares or FairSlots(WORKER_PLACES)
        self.causes = CorrelationBudget(clock, limits or ProcessSettings())
        self.costs = Costs()
        self._turns = MessageTurns(writes_at_once)
        self.running = RunningHandlers(database.abandoned, database.handler_names)
        self._clock = clock
        self._effect_seconds = effect_seconds
        self._rights: Rights = rights or FixedRights()
        self._audit = Audit(clock)
        self._idempotency = Idempotency(clock, registry, box)
        self._units = UnitsOfWork(self, (self._idempotency, self._audit))
        self.tracer = tracer
        self.measured = Measured(tracer)
        self._pipeline = compose((self.measured, self._authorised), self._handle)

    def now(self) -> datetime:
        """Return the present moment of the injected clock."""
        return self._clock()

    def authorise(self, tx: Transaction, envelope: Envelope) -> Envelope:
        """Return the envelope with what its sender may do now; raises `Forbidden`, and `Failed` when it is too deep."""
        present = _sent_by(envelope, self._rights.present_in(tx, envelope.principal))
        authorise(present, self._rights, tx)
        return present

    def require(self, tx: Transaction, principal: Principal, permission: Permission, purpose: str) -> None:
        """Raise `Forbidden` when somebody lacks a permission at this moment; `purpose` begins the sentence."""
        demand(self._rights.present_in(tx, principal), permission, purpose, self._rights, tx)

    async def require_now(self, principal: Principal, permission: Permission, purpose: str) -> None:
        """Do the same outside a transaction."""
        demand(await self._rights.present(principal), permission, purpose, self._rights)

    async def send(self, message: Message[R], principal: Principal = SYSTEM) -> R:
        """Send a message and return its result; raises the error it ended with."""
        return (await self.execute(Envelope(message, principal))).unwrap()

    async def execute(self, envelope: Envelope) -> Outcome:
        """Take a message through the whole pipeline; refusals and failures are in the outcome.

        Raises only `Unavailable`, when nothing could be written down or the recorder's work is put off.
        """
        return await self._pipeline(envelope)

    def place_for(self, message: Message[Any], organization_id: int, purpose: Hashable) -> AbstractContextManager[None]:
        """Hold a worker's place while it executes an organisation's message, where that reaches outside.

        Raises `NoFreeSlot` when the organisation, or what the message is for, holds its share.
        """
        is_effect = self.registry.of(message).kind == "effect"
        return self._shares.place(organization_id, purpose) if is_effect else nullcontext()

    def seconds_for(self, registration: Registration) -> float:
        """Return how long an effect may take before it is ended."""
        return registration.message_type.time_limit or self._effect_seconds

    async def rehearse(self, envelope: Envelope) -> DryRunResult:
        """Say what would become of a message; nothing of it is kept."""
        return await DryRun(self).rehearse(envelope)

    async def note(self, envelope: Envelope, work: Callable[[Context], object]) -> None:
        """Write something down on behalf of a message, in a transaction of its own."""
        await self.database.write(lambda tx: work(Context(self, envelope, tx)))

    async def admit(self, principal: Principal, registration: Registration, request_id: str, address: str) -> None:
        """Refuse a message before its fields are read; a refused command stands in the audit log all the same.

        Raises `Forbidden`. `execute` asks again, for what the sender may do then: stored messages have no edge.
        """
        try:
            permit(principal, registration.message_type)
        except Forbidden as error:
            if issubclass(registration.message_type, Command):
                await self._note_refusal(principal, registration.name, request_id, address, error)
            raise

    async def _note_refusal(
        self, principal: Principal, name: str, request_id: str, address: str, error: BpmError
    ) -> None:
        line = self._audit.line(principal, name, request_id, address, error)
        await self.database.append((tables.AUDIT, line))

    def schedule(self, tx: Transaction, envelope: Envelope, later: Later) -> None:
        """Keep a message to be sent later, in the transaction that asks for it."""
        self.registry.find(later.name)
        self.causes.count_size(envelope, len(write_json(later.fields, serialize_unknown=True)))
        self.scheduled.schedule(tx, envelope, later)

    async def read(self, envelope: Envelope, work: Callable[[Transaction], R]) -> R:
        """Read on behalf of a message, when it is its organisation's turn."""
        return await self._units.read(envelope, work)

    def perform(self, tx: Transaction, envelope: Envelope) -> Any:
        """Run a transactional handler or query inside an open transaction, undone alone if it raises.

        Returns its result, or raises the error it ended with: `Defect` for a mistake of the handler's.
        """
        envelope = self.authorise(tx, envelope)
        self.causes.count_message(envelope)
        registration = self.registry.of(envelope.message)
        if registration.kind == "effect":
            raise Failed(f"{envelope.name} reaches outside the database, so no transaction may wait for it")
        is_query = registration.kind == "query"
        return self._performed(tx, envelope, self._invoke(registration), savepoint=not is_query)

    def perform_work(self, tx: Transaction, envelope: Envelope, work: Callable[[Context], Any]) -> Any:
        """Do the same with `work`, which the message's handler, an effect, wants to conclude with."""
        envelope = self.authorise(tx, envelope)
        self.causes.count_message(envelope)
        return self._performed(tx, envelope, self.running.within(envelope.name, work), savepoint=True)

    def _performed(
        self, tx: Transaction, envelope: Envelope, work: Callable[[Context], Any], *, savepoint: bool
    ) -> Any:
        outcome = self._units.guarded(tx, envelope, work, savepoint=savepoint, on_wire=False)
        self._audit.after(tx, envelope, outcome)
        return outcome.unwrap()

    async def _authorised(self, envelope: Envelope, proceed: Next) -> Outcome:
        """Refuse what the sender may not do now, and chains of messages that do not end.

        A recorder settles work that waits for an outcome, so it learns of refusals, too.
        """
        try:
            envelope = _sent_by(envelope, await self._rights.present(envelope.principal))
            authorise(envelope, self._rights)
            self.causes.count_message(envelope)
        except BpmError as error:
            refusal = error
        else:
            return await proceed(envelope)
        if envelope.recorder is None:
            return Outcome(error=refusal)
        return await self.database.write(lambda tx: self._units.refuse(tx, envelope, refusal))

    async def _handle(self, envelope: Envelope) -> Outcome:
        registration = self.registry.of(envelope.message)
        envelope = await self._audit.ahead(envelope)
        if registration.kind == "effect":
            return await self._effect(envelope, registration)
        work = self._invoke(registration)
        is_query = registration.kind == "query"
        try:
            if is_query:
                return await self._units.ask(envelope, work)
            return await self._write(envelope, lambda tx: self._units.run(tx, envelope, work, is_handled=True))
        except TookTooLong as error:  # the whole unit was undone, with what its recorders had written
            failure = TookTooLong(f"{envelope.name}: {error}")
        if is_query and envelope.recorder is None:
            raise failure
        return await self.database.write(lambda tx: self._units.refuse(tx, envelope, failure))

    def _invoke(self, registration: Registration) -> Callable[[Context], Any]:
        return self.running.within(
            registration.name, lambda context: registration.invoke(context.envelope.message, context)
        )

    async def _effect(self, envelope: Envelope, registration: Registration) -> Outcome:
        can_wait = _can_wait(envelope, registration)
        if not can_wait and (envelope.idempotency_key is not None or envelope.recorder is not None):
            known = await self.database.write(lambda tx: self._units.before(tx, envelope))
            if known is not None:
                return known
        begin = partial(self._begin, envelope) if can_wait else None
        context = EffectContext(self, envelope, lambda work: self._conclude(envelope, work), begin)
        seconds = self.seconds_for(registration)
        with Handling(envelope):
            try:
                handler = registration.invoke(envelope.message, context)
                renewed = renewed_key(self.database, self._idempotency, envelope)
                with budget(MAX_MESSAGE_STEPS):
                    async with renewed:
                        data = await run_handler(handler, envelope.name, seconds, context.clock)
                    settled = _settled(context, data)
                    outcome = self._units.done(envelope, data) if settled is None else settled
            except Exception as error:
                if _is_put_off(envelope, registration, error):
                    await self.database.write(lambda tx: self._idempotency.free(tx, envelope))
                    raise
                if isinstance(error, TookTooLong):
                    context.end(error)
                outcome = await self._failed(envelope, error)
        if context.concluded is None:
            await self.database.write(lambda tx: self._units.after(tx, envelope, outcome))
        return outcome

    async def _failed(self, envelope: Envelope, error: Exception) -> Outcome:
        """Return the outcome of an effect that raised: a large message is looked through beside the event loop."""
        size = size_of(envelope.message.__dict__)
        return await beside_loop(size, partial(self._units.failed, envelope, error), envelope.principal.organization_id)

    async def _begin(self, envelope: Envelope) -> None:
        """Write down that an effect is about to reach outside; raises `Fenced` when it may not."""
        await self.database.write(lambda tx: self._units.before(tx, envelope))

    async def _conclude(self, envelope: Envelope, work: Callable[[Context], Any]) -> Outcome:
        work = self.running.within(envelope.name, work)
        return await self._write(envelope, lambda tx: self._units.conclude(tx, envelope, work))

    async def _write(self, envelope: Envelope, work: Callable[[Transaction], Outcome]) -> Outcome:
        """Write on behalf of a message, when its organisation may stand in the line once more."""
        async with self._turns.of(envelope.principal.organization_id, envelope.name):
            return await self.database.write(self._turns.costs.measured(envelope.name, work))


def _sent_by(envelope: Envelope, principal: Principal) -> Envelope:
    return envelope if principal is envelope.principal else replace(envelope, principal=principal)


def _settled(context: EffectContext, data: object) -> Outcome | None:
    """Return what an effect concluded with, if that is what it returns: it is written as JSON already."""
    concluded = context.concluded
    is_returned = concluded is not None and concluded.error is None and concluded.data is data
    return concluded if is_returned else None


def _is_put_off(envelope: Envelope, registration: Registration, error: Exception) -> bool:
    """Tell whether an effect is tried again by whoever sends it, without an attempt's cost.

    So is every effect that our own database stopped, or the switch of its organisation, as after a crash; and one
    whose turn has not come, if it touches nothing outside but through its context.
    """
    recorder = envelope.recorder
    if not isinstance(error, NoTurn):
        return envelope.is_put_off_by(error)
    return recorder is not None and recorder.is_tried_again and registration.message_type.rehearsable


def _can_wait(envelope: Envelope, registration: Registration) -> bool:
    """Tell whether an effect's recorder need not be asked before the effect sends its first command."""
    recorder = envelope.recorder
    is_recorded_alone = recorder is not None and recorder.can_wait and envelope.idempotency_key is None
    return is_recorded_alone and registration.message_type.rehearsable
