"""Reading beside the writer: a few threads with a connection each, waking once for all that waits."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from bpm.errors import Overloaded, StorageUnavailable, TookTooLong
from bpm.store.abandoned_threads import Abandoned
from bpm.store.batch_queue import BatchQueue
from bpm.store.database_thread import DatabaseThread, ThreadResources
from bpm.store.faults import Diagnose
from bpm.store.gate import SnapshotGate
from bpm.store.pending_work import PendingWork, hand_back
from bpm.store.sync_runner import SyncRunner
from bpm.store.transaction import Shared, Transaction
from bpm.store.watchdog import Watchdog

T = TypeVar("T")

MAX_WAITING = 2_000


class ReadBatch:
    """What one thread reads at a time: all that was asked for, what waits of it, and what it is at."""

    def __init__(self, reads: list[PendingWork]) -> None:
        """Begin with the first."""
        self.reads = reads
        self.waiting = deque(reads)
        self._running: PendingWork | None = None

    def next(self) -> PendingWork:
        """Go on to the next one."""
        self._running = self.waiting.popleft()
        return self._running

    def taken_over(self, error: TookTooLong) -> tuple[list[PendingWork], list[PendingWork]]:
        """Return what is answered and what waits, when the thread does not come back: what it was at has failed."""
        rest = list(self.waiting)
        answered = self.reads[: len(self.reads) - len(rest)]
        return [replace(read, error=error) if read is self._running else read for read in answered], rest


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
        self._diagnose = diagnose
        self.gate = SnapshotGate()
        self._handover: BatchQueue[PendingWork] = BatchQueue()
        self._threads = [
            DatabaseThread[ReadBatch](f"bpm-reader-{n}", connect, sync_runner, watchdog, self._serve, self._finish)
            for n in range(threads)
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
            await asyncio.to_thread(thread.join)

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a reading transaction and return its result.

        Raises what `work` raised, `Overloaded`, and `StorageUnavailable` when the database is away.
        """
        if self.waiting >= MAX_WAITING:
            raise Overloaded
        read = PendingWork(work, asyncio.get_running_loop().create_future())
        self.waiting += 1
        self._handover.add(read)
        return await read.future

    def _serve(self, own: ThreadResources[ReadBatch]) -> None:
        while reads := self._handover.take():
            self._read(own, ReadBatch(reads))

    def _finish(self, own: ThreadResources[ReadBatch], stuck: ThreadResources[ReadBatch], batch: ReadBatch) -> None:
        """Read on for a thread that was given up, whose snapshot has ended."""
        self.gate.leave(stuck)
        answered, rest = batch.taken_over(stuck.watch.never_ended())
        hand_back(self._deliver, answered)
        if rest:
            self._read(own, ReadBatch(rest))

    def _read(self, own: ThreadResources[ReadBatch], batch: ReadBatch) -> None:
        own.work = batch
        own.run_sync(partial(self._answer, own, batch))
        own.work = None
        hand_back(self._deliver, batch.reads)

    def _answer(self, own: ThreadResources[ReadBatch], batch: ReadBatch) -> None:
        try:
            while batch.waiting:
                self._run_until_failure(own, own.link.connection(), batch)
        except BaseException as error:  # the thread must live; every caller learns of it
            if own.watch.is_abandoned:
                raise Abandoned from error
            own.link.drop()
            for read in batch.waiting:
                read.error = self._told(error)

    def _run_until_failure(self, own: ThreadResources[ReadBatch], connection: Connection, batch: ReadBatch) -> None:
        """Run reads in one snapshot; one that fails may have spoilt it for the others."""
        with self.gate.entered(own), connection.begin() as snapshot:
            while batch.waiting and self._run(own, connection, batch.next()):
                pass
            snapshot.rollback()

    def _run(self, own: ThreadResources[ReadBatch], connection: Connection, read: PendingWork) -> bool:
        transaction = Transaction(connection, Shared(), is_snapshot=True)
        try:
            read.result = own.watch.run(partial(read.work, transaction))
        except Abandoned:
            raise
        except BaseException as error:  # it belongs to the caller, and ends neither thread nor process
            read.error = self._told(error)
        finally:
            transaction.close()
        if own.watch.has_overrun:  # whatever the work made of its interruption
            read.error = own.watch.overran()
        return read.error is None

    def _told(self, error: BaseException) -> BaseException:
        if self._diagnose(error) is None:
            return error
        unavailable = StorageUnavailable()
        unavailable.__cause__ = error
        return unavailable

    def _deliver(self, batch: list[PendingWork]) -> None:
        self.waiting -= len(batch)
        for read in batch:
            read.settle()
