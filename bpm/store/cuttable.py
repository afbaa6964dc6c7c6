"""Connections of SQLite whose work another thread may put an end to.

No other thread gives such a connection a statement: to prepare one, the driver holds Python's lock while SQLite waits
for the statement that runs, which may be waiting for Python's lock to ask whether it is to go on. Then all stop.
"""

import sqlite3
import threading
from collections.abc import Iterable
from typing import Any


class CuttableConnection(sqlite3.Connection):
    """Takes one statement at a time, and none after it was cut."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Open the file."""
        super().__init__(*arguments, **options)
        self.statement = threading.RLock()
        self._is_cut = False

    def cursor(self, factory: Any = None) -> Any:
        """Return a cursor that looks before each statement whether the connection was cut."""
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
        """Commit; raises `sqlite3.ProgrammingError` once the connection was cut."""
        with self.statement:
            self.demand_whole()
            super().commit()

    def demand_whole(self) -> None:
        """Raise `sqlite3.ProgrammingError` once the connection was cut."""
        if self._is_cut:
            raise sqlite3.ProgrammingError("The transaction was ended, because it took too long")

    def cut(self) -> None:
        """Undo what was changed and refuse everything further; for other threads. Waits for the statement that runs."""
        with self.statement:
            self._is_cut = True
            self.rollback()


class CuttableCursor(sqlite3.Cursor):
    """Executes as the driver's does, unless its connection was cut."""

    connection: CuttableConnection  # pyright: ignore[reportIncompatibleMethodOverride] no other one makes it

    def execute(self, sql: str, parameters: Any = (), /) -> "CuttableCursor":
        """Execute one statement."""
        connection = self.connection
        with connection.statement:
            connection.demand_whole()
            return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any], /) -> "CuttableCursor":
        """Execute one statement with each of the parameters."""
        with self.connection.statement:
            self.connection.demand_whole()
            return super().executemany(sql, parameters)

    def executescript(self, sql_script: str, /) -> sqlite3.Cursor:
        """Execute several statements."""
        with self.connection.statement:
            self.connection.demand_whole()
            return super().executescript(sql_script)
