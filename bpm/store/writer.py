"""Group commit: one thread writes, and what queued up during the last fsync is committed together.

A session committed per request reached 319 durable inserts a second on two cores, the same rows grouped
24,785 (`docs/decisions/0001-one-writer-group-commit.md`).
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Table

from bpm.errors import Overloaded, StorageUnavailable, describe
from bpm.metrics import Histogram
from bpm.store.batch_queue import BatchQueue
from bpm.store.bulk import AppendedRow, Change, apply_changes, insert_appended
from bpm.store.faults import Diagnose, Fault
from bpm.store.preload import PreloadRequired
from bpm.store.sync_runner import SyncRunner
from bpm.store.thread_connection import ThreadConnection
from bpm.store.transaction import Shared, Transaction
from bpm.store.watchdog import Watch, Watchdog

T = TypeVar("T")
Work = Callable[[Transaction], Any]

MAX_GROUP_UNITS = 256
MAX_GROUP_BYTES = 8 * 1024 * 1024
MAX_WAITING_UNITS = 2_000
MAX_WAITING_BYTES = 64 * 1024 * 1024

UNITS = (1, 2, 5, 10, 25, 50, 100, 256)
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
"""The bounds of what is measured of groups."""

PAUSES = (0.0, 0.1, 0.5)
"""Seconds before each attempt of a unit that met other transactions in its way."""
ALONE_SECONDS = 5.0
"""For how long units of one group are tried one by one while others hold what they want."""

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class WriteUnit:
    """One piece of work in the queue, its weight in bytes, and what became of it."""

    work: Work
    size: int
    future: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None
    callbacks: "list[Callable[[], object]] | None" = None
    has_overrun: bool = False


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
        self._link = ThreadConnection(connect)
        self._diagnose = diagnose
        self._sync_runner = sync_runner
        self._watchdog = watchdog
        self._watch: Watch | None = None
        self._optimistic = optimistic
        self._handover: BatchQueue[WriteUnit] = BatchQueue()
        self._ended = False
        self._thread = threading.Thread(target=self._serve, name="bpm-writer", daemon=True)
        self.waiting_units = 0
        self.waiting_bytes = 0
        self.batches = Histogram("bpm_writer_batch_units", "Units of work in one commit.", UNITS)
        self.commits = Histogram("bpm_writer_commit_seconds", "How long a group took, its flush included.", SECONDS)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    async def stop(self) -> None:
        """Finish what is queued, then end the thread."""
        if self._thread.is_alive():
            self._handover.end()
            await asyncio.to_thread(self._thread.join)

    async def run(self, work: Callable[[Transaction], T], size: int = 0) -> T:
        """Run `work` in the next group; return its result once committed.

        Raises what `work` raised (its changes undone, the group's others kept), `Overloaded` when too much
        waits already, and `StorageUnavailable` when the group could not be committed.
        """
        if self.waiting_units >= MAX_WAITING_UNITS or self.waiting_bytes + size > MAX_WAITING_BYTES:
            raise Overloaded
        unit = WriteUnit(work, size, asyncio.get_running_loop().create_future())
        self.waiting_units += 1
        self.waiting_bytes += size
        self._handover.add(unit)
        return await unit.future

    def _serve(self) -> None:
        self._watch = self._watchdog.watch(self._link.interrupt)
        with self._sync_runner() as run_sync:
            while group := self._next_group():
                began = time.perf_counter()
                run_sync(partial(self._commit, group))
                self.commits.observe(time.perf_counter() - began)
                self.batches.observe(len(group))
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is waiting any more
                    group[0].future.get_loop().call_soon_threadsafe(self._deliver, group)
            run_sync(self._link.drop)

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

    def _commit(self, group: list[WriteUnit]) -> None:
        try:
            self._attempt(group, careful=False)
        except BaseException as error:  # whatever it is, the writer must live and the callers must know
            match self._diagnose(error):
                case Fault.OUTAGE:
                    self._fail(group, error)
                case Fault.CONTENTION:
                    self._commit_one_by_one(group)
                case None:
                    self._commit_carefully(group)

    def _commit_carefully(self, group: list[WriteUnit]) -> None:
        """Try again with every unit's rows inside its own savepoint: only the guilty one fails."""
        try:
            self._attempt(group, careful=True)
        except BaseException as error:
            if self._diagnose(error) is Fault.CONTENTION:
                self._commit_one_by_one(group)
            else:
                self._fail(group, error)

    def _commit_one_by_one(self, group: list[WriteUnit]) -> None:
        """Give every unit a transaction of its own, which holds few locks; together they may not take long."""
        deadline = time.monotonic() + ALONE_SECONDS
        for at, unit in enumerate(group):
            error = self._commit_alone(unit)
            if error is None:
                continue
            if self._diagnose(error) is Fault.OUTAGE or time.monotonic() > deadline:
                self._fail(group[at:], error)
                return
            self._fail([unit], error)

    def _commit_alone(self, unit: WriteUnit) -> BaseException | None:
        """Try a few times; return what stood in the way the last time."""
        met: BaseException | None = None
        for pause in PAUSES:
            time.sleep(pause)
            try:
                self._attempt([unit], careful=True)
            except BaseException as error:
                met = error
                if self._diagnose(error) is not Fault.CONTENTION:
                    break
            else:
                return None
        return met

    def _attempt(self, group: list[WriteUnit], *, careful: bool) -> None:
        connection = self._link.connection()
        with connection.begin():
            appended: list[AppendedRow] = []
            changes: list[Change] = []
            shared = Shared()
            for unit in group:
                transaction = self._run_unit(Transaction(connection, shared, careful=careful), unit, careful=careful)
                appended.extend(transaction.appended)
                changes.extend(transaction.changes)
            insert_appended(connection, appended)
            apply_changes(connection, changes)

    def _run_unit(self, transaction: Transaction, unit: WriteUnit, *, careful: bool) -> Transaction:
        unit.result, unit.error, unit.callbacks = None, None, None
        try:
            if not careful and isinstance(unit.work, Append):
                unit.work(transaction)
            elif not careful and self._optimistic:
                unit.result = self._watched(unit, transaction)
                transaction.flush()
            else:
                with transaction.savepoint():
                    unit.result = self._watched(unit, transaction)
                    if careful:
                        insert_appended(transaction.connection, transaction.appended)
                        apply_changes(transaction.connection, transaction.changes)
                        transaction.appended.clear()
                        transaction.changes.clear()
            unit.callbacks = transaction.callbacks
        except BaseException as error:  # also `SystemExit` and kin: they end this unit, and neither thread nor process
            if self._diagnose(error) is not None or (self._optimistic and not careful):
                raise
            unit.error = error
        finally:
            transaction.close()
        return transaction

    def _watched(self, unit: WriteUnit, transaction: Transaction) -> Any:
        """Run a unit's work; one that took too long before is not run again with its group."""
        assert self._watch is not None
        if unit.has_overrun:
            raise self._watch.overran()
        try:
            return self._watch.run(partial(unit.work, transaction))
        finally:
            unit.has_overrun = self._watch.has_overrun

    def _fail(self, group: Iterable[WriteUnit], error: BaseException) -> None:
        log.error("a group could not be committed: %s", describe(error))
        self._link.drop()
        for unit in group:
            unit.callbacks = None
            unit.error = StorageUnavailable()
            unit.error.__cause__ = error

    def _deliver(self, group: list[WriteUnit]) -> None:
        self.waiting_units -= len(group)
        for unit in group:
            self.waiting_bytes -= unit.size
            for callback in unit.callbacks or ():
                _call(callback)
            if unit.future.done():  # the caller went away; the commit stands
                continue
            if unit.error is None:
                unit.future.set_result(unit.result)
            else:
                unit.future.set_exception(raisable(unit.error))


def _call(callback: Callable[[], object]) -> None:
    """Call back; what one raises must not keep others from their answers, for the commit stands."""
    try:
        callback()
    except BaseException:
        log.exception("a callback after a commit failed")


def raisable(error: BaseException) -> BaseException:
    """Return an error that a coroutine may raise: asyncio treats `StopIteration` and what is no `Exception` apart."""
    if isinstance(error, Exception | PreloadRequired) and not isinstance(error, StopIteration):
        return error
    failure = RuntimeError(f"work in a transaction raised {type(error).__name__}")
    failure.__cause__ = error
    return failure


@dataclass(slots=True)
class Append:
    """Work that only appends rows, so it needs no savepoint of its own."""

    rows: tuple[tuple[Table, Mapping[str, Any]], ...]
    then: Callable[[], object] | None = None

    def __call__(self, transaction: Transaction) -> None:
        """Hand the rows over."""
        transaction.appended.extend(self.rows)
        if self.then is not None:
            transaction.callbacks.append(self.then)
