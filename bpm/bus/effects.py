"""Runs the handler of an effect so that nothing it raises, and no time it takes, harms anybody else."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from bpm.errors import TookTooLong

CANCEL_SECONDS = 1.0
"""How long a handler may take to end once it was cancelled."""

log = structlog.get_logger("bpm.bus")

_abandoned: set[asyncio.Task[Any]] = set()
"""Handlers that did not end when they were cancelled; kept, so that they are not collected while they run."""


async def run_handler(handler: Coroutine[Any, Any, Any], name: str, seconds: float | None) -> Any:
    """Return what the handler returns, or raise what it raised; a `RuntimeError` for what is no `Exception`.

    Raises `TookTooLong` when it takes longer than `seconds`, if given. It runs in a task of its own, which never ends
    with an exception: asyncio hands `SystemExit` and `KeyboardInterrupt` of a task to the event loop, which stops.
    """
    task = asyncio.create_task(settle(handler))
    try:
        done, _ = await asyncio.wait((task,), timeout=seconds)
    except asyncio.CancelledError:
        await _cancel(task, name)
        raise
    if not done and seconds is not None:
        await _cancel(task, name)
        raise TookTooLong(f"{name} took longer than {seconds:g} seconds and was ended")
    value, error = task.result()
    if error is None:
        return value
    if isinstance(error, Exception):
        raise error
    raise RuntimeError(f"{name} raised {type(error).__name__}") from error


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
