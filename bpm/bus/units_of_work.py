"""Units of work of the bus: a handler, with what is recorded of it, in one transaction."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Protocol, TypeVar

import structlog

from bpm.bus.context import Context, Sender
from bpm.bus.costs import Costs
from bpm.bus.envelope import Envelope, Recorder
from bpm.bus.error_redaction import redact_error, secrets_of
from bpm.bus.log_ids import Handling
from bpm.bus.message_turns import MessageTurns, reads_at_once
from bpm.bus.outcome import Outcome
from bpm.errors import BpmError, Defect
from bpm.metering import MAX_MESSAGE_STEPS, budget
from bpm.security.redaction import hidden_from_logs
from bpm.store import PreloadRequired, TimeLimitExceeded, Transaction

T = TypeVar("T")

log = structlog.get_logger("bpm.bus")


class CountingSender(Sender, Protocol):
    """The bus, as far as units lean on it: it knows what handlers cost."""

    costs: Costs


class UnitsOfWork:
    """Runs what handlers do inside of transactions; `recorders` write beside each effect, and settle it with it."""

    def __init__(self, bus: CountingSender, recorders: tuple[Recorder, ...]) -> None:
        """Give handlers the bus."""
        self._bus = bus
        self._recorders = recorders
        self._turns = MessageTurns(reads_at_once)

    def run(
        self, tx: Transaction, envelope: Envelope, work: Callable[[Context], Any], *, is_handled: bool = False
    ) -> Outcome:
        """Effect, answer by key, settlement and audit: all in one transaction, or none.

        `is_handled`: the work is the message's handler, whose cost is noted; a refusal says nothing about that.
        """
        known = self.before(tx, envelope)
        if known is not None:
            return known
        started = time.perf_counter()
        outcome = self.conclude(tx, envelope, work)
        if is_handled:
            self._bus.costs.note(envelope.name, time.perf_counter() - started)
        return outcome

    async def ask(self, envelope: Envelope, work: Callable[[Context], Any]) -> Outcome:
        """Read beside the writer; what is recorded of it, as of a request that asked, is written afterwards."""
        started = time.perf_counter()
        outcome = await self.read(envelope, lambda tx: self.guarded(tx, envelope, work))
        if envelope.recorder is None:
            return outcome
        seconds = time.perf_counter() - started
        return await self._bus.database.write(lambda tx: self._keep(tx, envelope, outcome, seconds))

    async def read(self, envelope: Envelope, work: Callable[[Transaction], T]) -> T:
        """Read on behalf of a message, when it is its organisation's turn."""
        async with self._turns.of(envelope.principal.organization_id, envelope.name):
            return await self._bus.database.read(self._turns.costs.measured(envelope.name, work))

    def _keep(self, tx: Transaction, envelope: Envelope, outcome: Outcome, seconds: float) -> Outcome:
        """Record what was answered within so many seconds, unless it was not to be asked any more."""
        known = self.before(tx, envelope)
        if known is not None:
            return known
        self.after(tx, envelope, outcome)
        self._bus.costs.note(envelope.name, seconds)
        return outcome

    def refuse(self, tx: Transaction, envelope: Envelope, error: BpmError) -> Outcome:
        """Record that a message was refused, as `run` records what was done."""
        return self.run(tx, envelope, _raising(error))

    def conclude(self, tx: Transaction, envelope: Envelope, work: Callable[[Context], Any]) -> Outcome:
        """Do the work, and record what became of it."""
        outcome = self.guarded(tx, envelope, work, savepoint=True)
        self.after(tx, envelope, outcome)
        return outcome

    def guarded(
        self,
        tx: Transaction,
        envelope: Envelope,
        work: Callable[[Context], Any],
        *,
        savepoint: bool = False,
        on_wire: bool = True,
    ) -> Outcome:
        """Run the work; what it raised becomes the outcome, with its changes undone."""
        with Handling(envelope):
            try:
                with budget(MAX_MESSAGE_STEPS), tx.savepoint() if savepoint else nullcontext():
                    return self.done(envelope, work(Context(self._bus, envelope, tx)), on_wire=on_wire)
            except (TimeLimitExceeded, PreloadRequired):
                raise
            except BaseException as error:  # also `SystemExit`: it ends this handler, not its thread or the process
                if not isinstance(error, BpmError) and self._bus.database.is_outage(error):
                    raise
                return self.failed(envelope, error)

    def done(self, envelope: Envelope, data: object, *, on_wire: bool = True) -> Outcome:
        """Return the outcome of a handler that returned `data`, as its sender may see it."""
        registration = self._bus.registry.of(envelope.message)
        shown = registration.shown_to(envelope.principal, data)
        return Outcome(data=shown, json=registration.dump(shown) if on_wire else None)

    def failed(self, envelope: Envelope, error: BaseException) -> Outcome:
        """Return the outcome of a handler that raised: a `Defect`, which is logged, unless it is an error of ours."""
        if isinstance(error, BpmError):
            return Outcome(error=redact_error(envelope, error))
        with hidden_from_logs(*secrets_of(envelope)):
            log.error("handler failed", type=envelope.name, exc_info=error)
        return Outcome(error=Defect())

    def before(self, tx: Transaction, envelope: Envelope) -> Outcome | None:
        """Return the outcome of a message that needs no work any more, else None."""
        for recorder in self._recorders_of(envelope):
            known = recorder.before(tx, envelope)
            if known is not None:
                return known
        return None

    def after(self, tx: Transaction, envelope: Envelope, outcome: Outcome) -> None:
        """Record what became of a message; raises what only puts it off, and nothing of it is written."""
        if outcome.error is not None and envelope.is_put_off_by(outcome.error):
            raise outcome.error
        for recorder in self._recorders_of(envelope):
            recorder.after(tx, envelope, outcome)

    def _recorders_of(self, envelope: Envelope) -> tuple[Recorder, ...]:
        return self._recorders if envelope.recorder is None else (*self._recorders, envelope.recorder)


def _raising(error: BpmError) -> Callable[[Context], Any]:
    def work(_context: Context) -> Any:
        raise error

    return work
