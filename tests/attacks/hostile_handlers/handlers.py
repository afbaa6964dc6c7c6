"""Handlers that misbehave, one message a way."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from typing import Literal

from bpm.bus import Command, Context, EffectContext, Query, View, handles
from bpm.errors import Failed
from bpm.schemas import SchemaError


class UntellableError(Exception):
    """An error whose own text can't be had."""

    def __str__(self) -> str:
        """Raise."""
        raise RuntimeError

    __repr__ = __str__


class Done(View):
    """What the handlers return when they are left alone."""

    ok: bool = True


RAISED: dict[str, Callable[[], BaseException]] = {
    "KeyboardInterrupt": KeyboardInterrupt,
    "SystemExit": lambda: SystemExit(3),
    "GeneratorExit": GeneratorExit,
    "CancelledError": asyncio.CancelledError,
    "BaseException": lambda: BaseException("bare"),
    "BaseExceptionGroup": lambda: BaseExceptionGroup("many", [KeyboardInterrupt(), ValueError("one")]),
    "ExceptionGroup": lambda: ExceptionGroup("many", [ValueError("one"), TypeError("two")]),
    "StopIteration": StopIteration,
    "StopAsyncIteration": StopAsyncIteration,
    "MemoryError": MemoryError,
    "RecursionError": RecursionError,
    "TimeoutError": TimeoutError,
    "SchemaError": lambda: SchemaError("foreign"),
    "Untellable": UntellableError,
}


class RaiseCommand(Command[Done]):
    """Raise in a transaction."""

    permission = "system:write"
    name: str


@handles
def raise_in_transaction(command: RaiseCommand, context: Context) -> Done:
    """Raise."""
    raise RAISED[command.name]()


class RaiseEffectCommand(Command[Done]):
    """Raise in an effect."""

    permission = "system:write"
    name: str


@handles
async def raise_in_effect(command: RaiseEffectCommand, context: EffectContext) -> Done:
    """Raise after a pause."""
    await asyncio.sleep(0)
    raise RAISED[command.name]()


class RaiseQuery(Query[Done]):
    """Raise in a query."""

    permission = "system:read"
    name: str


@handles
def raise_in_query(query: RaiseQuery, context: Context) -> Done:
    """Raise."""
    raise RAISED[query.name]()


class SpinCommand(Command[Done]):
    """Loop in a transaction, in spite of what is raised."""

    permission = "system:write"


@handles
def spin(command: SpinCommand, context: Context) -> Done:
    """Never end by oneself."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            time.sleep(0.01)
        except Exception:  # noqa: S112 a careless handler
            continue
    return Done()


class SpinQuery(Query[Done]):
    """Loop in a query."""

    permission = "system:read"


@handles
def spin_in_query(query: SpinQuery, context: Context) -> Done:
    """Let the database count for ever."""
    context.tx.reading.exec_driver_sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    )
    return Done()


class SpinStatementCommand(Command[Done]):
    """Loop in a statement of a transaction."""

    permission = "system:write"


@handles
def spin_in_statement(command: SpinStatementCommand, context: Context) -> Done:
    """Let the database count for ever."""
    context.tx.connection.exec_driver_sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    )
    return Done()


class SleepCommand(Command[Done]):
    """Wait inside C in a transaction, until somebody opens the pipe."""

    permission = "system:write"
    pipe: str


@handles
def sleep(command: SleepCommand, context: Context) -> Done:
    """Publish, then wait."""
    context.call("PublishEventCommand", {"event": "sleeper.begun", "data": {}})
    os.close(os.open(command.pipe, os.O_RDONLY))
    return Done()


class SleepQuery(Query[Done]):
    """Wait inside C in a query."""

    permission = "system:read"
    pipe: str


@handles
def sleep_in_query(query: SleepQuery, context: Context) -> Done:
    """Wait."""
    os.close(os.open(query.pipe, os.O_RDONLY))
    return Done()


class HangCommand(Command[Done]):
    """Never end, in an effect that swallows what would end it."""

    permission = "system:write"


@handles
async def hang(command: HangCommand, context: EffectContext) -> Done:
    """Wait for ever."""
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            continue


class BlockCommand(Command[Done]):
    """Block the event loop until somebody opens the pipe, then publish."""

    permission = "system:write"
    pipe: str


@handles
async def block(command: BlockCommand, context: EffectContext) -> Done:
    """Sleep where others wait."""
    os.close(os.open(command.pipe, os.O_RDONLY))
    await context.call("PublishEventCommand", {"event": "blocker.late", "data": {}})
    return Done()


class PoliteCommand(Command[Done]):
    """Do in an effect what its context offers."""

    permission = "system:write"


@handles
async def polite(command: PoliteCommand, context: EffectContext) -> Done:
    """Look up, send, write down and conclude, with others in between."""
    await asyncio.sleep(0)
    await asyncio.gather(context.call("GetEventListQuery", {"pageSize": 1}), asyncio.sleep(0))
    await context.call("PublishEventCommand", {"event": "polite.sent", "data": {}})
    await context.note(lambda inside: inside.call("PublishEventCommand", {"event": "polite.noted", "data": {}}))

    def conclude(inside: Context) -> Done:
        inside.call("PublishEventCommand", {"event": "polite.concluded", "data": {}})
        return Done()

    return await context.conclude(conclude)


class StrayCommand(Command[Done]):
    """Leave a task behind that raises what ends an event loop."""

    permission = "system:write"


@handles
async def stray(command: StrayCommand, context: EffectContext) -> Done:
    """Begin it, and let it run."""

    async def leave() -> None:
        raise SystemExit(3)

    task = asyncio.create_task(leave())
    await asyncio.wait((task,))
    return Done()


class DieCommand(Command[Done]):
    """End the process, as a fault in a C library would."""

    permission = "system:write"


@handles
async def die(command: DieCommand, context: EffectContext) -> Done:
    """End."""
    os._exit(9)


class FailingCallbackCommand(Command[Done]):
    """Ask for a callback that raises."""

    permission = "system:write"


@handles
def callback(command: FailingCallbackCommand, context: Context) -> Done:
    """Commit, then fail."""

    def fail() -> None:
        raise KeyboardInterrupt

    context.after_commit(fail)
    return Done()


class TellSecretCommand(Command[Done]):
    """Fail with a sentence, or unexpectedly, that repeats a password: as it is, as a literal, or as JSON."""

    permission = "system:write"
    password: str
    expected: bool
    written: Literal["plain", "literal", "json"]


@handles
def tell_secret(command: TellSecretCommand, context: Context) -> Done:
    """Raise."""
    how = {"plain": str, "literal": repr, "json": json.dumps}[command.written]
    told = f"no: {how(command.password)}"
    raise Failed(told) if command.expected else RuntimeError(told)
