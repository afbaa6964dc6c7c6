"""Connections of SQLite whose work another thread may put an end to, and that write only in a transaction.

No other thread gives such a connection a statement: to prepare one, the driver holds Python's lock while SQLite waits
for the statement that runs, which may be waiting for Python's lock to ask whether it is to go on. Then all stop.
"""

import sqlite3
import threading
from collections.abc import Iterable
from typing import Any

from bpm.store.faults import TransactionLost

OUTSIDE = ("BEGIN ", "SELECT 1")
"""How statements begin that may stand outside of a transaction: its own first one, and the question whether the
connection is alive."""


class CuttableConnection(sqlite3.Connection):
    """Takes one statement at a time, none after it was cut, and once it `is_guarded` none outside of a transaction.

    SQLite undoes a transaction by itself where it runs out of memory or disk, or is interrupted. What a handler
    executes that goes on all the same would be committed at once.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Open the file."""
        super().__init__(*arguments, **options)
        self.statement = threading.RLock()
        self.is_guarded = False
        self._is_cut = False

    def cursor(self, factory: Any = None) -> Any:
        """Return a cursor that looks before each statement whether the connection takes it."""
        return super().cursor(factory or CuttableCursor)

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Execute one statement through a cursor; the driver's own way would go past it."""
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> sqlite3.Cursor:
        """Do the same with each of the parameters."""
        return self.cursor().executemany(sql, parameters)

    def executescript(self, sql_script: str, /) -> sqlite3.Cursor:
        """Execute several statements."""
        return self.cursor().executescript(sql_script)

    def commit(self) -> None:
        """Commit; raises as a statement would."""
        with self.statement:
            self.demand("COMMIT")
            super().commit()

    def demand(self, sql: str) -> None:
        """Raise `sqlite3.ProgrammingError` once the connection was cut, `TransactionLost` where none is open."""
        if self._is_cut:
            raise sqlite3.ProgrammingError("The transaction was ended, because it took too long")
        if self.is_guarded and not self.in_transaction and not sql.startswith(OUTSIDE):
            raise TransactionLost

    def cut(self) -> None:
        """Undo what was changed and refuse everything further; for other threads. Waits for the statement that runs."""
        with self.statement:
            self._is_cut = True
            self.rollback()


class CuttableCursor(sqlite3.Cursor):
    """Executes as the driver's does what its connection takes."""

    connection: CuttableConnection  # pyright: ignore[reportIncompatibleMethodOverride] no other one makes it

    def execute(self, sql: str, parameters: Any = (), /) -> "CuttableCursor":
        """Execute one statement."""
        connection = self.connection
        with connection.statement:
            connection.demand(sql)
            return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> "CuttableCursor":
        """Execute one statement with each of the parameters."""
        with self.connection.statement:
            self.connection.demand(sql)
            return super().executemany(sql, parameters)

    def executescript(self, sql_script: str, /) -> sqlite3.Cursor:
        """Execute several statements."""
        with self.connection.statement:
            self.connection.demand(sql_script)
            return super().executescript(sql_script)
