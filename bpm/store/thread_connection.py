"""One thread's connection: opened when it is needed, tried after it lay idle, dropped when it failed."""

import contextlib
import sqlite3
import time
from collections.abc import Callable

from sqlalchemy import Connection

IDLE_SECONDS = 1.0
"""A connection used within this time is taken to be alive; whether an older one is costs a question."""


class ThreadConnection:
    """Hands out the same connection as long as it lives; one that was idle for a second is pinged first."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        """Take how to open a connection; the first one is opened at its first use."""
        self._connect = connect
        self._connection: Connection | None = None
        self._used_at = 0.0

    def connection(self) -> Connection:
        """Return the connection, opened anew if need be; raises what opening raises."""
        if self._connection is not None and time.monotonic() - self._used_at > IDLE_SECONDS:
            self._try()
        if self._connection is None:
            self._connection = self._connect()
        self._used_at = time.monotonic()
        return self._connection

    def interrupt(self) -> None:
        """End the statement that another thread runs, where the driver can; elsewhere the server's limits end it."""
        connection = self._connection
        driver = connection.connection.driver_connection if connection is not None else None
        if isinstance(driver, sqlite3.Connection):
            driver.interrupt()

    def drop(self) -> None:
        """Close the connection, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.close()

    def _try(self) -> None:
        assert self._connection is not None
        try:
            self._connection.dialect.do_ping(self._connection.connection.dbapi_connection)  # pyright: ignore[reportArgumentType]
        except Exception:
            self.drop()
