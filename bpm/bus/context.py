"""What a handler may do besides its own work: read, write, and send further messages."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from bpm.bus.correlation_budget import CorrelationBudget
from bpm.bus.dry_run_result import DryRunResult
from bpm.bus.effect_clock import EffectClock
from bpm.bus.envelope import Envelope
from bpm.bus.later import Later
from bpm.bus.messages import Message, Query
from bpm.bus.outcome import Outcome
from bpm.bus.own_events import publish_caused
from bpm.errors import BpmError, Failed
from bpm.security.permissions import Permission, Principal
from bpm.security.secrets import SecretBox
from bpm.store import Database, Transaction
from bpm.store.session import ScopedSession
from bpm.threads import beside_loop, size_of

if TYPE_CHECKING:
    from bpm.bus.registry import Registry

R = TypeVar("R")


class Sender(Protocol):
    """The part of the bus that contexts lean on."""

    registry: "Registry"
    database: Database
    causes: CorrelationBudget
    box: SecretBox

    def now(self) -> datetime:
        """Return the present moment of the injected clock."""
        ...

    async def read(self, envelope: Envelope, work: Callable[[Transaction], R]) -> R:
        """Read on behalf of a message, when it is its organisation's turn."""
        ...

    def perform(self, tx: Transaction, envelope: Envelope) -> Any:
        """Run a transactional handler or query inside `tx`."""
        ...

    def perform_work(self, tx: Transaction, envelope: Envelope, work: Callable[["Context"], Any]) -> Any:
        """Run what an effect's handler concludes with inside `tx`."""
        ...

    def schedule(self, tx: Transaction, envelope: Envelope, later: Later) -> None:
        """Keep a message that `envelope` asks for."""
        ...

    def require(self, tx: Transaction, principal: Principal, permission: Permission, purpose: str) -> None:
        """Raise `Forbidden` when somebody lacks a permission now."""
        ...

    def authorise(self, tx: Transaction, envelope: Envelope) -> Envelope:
        """Return the envelope with what its sender may do now; raises `Forbidden`, and `Failed` when it is too deep."""
        ...

    async def execute(self, envelope: Envelope) -> Outcome:
        """Take a message through the whole pipeline."""
        ...

    async def rehearse(self, envelope: Envelope) -> DryRunResult:
        """Take a message to its handler and undo what it did."""
        ...

    async def note(self, envelope: Envelope, work: Callable[["Context"], object]) -> None:
        """Write something down on behalf of `envelope`, in a transaction of its own."""
        ...


