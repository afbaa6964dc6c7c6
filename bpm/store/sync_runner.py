"""How a thread enters synchronous work on a database, whose driver may be asynchronous."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from sqlalchemy import Engine

T = TypeVar("T")

Enter = Callable[[Callable[[], Any]], Any]
"""Does a piece of work and returns what it returned."""

Entrance = Callable[[], AbstractContextManager[Enter]]
"""Opened once in each thread that works on the database."""


@contextmanager
def directly() -> Generator[Enter]:
    """Enter by a plain call: the driver is synchronous."""
    yield lambda work: work()


@contextmanager
def through_a_loop() -> Generator[Enter]:
    """Enter through an event loop of the thread's own, on which the driver waits for its socket."""
    from sqlalchemy.util.concurrency import greenlet_spawn  # needs greenlet, which comes with asyncpg

    with asyncio.Runner() as runner:
        yield lambda work: runner.run(greenlet_spawn(work))


async def enter_here(work: Callable[[], T], *engines: Engine) -> T:
    """Do synchronous work on engines in the running loop's thread: for what happens before or beside serving."""
    if not any(engine.dialect.is_async for engine in engines):
        return work()
    from sqlalchemy.util.concurrency import greenlet_spawn

    return await greenlet_spawn(work)
