"""Runs the handler of an effect so that nothing it raises, and no time it takes, harms anybody else."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from bpm.bus.effect_clock import EffectClock
from bpm.errors import TookTooLong

CANCEL_SECONDS = 1.0
"""How long a handler may take to end once it was cancelled."""

SOON_SECONDS = 0.05
"""How long after its time is over an effect may be ended."""

log = structlog.get_logger("bpm.bus")

_abandoned: set[asyncio.Task[Any]] = set()
"""Handlers that did not end when they were cancelled; kept, so that they are not collected while they run."""


async def run_handler(handler: Coroutine[Any, Any, Any], name: str, seconds: float | None, clock: EffectClock) -> Any:
    """Return what the handler returns, or raise what it raised; a `RuntimeError` for what is no `Exception`.

    Raises `TookTooLong` when it takes longer than `seconds` of its clock, if given. It runs in a task of its own, which
    never ends with an exception: asyncio hands `SystemExit` and `KeyboardInterrupt` of a task to the event loop, which
    stops.
    """
    task = asyncio.create_task(settle(handler))
    try:
        await _end_of(task, seconds, clock)
    except asyncio.CancelledError:
        await _cancel(task, name)
        raise
    if not task.done() and seconds is not None:
        await _cancel(task, name)
        raise TookTooLong(f"{name} took longer than {seconds:g} seconds and was ended")
    value, error = task.result()
    if error is None:
        return value
    if isinstance(error, Exception):
        raise error
    raise RuntimeError(f"{name} raised {type(error).__name__}") from error


async def _end_of(task: "asyncio.Task[Any]", seconds: float | None, clock: EffectClock) -> None:
    """Wait until the task has ended or its time is over."""
    if seconds is None:
        await asyncio.wait((task,))
        return
    while not task.done() and (left := seconds - clock.used) > 0:
        # The clock may stand still: the next look is not due at once.
        await asyncio.wait((task,), timeout=max(left, SOON_SECONDS))


async def settle(handler: Coroutine[Any, Any, Any]) -> tuple[Any, BaseException | None]:
    """Return what a coroutine returns, or None, and what it raised."""
    try:
        return await handler, None
    except BaseException as error:  # KeyboardInterrupt, SystemExit, CancelledError: they end this handler only
        return None, error


async def _cancel(task: "asyncio.Task[Any]", name: str) -> None:
    task.cancel()
    await asyncio.wait((task,), timeout=CANCEL_SECONDS)
    if not task.done():
        log.error("a handler goes on although it was cancelled; its result is thrown away", type=name)
        _abandoned.add(task)
        task.add_done_callback(_abandoned.discard)
