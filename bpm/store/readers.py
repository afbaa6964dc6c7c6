"""Reading beside the writer: a few threads with a connection each, waking once for all that waits."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection

from bpm.errors import Overloaded, StorageUnavailable
from bpm.store.batch_queue import BatchQueue
from bpm.store.faults import Diagnose
from bpm.store.gate import SnapshotGate
from bpm.store.sync_runner import SyncRunner
from bpm.store.thread_connection import ThreadConnection
from bpm.store.transaction import Shared, Transaction
from bpm.store.watchdog import Watch, Watchdog
from bpm.store.writer import raisable

T = TypeVar("T")

MAX_WAITING = 2_000


@dataclass(slots=True, eq=False)
class Read:
    """One read in the queue and what it found."""

    work: Callable[[Transaction], Any]
    future: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None


class Readers:
    """Runs reads against a snapshot that holds everything committed before they were asked for."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        diagnose: Diagnose,
        sync_runner: SyncRunner,
        watchdog: Watchdog,
        threads: int = 2,
    ) -> None:
        """Take how to open a reading connection, what its errors mean, and how its work is entered and watched."""
        self._connect = connect
        self._diagnose = diagnose
        self._sync_runner = sync_runner
        self._watchdog = watchdog
        self.gate = SnapshotGate()
        self._handover: BatchQueue[Read] = BatchQueue()
        self._threads = [
            threading.Thread(target=self._serve, name=f"bpm-reader-{n}", daemon=True) for n in range(threads)
        ]
        self.waiting = 0

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    async def stop(self) -> None:
        """Finish what is queued, then end the threads."""
        for _ in self._threads:
            self._handover.end()
        for thread in self._threads:
            if thread.is_alive():
                await asyncio.to_thread(thread.join)

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a reading transaction and return its result.

        Raises what `work` raised, `Overloaded`, and `StorageUnavailable` when the database is away.
        """
        if self.waiting >= MAX_WAITING:
            raise Overloaded
        read = Read(work, asyncio.get_running_loop().create_future())
        self.waiting += 1
        self._handover.add(read)
        return await read.future

    def _serve(self) -> None:
        link = ThreadConnection(self._connect)
        watch = self._watchdog.watch(link.interrupt)
        with self._sync_runner() as run_sync:
            while batch := self._handover.take():
                run_sync(partial(self._answer, link, watch, batch))
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is waiting any more
                    batch[0].future.get_loop().call_soon_threadsafe(self._deliver, batch)
            run_sync(link.drop)

    def _answer(self, link: ThreadConnection, watch: Watch, batch: list[Read]) -> None:
        waiting = deque(batch)
        try:
            while waiting:
                self._run_until_failure(link.connection(), watch, waiting)
        except BaseException as error:  # the thread must live; every caller learns of it
            link.drop()
            for read in waiting:
                read.error = self._told(error)

    def _run_until_failure(self, connection: Connection, watch: Watch, waiting: deque[Read]) -> None:
        """Run reads in one snapshot; one that fails may have spoilt it for the others."""
        with self.gate.entered(), connection.begin() as snapshot:
            while waiting and self._run(connection, watch, waiting.popleft()):
                pass
            snapshot.rollback()

    def _run(self, connection: Connection, watch: Watch, read: Read) -> bool:
        transaction = Transaction(connection, Shared(), is_snapshot=True)
        try:
            read.result = watch.run(partial(read.work, transaction))
        except BaseException as error:  # it belongs to the caller, and ends neither thread nor process
            read.error = self._told(error)
        finally:
            transaction.close()
        if watch.has_overrun:  # whatever the work made of its interruption
            read.error = watch.overran()
        return read.error is None

    def _told(self, error: BaseException) -> BaseException:
        if self._diagnose(error) is None:
            return raisable(error)
        unavailable = StorageUnavailable()
        unavailable.__cause__ = error
        return unavailable

    def _deliver(self, batch: list[Read]) -> None:
        self.waiting -= len(batch)
        for read in batch:
            if read.future.done():
                continue
            if read.error is None:
                read.future.set_result(read.result)
            else:
                read.future.set_exception(read.error)
