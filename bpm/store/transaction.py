"""What a unit of work may do with the database while its transaction is open."""

import sqlite3
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.exc import DBAPIError

from bpm.store.bulk import apply_changes
from bpm.store.faults import TransactionLost
from bpm.store.numbering import new_numbers
from bpm.store.session import ScopedSession

T = TypeVar("T")

_NOTHING: Any = object()

AppendedRows = list[tuple[Table, Mapping[str, Any]]]
Changes = list[tuple[Executable, Mapping[str, Any]]]


@dataclass(slots=True)
class Shared:
    """What the units of a group share: answers to look-ups, and numbers for new rows."""

    memory: dict[Hashable, Any] = field(default_factory=dict[Hashable, Any])
    numbers: dict[Table, Iterator[int]] = field(default_factory=dict[Table, Iterator[int]])


@dataclass(slots=True)
class _Savepoint:
    """A block that may be undone: under which name the database knows it, and whether it is the first with it."""

    name: str | None = None
    is_first: bool = False


class Transaction:
    """One open transaction, shared by the units of a group; each unit has a `Transaction` of its own.

    `connection` runs Core statements, `session()` the object-relational ones. `append` and `change` hand over
    what nothing in the unit reads back: a whole group's rows, or changes by one statement, are written at once.
    `remembered` spares the units of a group the same look-up. Savepoints reach the database with the first
    statement that may change something: a unit that only looks up and appends needs none. `driver` is the embedded
    database's own connection, None elsewhere.
    """

    __slots__ = (
        "_careful",
        "_connection",
        "_execute",
        "_named",
        "_points",
        "_sessions",
        "_shared",
        "_unopened",
        "appended",
        "callbacks",
        "can_be_put_off",
        "changes",
        "driver",
        "is_snapshot",
    )

    def __init__(
        self, connection: Connection, shared: Shared, *, careful: bool = False, is_snapshot: bool = False
    ) -> None:
        """Stand on a connection whose transaction has begun; `shared` is the group's.

        `careful`: no statement of this unit may spoil the transaction for the others of its group. `is_snapshot`: it
        only reads, and sees what is committed and nothing else. `can_be_put_off`: whoever waits for the unit runs it
        again when it raises `PreloadRequired`.
        """
        self.is_snapshot = is_snapshot
        self.can_be_put_off = False
        self._connection = connection
        self._shared = shared
        self._careful = careful
        self.appended: AppendedRows = []
        self.changes: Changes = []
        self.callbacks: list[Callable[[], object]] = []
        self._sessions: dict[int | None, ScopedSession] = {}
        self._points: list[_Savepoint] = []
        self._unopened = 0
        self._named = 0
        driver = connection.connection.driver_connection
        self.driver = driver if isinstance(driver, sqlite3.Connection) else None
        # a savepoint a unit is a tenth of a small unit's cost through SQLAlchemy, and a hundredth without
        self._execute = driver.execute if isinstance(driver, sqlite3.Connection) else connection.exec_driver_sql

    @property
    def connection(self) -> Connection:
        """The connection, for statements that change something; to be asked for anew inside each savepoint."""
        if self._unopened:
            self._emit_savepoints()
        return self._connection

    def require_open(self) -> None:
        """Raise `TransactionLost` when there is no transaction any more.

        What is executed then commits at once, and the commit at the end says nothing.
        """
        if self.driver is not None and not self.driver.in_transaction:
            raise TransactionLost

    @property
    def reading(self) -> Connection:
        """The connection for statements that change nothing.

        They need no savepoint, unless they may be refused and a refusal would cost the others their transaction.
        """
        return self.connection if self._careful else self._connection

    def session(self, organization_id: int | None) -> ScopedSession:
        """Return this unit's session for an organisation; None sees every organisation's rows."""
        connection = self.connection
        session = self._sessions.get(organization_id)
        if session is None:
            session = self._sessions[organization_id] = ScopedSession(connection, organization_id)
        return session

    def remembered(self, key: Hashable, look_up: Callable[[], T]) -> T:
        """Return what an earlier unit of the group found under `key`, else look it up.

        The units of a group are concurrent, so each may see what the first one saw; whoever changes what others
        remember says `forget`.
        """
        memory = self._shared.memory
        found = memory.get(key, _NOTHING)
        if found is _NOTHING:
            found = memory[key] = look_up()
        return found

    def forget(self) -> None:
        """Let everything be looked up anew."""
        self._shared.memory.clear()

    def number(self, table: Table) -> int:
        """Return the number of a row that is going to be inserted into a table which numbers its rows."""
        numbers = self._shared.numbers.get(table)
        if numbers is None:
            numbers = self._shared.numbers[table] = new_numbers(self._connection, table)
        return next(numbers)

    def append(self, table: Table, row: Mapping[str, Any]) -> None:
        """Insert `row` with the group's other rows of `table` just before the commit."""
        self.appended.append((table, row))

    def change(self, statement: Executable, parameters: Mapping[str, Any]) -> None:
        """Change exactly one row with the group's others just before the commit.

        When the statement finds no row, or several, the whole unit fails with `Fenced`.
        """
        self.changes.append((statement, parameters))

    def change_at_once(self, statement: Executable, parameters: Mapping[str, Any]) -> None:
        """Change exactly one row now: for what a later unit of the group has to find. Raises `Fenced` as `change`."""
        apply_changes(self.connection, [(statement, parameters)])

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Call back in the event loop once everything is on disk; never when the unit fails."""
        self.callbacks.append(callback)

    @contextmanager
    def savepoint(self) -> Generator[None]:
        """Undo everything done inside, appended rows and callbacks too, when the block raises.

        Raises `TransactionLost` in its stead when the database has undone more than that.
        """
        self.flush()
        rows, changes, callbacks = len(self.appended), len(self.changes), len(self.callbacks)
        point = _Savepoint()
        self._points.append(point)
        self._unopened += 1
        try:
            yield
            self.flush()
        except BaseException:
            self.close()
            del self.appended[rows:], self.changes[changes:], self.callbacks[callbacks:]
            with suppress(DBAPIError, sqlite3.Error):  # a full disk has rolled back everything; its error counts
                self._leave(point, undo=True)
            self.require_open()
            raise
        self._leave(point)

    def flush(self) -> None:
        """Bring the sessions' pending changes to the database."""
        for session in self._sessions.values():
            if session.new or session.dirty or session.deleted:
                self._emit_savepoints()
                session.flush()

    def _emit_savepoints(self) -> None:
        """Send the pending SAVEPOINTs as one: nothing was changed between them."""
        if not self._unopened:
            return
        self._named += 1
        name = f"s{self._named}"
        self._execute(f"SAVEPOINT {name}")
        self._points[-self._unopened].is_first = True
        for point in self._points[-self._unopened :]:
            point.name = name
        self._unopened = 0

    def _leave(self, point: "_Savepoint", *, undo: bool = False) -> None:
        self._points.pop()
        if point.name is None:
            self._unopened -= 1
            return
        if undo:
            self.forget()
            self._execute(f"ROLLBACK TO {point.name}")
        if point.is_first and self.driver is not None:  # elsewhere it is a round trip, and the commit releases them all
            self._execute(f"RELEASE {point.name}")

    def close(self) -> None:
        """Forget the sessions and the objects they hold; the connection stays open."""
        for session in self._sessions.values():
            session.expunge_all()
        self._sessions.clear()
