"""Sends several messages in one transaction: all of them are done, or none.

An effect prepares outside the transaction, as by compiling a script, and concludes inside one. Here each handler runs
until it wants to conclude; then all conclude in one transaction, in the order of the messages, and each goes on.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bpm.bus.context import Context, EffectContext
from bpm.bus.effects import run_handler
from bpm.bus.messages import Message
from bpm.bus.outcome import Outcome
from bpm.bus.registry import Registry
from bpm.errors import BpmError, Failed

R = TypeVar("R")

PART_SECONDS = 120.0
"""How long a handler may take, the wait for the others included."""

Work = Callable[[Context], Any]


@dataclass(frozen=True, slots=True)
class TransactionPart:
    """One of several messages; `name` heads the sentences about it.

    `complete` is called just before the message is handled, with the results of the earlier ones, to set the fields
    that only these tell.
    """

    name: str
    message: Message[Any]
    complete: Callable[[Context, Sequence[Any]], None] | None = None

    def error(self, error: BpmError) -> BpmError:
        """Return the error with the part's name before each sentence."""
        error.errors = tuple(f"{self.name}: {sentence}" for sentence in error.errors)
        return error


@dataclass(slots=True)
class _Prepared:
    """A part whose handler waits to conclude."""

    part: TransactionPart
    context: EffectContext
    work: Work
    outcome: "asyncio.Future[Outcome]"
    handler: "asyncio.Task[Any] | None" = None

    async def finish(self, outcome: Outcome) -> None:
        """Let the handler go on with what came of its work."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)
        if self.handler is not None:
            await asyncio.gather(self.handler, return_exceptions=True)


@dataclass(slots=True)
class MessageBatch:
    """Several messages on behalf of the handler that `context` belongs to."""

    registry: Registry
    context: EffectContext
    _prepared: list[_Prepared] = field(default_factory=list[_Prepared])

    async def conclude(
        self,
        parts: Sequence[TransactionPart],
        before: Callable[[Context], object],
        after: Callable[[Context, list[Any]], R],
    ) -> R:
        """Conclude with all parts, between `before` and `after`; raises the error of the first that fails, named."""
        done: list[Any] = []
        failed = Outcome(error=Failed("another part of the same transaction failed"))
        try:
            for part in parts:
                self._prepared.append(await self._prepare(part))
                await asyncio.sleep(0)  # others get their turn, also where nothing was waited for
            result = await self.context.conclude(lambda inside: self._do(inside, done, before, after))
        except BaseException:
            await self._finish([failed] * len(self._prepared))
            raise
        await self._finish([Outcome(data=data) for data in done])
        return result

    def _do(
        self,
        inside: Context,
        done: list[Any],
        before: Callable[[Context], object],
        after: Callable[[Context, list[Any]], R],
    ) -> R:
        done.clear()
        before(inside)
        for each in self._prepared:
            try:
                if each.part.complete is not None:
                    each.part.complete(inside, done)
                done.append(inside.do_part(each.context.envelope, each.work))
            except BpmError as error:
                raise each.part.error(error) from error
        return after(inside, done)

    async def _finish(self, outcomes: Sequence[Outcome]) -> None:
        for each, outcome in zip(self._prepared, outcomes, strict=True):
            await each.finish(outcome)

    async def _prepare(self, part: TransactionPart) -> _Prepared:
        """Run a handler until it wants to conclude; a transactional one concludes with all that it does."""
        registration = self.registry.of(part.message)
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        wanted: asyncio.Future[Work] = asyncio.get_running_loop().create_future()

        async def conclude(work: Work) -> Outcome:
            wanted.set_result(work)
            return await outcome

        try:
            context = await self.context.of_part(part.message, conclude)
            if registration.kind != "effect":
                return _Prepared(part, context, lambda inside: registration.invoke(part.message, inside), outcome)
            running = run_handler(
                registration.invoke(part.message, context), registration.name, PART_SECONDS, context.clock
            )
            handler = asyncio.create_task(running)
            await asyncio.wait((handler, wanted), return_when=asyncio.FIRST_COMPLETED)
            if not wanted.done():
                await handler
                raise Failed(f"{registration.name} does not conclude in a transaction")
            return _Prepared(part, context, wanted.result(), outcome, handler)
        except BpmError as error:
            raise part.error(error) from error
