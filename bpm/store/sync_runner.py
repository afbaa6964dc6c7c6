"""Runs blocking database work: directly (sqlite3), or on a private event loop (asyncpg)."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from sqlalchemy import Engine

from bpm.store.watchdog import TimeLimitExceeded

T = TypeVar("T")

RunSync = Callable[[Callable[[], Any]], Any]
"""Does a piece of work and returns what it returned."""

SyncRunner = Callable[[], AbstractContextManager[RunSync]]
"""Opened once in each thread that works on the database."""


@contextmanager
def run_directly() -> Generator[RunSync]:
    """RunSync by a plain call: the driver is synchronous."""
    yield lambda work: work()


@contextmanager
def run_on_private_loop() -> Generator[RunSync]:
    """RunSync through an event loop of the thread's own, on which the driver waits for its socket."""
    from sqlalchemy.util.concurrency import greenlet_spawn  # needs greenlet, which comes with asyncpg

    with asyncio.Runner() as runner:
        yield lambda work: _run_to_its_end(runner.get_loop(), greenlet_spawn(work))


def _run_to_its_end(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    """Run work that the watchdog may interrupt while it waits for an answer: then the statement is cancelled.

    The interruption is raised wherever the thread is, and that is in the loop itself: it ends neither loop nor thread.
    """
    task = loop.create_task(work)
    while True:
        try:
            return loop.run_until_complete(task)
        except TimeLimitExceeded:
            if task.done():
                raise
            task.cancel()


async def run_sync(work: Callable[[], T], *engines: Engine) -> T:
    """Do synchronous work on engines in the running loop's thread: for what happens before or beside serving."""
    if not any(engine.dialect.is_async for engine in engines):
        return work()
    from sqlalchemy.util.concurrency import greenlet_spawn

    return await greenlet_spawn(work)
