"""Runs a message's real handler and rolls everything back."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

import structlog

from bpm.bus.context import Context, EffectContext, Sender
from bpm.bus.dry_run_result import DryRunResult
from bpm.bus.effects import run_handler
from bpm.bus.envelope import Envelope
from bpm.bus.error_redaction import redact_error, secrets_of
from bpm.bus.later import Later
from bpm.bus.log_ids import Handling
from bpm.bus.outcome import Outcome
from bpm.errors import BpmError, Defect, Failed
from bpm.security.permissions import Permission, Principal
from bpm.security.redaction import hidden_from_logs
from bpm.store import Transaction

R = TypeVar("R")

log = structlog.get_logger("bpm.bus")


class DryRun:
    """Stands in for the bus: every transaction is undone, and no effect is run that reaches outside.

    Each message finds the database as it is, without what the ones before it would have changed.
    """

    def __init__(self, bus: Sender) -> None:
        """Stand before the bus."""
        self.registry = bus.registry
        self.database = bus.database
        self.box = bus.box
        self.sent: list[DryRunResult] = []
        self._bus = bus
        self.causes = bus.causes

    def now(self) -> datetime:
        """Return the present moment of the injected clock."""
        return self._bus.now()

    def perform(self, tx: Transaction, envelope: Envelope) -> Any:
        """Run a handler in a transaction that will be undone."""
        return self._bus.perform(tx, envelope)

    def perform_work(self, tx: Transaction, envelope: Envelope, work: Callable[[Context], Any]) -> Any:
        """Run what a handler concludes with in a transaction that will be undone."""
        return self._bus.perform_work(tx, envelope, work)

    def schedule(self, tx: Transaction, envelope: Envelope, later: Later) -> None:
        """Keep a message in a transaction that will be undone."""
        self._bus.schedule(tx, envelope, later)

    def require(self, tx: Transaction, principal: Principal, permission: Permission, purpose: str) -> None:
        """Raise `Forbidden` when somebody lacks a permission now."""
        self._bus.require(tx, principal, permission, purpose)

    def authorise(self, tx: Transaction, envelope: Envelope) -> Envelope:
        """Return the envelope with what its sender may do now; raises `Forbidden` and `Failed`."""
        return self._bus.authorise(tx, envelope)

    async def rehearse(self, envelope: Envelope) -> DryRunResult:
        """Run a message's handler, roll back, and return its outcome with the messages it sent."""
        inner = DryRun(self._bus)
        outcome = await inner._outcome(envelope)
        return DryRunResult(envelope, outcome, inner.sent)

    async def execute(self, envelope: Envelope) -> Outcome:
        """Send a message that the rehearsed handler sends, and remember it."""
        rehearsed = await self.rehearse(envelope)
        self.sent.append(rehearsed)
        return rehearsed.outcome

    async def note(self, envelope: Envelope, work: Callable[[Context], object]) -> None:
        """Write down nothing that stays."""
        await self.database.write(lambda tx: run_and_undo(tx, lambda: work(Context(self, envelope, tx))))

    async def _outcome(self, envelope: Envelope) -> Outcome:
        with Handling(envelope):
            try:
                return Outcome(data=await self._run(envelope))
            except BpmError as error:
                return Outcome(error=redact_error(envelope, error))
            except Exception:
                with hidden_from_logs(*secrets_of(envelope)):
                    log.exception("rehearsed handler failed", type=envelope.name)
                return Outcome(error=Defect())

    async def _run(self, envelope: Envelope) -> Any:
        registration = self.registry.of(envelope.message)
        if registration.kind == "query":
            return await self.database.read(lambda tx: self.perform(tx, envelope))
        if registration.kind == "transactional":
            return await self.database.write(lambda tx: run_and_undo(tx, lambda: self.perform(tx, envelope)))
        envelope = await self.database.read(lambda tx: self.authorise(tx, envelope))
        if not registration.message_type.rehearsable:
            raise Failed(f"{envelope.name} reaches outside the database, so it is not sent in a rehearsal")
        context = EffectContext(self, envelope, lambda work: self._conclude(envelope, work))
        handler = registration.invoke(envelope.message, context)
        return registration.shown_to(envelope.principal, await run_handler(handler, envelope.name, None, context.clock))

    async def read(self, envelope: Envelope, work: Callable[[Transaction], R]) -> R:
        """Read on behalf of a message."""
        return await self.database.read(work)

    async def _conclude(self, envelope: Envelope, work: Callable[[Context], Any]) -> Outcome:
        try:
            data = await self.database.write(lambda tx: run_and_undo(tx, lambda: work(Context(self, envelope, tx))))
        except BpmError as error:
            return Outcome(error=error)
        return Outcome(data=data)


class _Undone(Exception):
    """Raised to roll a savepoint back."""


def run_and_undo(tx: Transaction, work: Callable[[], R]) -> R:
    """Run the work in a savepoint, roll back, and return its result; raises what the work raises."""
    results: list[R] = []
    with suppress(_Undone), tx.savepoint():
        results.append(work())
        raise _Undone
    return results[0]
