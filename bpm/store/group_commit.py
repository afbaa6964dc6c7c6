"""One group of units: committed together, or found out which of them can't be."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from bpm.errors import StorageUnavailable, TookTooLong, describe
from bpm.store.abandoned_threads import Abandoned
from bpm.store.append import Append
from bpm.store.bulk import AppendedRow, Change, apply_changes, insert_appended
from bpm.store.faults import Diagnose, Fault
from bpm.store.pending_work import PendingWork
from bpm.store.thread_connection import ThreadConnection
from bpm.store.transaction import Shared, Transaction
from bpm.store.watchdog import Watch

Work = Callable[[Transaction], Any]

PAUSES = (0.0, 0.1, 0.5)
"""Seconds before each attempt of a unit that met other transactions in its way."""
ALONE_SECONDS = 5.0
"""For how long units of one group are tried one by one while others hold what they want."""

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class WriteUnit(PendingWork):
    """One piece of work for the writer, its weight in bytes, and what is to follow its commit."""

    size: int = 0
    callbacks: "list[Callable[[], object]] | None" = None
    overrun: TookTooLong | None = None
    """It took too long once, and is not run again."""
    is_settled: bool = False
    """It was committed, or has failed, while others of its group wait."""


class GroupCommit:
    """Commits a group in the thread of the watch, through the thread's connection."""

    def __init__(
        self, group: list[WriteUnit], link: ThreadConnection, watch: Watch, diagnose: Diagnose, *, optimistic: bool
    ) -> None:
        """Take the units; see `GroupWriter` for the rest."""
        self.group = group
        self._link = link
        self._watch = watch
        self._diagnose = diagnose
        self._optimistic = optimistic
        self._running: WriteUnit | None = None

    def commit(self) -> None:
        """Commit what can be; afterwards each unit has its result or its error.

        Raises `Abandoned` when another thread has taken the group over meanwhile.
        """
        group = self.group
        try:
            self._attempt(group, careful=False)
        except BaseException as error:  # whatever it is, the writer must live and the callers must know
            match self._fault_of(error):
                case Fault.OUTAGE:
                    self._fail(group, error)
                case Fault.CONTENTION:
                    self._commit_one_by_one(group)
                case None:
                    self._commit_carefully(group)

    def taken_over(self) -> tuple[list[WriteUnit], list[WriteUnit]]:
        """Return what is settled and what another thread has to run, when this one does not come back from a unit.

        Nothing of the open transaction is ever committed. What was settled before stays, the unit that does not end
        has failed, all others are run again. They are copies, for this thread still holds the originals.
        """
        failed = {"callbacks": None, "error": self._watch.never_ended(), "is_settled": True}
        copies = [replace(unit, **failed) if unit is self._running else replace(unit) for unit in self.group]
        return [copy for copy in copies if copy.is_settled], [copy for copy in copies if not copy.is_settled]

    def _fault_of(self, error: BaseException) -> Fault | None:
        """Tell what kind of fault an error is; raises `Abandoned` when it no longer matters."""
        if self._watch.is_abandoned:
            raise Abandoned from error
        return self._diagnose(error)

    def _commit_carefully(self, group: list[WriteUnit]) -> None:
        """Try again with every unit's rows inside its own savepoint: only the guilty one fails."""
        try:
            self._attempt(group, careful=True)
        except BaseException as error:
            if self._fault_of(error) is Fault.CONTENTION:
                self._commit_one_by_one(group)
            else:
                self._fail(group, error)

    def _commit_one_by_one(self, group: list[WriteUnit]) -> None:
        """Give every unit a transaction of its own, which holds few locks; together they may not take long."""
        deadline = time.monotonic() + ALONE_SECONDS
        for at, unit in enumerate(group):
            error = self._commit_alone(unit)
            unit.is_settled = error is None
            if error is None:
                continue
            if self._fault_of(error) is Fault.OUTAGE or time.monotonic() > deadline:
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
                if self._fault_of(error) is not Fault.CONTENTION:
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
            _write(connection, appended, changes)

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
                        _write(transaction.connection, transaction.appended, transaction.changes)
                        transaction.appended.clear()
                        transaction.changes.clear()
            unit.callbacks = transaction.callbacks
        except BaseException as error:  # also `SystemExit` and kin: they end this unit, and neither thread nor process
            if self._fault_of(error) is not None or (self._optimistic and not careful):
                raise
            unit.error = error
        finally:
            transaction.close()
        return transaction

    def _watched(self, unit: WriteUnit, transaction: Transaction) -> Any:
        """Run a unit's work; one that took too long before is not run again with its group."""
        if unit.overrun is not None:
            raise unit.overrun
        self._running = unit
        try:
            return self._watch.run(partial(unit.work, transaction))
        finally:
            if self._watch.has_overrun:
                unit.overrun = self._watch.overran()

    def _fail(self, group: Iterable[WriteUnit], error: BaseException) -> None:
        log.error("a group could not be committed: %s", describe(error))
        self._link.drop()
        for unit in group:
            unit.callbacks = None
            unit.error = StorageUnavailable()
            unit.error.__cause__ = error
            unit.is_settled = True


def _write(connection: Connection, appended: list[AppendedRow], changes: list[Change]) -> None:
    """Write what was handed over; raises what stands in the way, also a statement that failed and nobody heard of.

    PostgreSQL refuses every statement after one that has failed, and says nothing at the commit, which undoes all.
    """
    insert_appended(connection, appended)
    apply_changes(connection, changes)
    if not appended and not changes and connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT 1")
