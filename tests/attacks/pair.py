"""Two server processes on one database of PostgreSQL, and what they change at the same moment.

The first change is held just before its commit; the second begins meanwhile, and ends after it.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bpm.store import Transaction
from bpm.testing import RunningApp, until

SECONDS = 20
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"

Send = Callable[[], Awaitable[Any]]


@dataclass
class Pair:
    """Two server processes on one database."""

    one: RunningApp
    other: RunningApp

    async def at_once(self, first: Send, second: Send) -> tuple[Any, Any]:
        """Send the first through the one process and hold its commit until the second has ended, or waits for it."""
        hold = threading.Event()
        first_task, last = await self._held(first, hold)
        second_task = asyncio.ensure_future(second())
        try:
            await until(lambda: self._is_over(second_task))
        finally:
            hold.set()
        _, *answers = await asyncio.gather(last, first_task, second_task)
        return answers[0], answers[1]

    async def _held(self, first: Send, hold: threading.Event) -> tuple["asyncio.Future[Any]", "asyncio.Future[Any]"]:
        """Have the writer busy until the first's unit waits behind one that ends the group only when it is let go."""
        database = self.one.app.database
        gate, held = threading.Event(), threading.Event()
        busy = asyncio.ensure_future(database.write(lambda _tx: gate.wait(SECONDS)))
        await until(lambda: database.waiting == 1)
        first_task = asyncio.ensure_future(first())
        await until(lambda: database.waiting == 2)

        def end(_tx: Transaction) -> None:
            held.set()
            hold.wait(SECONDS)

        last = asyncio.ensure_future(database.write(end))
        await until(lambda: database.waiting == 3)
        gate.set()
        await busy
        await until(held.is_set)
        return first_task, last

    async def waiting(self) -> int:
        """Return how many transactions wait for another one's."""
        database = self.one.app.database
        return await database.read(lambda tx: tx.connection.exec_driver_sql(WAITING).scalar() or 0)

    async def _is_over(self, task: "asyncio.Future[Any]") -> bool:
        return task.done() or bool(await self.waiting())
