"""Group commit: one thread writes, and what queued up during the last fsync is committed together.

A session committed per request reached 319 durable inserts a second on two cores, the same rows grouped
24,785 (`docs/decisions/0001-one-writer-group-commit.md`).
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from bpm.errors import Overloaded
from bpm.metrics import Histogram
from bpm.store.batch_queue import BatchQueue
from bpm.store.database_thread import DatabaseThread, ThreadResources
from bpm.store.faults import Diagnose
from bpm.store.group_commit import GroupCommit, WriteUnit
from bpm.store.pending_work import hand_back
from bpm.store.sync_runner import SyncRunner
from bpm.store.transaction import Transaction
from bpm.store.watchdog import Watchdog

T = TypeVar("T")

WRITER = "bpm-writer"
"""The name of the thread."""

MAX_GROUP_UNITS = 256
MAX_GROUP_BYTES = 8 * 1024 * 1024
MAX_WAITING_UNITS = 2_000
MAX_WAITING_BYTES = 64 * 1024 * 1024

UNITS = (1, 2, 5, 10, 25, 50, 100, 256)
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
"""The bounds of what is measured of groups."""

log = logging.getLogger(__name__)


class GroupWriter:
    """The single writer: `await writer.run(work)` returns when the work is on disk."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        diagnose: Diagnose,
        sync_runner: SyncRunner,
        watchdog: Watchdog,
        *,
        optimistic: bool,
    ) -> None:
        """Take how to open the writing connection, what its errors mean, how its work is entered and watched.

        `optimistic`: no unit of a first attempt gets a savepoint; where that is a round trip, it costs more than
        undoing and repeating the group when one of its units raises.
        """
        self._diagnose = diagnose
        self._optimistic = optimistic
        self._handover: BatchQueue[WriteUnit] = BatchQueue()
        self._ended = False
        self._thread = DatabaseThread[GroupCommit](WRITER, connect, sync_runner, watchdog, self._serve, self._finish)
        self.waiting_units = 0
        self.waiting_bytes = 0
        self.batches = Histogram("bpm_writer_batch_units", "Units of work in one commit.", UNITS)
        self.commits = Histogram("bpm_writer_commit_seconds", "How long a group took, its flush included.", SECONDS)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    async def stop(self) -> None:
        """Finish what is queued, then end the thread."""
        self._handover.end()
        await asyncio.to_thread(self._thread.join)

    async def run(self, work: Callable[[Transaction], T], size: int = 0) -> T:
        """Run `work` in the next group; return its result once committed.

        Raises what `work` raised (its changes undone, the group's others kept), `Overloaded` when too much
        waits already, and `StorageUnavailable` when the group could not be committed.
        """
        if self.waiting_units >= MAX_WAITING_UNITS or self.waiting_bytes + size > MAX_WAITING_BYTES:
            raise Overloaded
        unit = WriteUnit(work, asyncio.get_running_loop().create_future(), size=size)
        self.waiting_units += 1
        self.waiting_bytes += size
        self._handover.add(unit)
        return await unit.future

    def _serve(self, own: ThreadResources[GroupCommit]) -> None:
        while group := self._next_group():
            self._commit(own, group)

    def _finish(
        self, own: ThreadResources[GroupCommit], _stuck: ThreadResources[GroupCommit], group: GroupCommit
    ) -> None:
        """Commit the group of a thread that was given up, without the unit that it does not come back from."""
        settled, rest = group.taken_over()
        hand_back(self._deliver, settled)
        if rest:
            self._commit(own, rest)

    def _commit(self, own: ThreadResources[GroupCommit], group: list[WriteUnit]) -> None:
        began = time.perf_counter()
        own.work = GroupCommit(group, own.link, own.watch, self._diagnose, optimistic=self._optimistic)
        own.run_sync(own.work.commit)
        own.work = None
        self.commits.observe(time.perf_counter() - began)
        self.batches.observe(len(group))
        hand_back(self._deliver, group)

    def _next_group(self) -> list[WriteUnit]:
        """Wait for work, and take what else has queued up meanwhile; an empty group is the end."""
        group = [] if self._ended else self._handover.take()
        size = sum(unit.size for unit in group or ())
        while group is not None and len(group) < MAX_GROUP_UNITS and size < MAX_GROUP_BYTES:
            more = self._handover.take_waiting()
            if more is None:
                self._ended = True
            if not more:
                break
            group += more
            size += sum(unit.size for unit in more)
        return group or []

    def _deliver(self, group: list[WriteUnit]) -> None:
        self.waiting_units -= len(group)
        for unit in group:
            self.waiting_bytes -= unit.size
            for callback in unit.callbacks or ():
                _call(callback)
            unit.callbacks = None
            unit.settle()


def _call(callback: Callable[[], object]) -> None:
    """Call back; what one raises must not keep others from their answers, for the commit stands."""
    try:
        callback()
    except BaseException:
        log.exception("a callback after a commit failed")