class Context:
    """Given to transactional handlers and queries; everything done here commits or fails as one."""

    __slots__ = ("_bus", "envelope", "tx")

    def __init__(self, bus: Sender, envelope: Envelope, tx: Transaction) -> None:
        """Stand inside `tx` on behalf of `envelope`."""
        self._bus = bus
        self.envelope = envelope
        self.tx = tx

    @property
    def principal(self) -> Principal:
        """Who sends the message."""
        return self.envelope.principal

    @property
    def organization_id(self) -> int:
        """The organisation whose rows this handler sees."""
        return self.envelope.principal.organization_id

    @property
    def session(self) -> ScopedSession:
        """A session of the caller's organisation, inside the transaction."""
        return self.tx.session(self.organization_id)

    @property
    def causes(self) -> CorrelationBudget:
        """What counts how much one cause sets in motion."""
        return self._bus.causes

    @property
    def box(self) -> SecretBox:
        """What seals secrets that are stored to be used later."""
        return self._bus.box

    def now(self) -> datetime:
        """Return the present moment."""
        return self._bus.now()

    def send(self, message: Message[R], principal: Principal | None = None, depth: int = 1) -> R:
        """Send a transactional message in the same transaction; its failure is raised here and undone.

        `depth` is as in `later`.
        """
        changes: dict[str, Any] = {"principal": principal} if principal else {}
        return self._bus.perform(self.tx, self.envelope.caused(message, depth=self.envelope.depth + depth, **changes))

    def call(self, name: str, fields: Mapping[str, Any], principal: Principal | None = None, depth: int = 1) -> Any:
        """Send by `$type`, for areas that do not know each other; returns plain JSON values."""
        message = self._bus.registry.decode(name, fields)
        return self._bus.registry.plain(message, self.send(message, principal, depth))

    def do_part(self, part: Envelope, work: Callable[["Context"], Any]) -> Any:
        """Do in this transaction what a message of `EffectContext.of_part` concludes with; its failure is raised."""
        return self._bus.perform_work(self.tx, part, work)

    def publish(self, event: str, data: Mapping[str, Any], publisher: Principal, depth: int = 1) -> None:
        """Publish an event of the product's own, as `bpm.bus.own_events` says."""
        publish_caused(self._bus, self.tx, self.envelope, publisher, event, data, depth)

    def later(
        self,
        name: str,
        fields: Mapping[str, Any],
        *,
        delay: timedelta = timedelta(),
        key: str | None = None,
        principal: Principal | None = None,
        depth: int = 1,
    ) -> None:
        """Send by `$type` after `delay`, as this sender or another, retried until it succeeds.

        What the sender may do is asked when the message is sent, not now.

        With `key`, nothing happens while a message with that key is waiting already. `depth` 0 is for the rest of the
        sender's own work, which is no further from its cause.
        """
        sender = principal or self.principal.without_loan()
        envelope = replace(self.envelope, principal=sender)
        self._bus.schedule(self.tx, envelope, Later(name, dict(fields), delay, key, depth))

    def require(self, principal: Principal, permission: Permission, purpose: str) -> None:
        """Raise `Forbidden` when somebody lacks a permission at this moment; `purpose` begins the sentence."""
        self._bus.require(self.tx, principal, permission, purpose)

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Call back in the event loop once the effect is on disk."""
        self.tx.after_commit(callback)


def _as_it_is(coroutine: Coroutine[Any, Any, R]) -> Coroutine[Any, Any, R]:
    return coroutine


class EffectContext:
    """Given to effects; no transaction is open, so the outcome is recorded by sending commands.

    What its methods do is done in the event loop that answers requests, wherever the handler runs: `run_here` takes it
    there.
    """

    __slots__ = ("_begin", "_begun", "_bus", "_conclude", "clock", "concluded", "envelope", "run_here")

    def __init__(
        self,
        bus: Sender,
        envelope: Envelope,
        conclude: Callable[[Callable[[Context], Any]], Coroutine[Any, Any, Outcome]],
        begin: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        """Act on behalf of `envelope`; `begin` is waited for before the first command is sent."""
        self._bus = bus
        self._conclude = conclude
        self._begin = begin
        self._begun: asyncio.Task[None] | None = None
        self.envelope = envelope
        self.concluded: Outcome | None = None
        self.clock = EffectClock()
        self.run_here: Callable[[Coroutine[Any, Any, Any]], Coroutine[Any, Any, Any]] = _as_it_is

    @property
    def principal(self) -> Principal:
        """Who sends the message."""
        return self.envelope.principal

    @property
    def organization_id(self) -> int:
        """The organisation of the sender."""
        return self.envelope.principal.organization_id

    def end(self, error: BpmError) -> None:
        """Raise `error` from now on: the handler was given up, and what it still asks for comes too late."""

        def refuse(coroutine: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
            coroutine.close()
            raise error

        self.run_here = refuse

    @property
    def effect_key(self) -> str:
        """The key by which a receiver tells a repeated call from a new one; see `Envelope.effect_key`."""
        return self.envelope.effect_key

    def now(self) -> datetime:
        """Return the present moment."""
        return self._bus.now()

    async def send(
        self, message: Message[R], principal: Principal | None = None, idempotency_key: str | None = None
    ) -> R:
        """Send any message and wait for its result; its failure is raised here."""
        return (await self.run_here(self._outcome(message, principal, idempotency_key))).unwrap()

    async def _outcome(
        self, message: Message[Any], principal: Principal | None, idempotency_key: str | None
    ) -> Outcome:
        changes: dict[str, Any] = {"principal": principal} if principal else {}
        envelope = self.envelope.caused(message, **changes)
        if idempotency_key is not None:
            envelope = envelope.keyed(idempotency_key)
        if self._begin is not None and not isinstance(message, Query):
            self._begun = self._begun or asyncio.create_task(self._begin())
            await self._begun
        return await self._bus.execute(envelope)

    async def call(
        self,
        name: str,
        fields: Mapping[str, Any],
        principal: Principal | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Send by `$type`; returns plain JSON values."""
        return await self.run_here(self._called(name, fields, principal, idempotency_key))

    async def _called(
        self, name: str, fields: Mapping[str, Any], principal: Principal | None, idempotency_key: str | None
    ) -> Any:
        registry = self._bus.registry
        message = await beside_loop(size_of(fields), lambda: registry.decode(name, fields), self.organization_id)
        outcome = await self._outcome(message, principal, idempotency_key)
        data = outcome.unwrap()
        size = len(outcome.json or b"")
        return await beside_loop(size, lambda: registry.plain(message, data), self.organization_id)

    async def rehearse(self, message: Message[Any], principal: Principal | None = None) -> DryRunResult:
        """Find out what would become of a message; nothing of it is kept."""
        changes: dict[str, Any] = {"principal": principal} if principal else {}
        return await self.run_here(self._bus.rehearse(self.envelope.caused(message, **changes)))

    async def conclude(self, work: Callable[[Context], R]) -> R:
        """Run `work` in the transaction that also settles the request, as the handler's last act."""
        self.concluded = outcome = await self.run_here(self._conclude(work))
        return outcome.unwrap()

    async def of_part(
        self, message: Message[Any], conclude: Callable[[Callable[[Context], Any]], Coroutine[Any, Any, Outcome]]
    ) -> "EffectContext":
        """Return a context for a message that is one part of this one; see `bpm.bus.batch`.

        It sends no commands of its own: these could not be undone with the others. Raises `Forbidden`.
        """
        envelope = self.envelope.caused(message)
        envelope = await self.run_here(self._bus.database.read(lambda tx: self._bus.authorise(tx, envelope)))

        async def refuse() -> None:
            raise Failed(f"{envelope.name} sends further commands, so it can't be one of several in a transaction")

        return EffectContext(self._bus, envelope, conclude, refuse)

    async def note(self, work: Callable[[Context], object]) -> None:
        """Write down what is to stay even when the handler fails, as in a record of the failure."""
        await self.run_here(self._bus.note(self.envelope, work))

    async def read(self, work: Callable[[Context], R]) -> R:
        """Look something up in a snapshot of the database."""
        return await self.run_here(
            self._bus.read(self.envelope, lambda tx: work(Context(self._bus, self.envelope, tx)))
        )
