"""One thread's connection: opened when it is needed, tried after it lay idle, dropped when it failed."""

import contextlib
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from bpm.store.cuttable import CuttableConnection

IDLE_SECONDS = 1.0
"""A connection used within this time is taken to be alive; whether an older one is costs a question."""
STEPS_BETWEEN_LOOKS = 1_000_000
"""How many steps of its own SQLite makes, in about 20 ms, until it looks whether its statement is to end."""


class ThreadConnection:
    """Hands out the same connection as long as it lives; one that was idle for a second is pinged first.

    `interrupt` and `cut` are for other threads, all else for its own.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        """Take how to open a connection; the first one is opened at its first use."""
        self._connect = connect
        self._connection: Connection | None = None
        self._driver: Any = None
        self._interruptions: list[None] = []
        self._closing = threading.Lock()
        self._used_at = 0.0

    def connection(self) -> Connection:
        """Return the connection, opened anew if need be; raises what opening raises."""
        if self._connection is not None and time.monotonic() - self._used_at > IDLE_SECONDS:
            self._try()
        if self._connection is None:
            self._connection = self._connect()
            self._driver = self._connection.connection.driver_connection
            self._listen_for_interruptions()
        self._used_at = time.monotonic()
        return self._connection

    def interrupt(self) -> None:
        """End the statements that run until `resume`, where the driver can; elsewhere the server's limits end them."""
        self._interruptions.append(None)

    def resume(self) -> None:
        """Let statements run again."""
        self._interruptions.clear()

    def cut(self) -> None:
        """End the connection's transaction while its own thread still holds it, and let that write nothing any more.

        SQLite's is left for its own thread to close: the driver has no connection any more when a statement comes back
        beneath which it was closed, and crashes.
        """
        with self._closing:
            if isinstance(self._driver, CuttableConnection):
                with contextlib.suppress(sqlite3.Error):
                    self._driver.cut()
            elif self._driver is not None:
                _shut_socket(self._driver)

    def drop(self) -> None:
        """Close the connection, whatever state it is in."""
        with self._closing:
            connection, self._connection, self._driver = self._connection, None, None
            if connection is not None:
                with contextlib.suppress(Exception):
                    connection.close()

    def _listen_for_interruptions(self) -> None:
        """Let SQLite ask, between its steps, whether to go on.

        `sqlite3_interrupt` would also end the ROLLBACK that follows, as long as one cursor is open. What is asked is a
        built-in method: in a function of Python's the exception for this thread would be raised, and lost.
        """
        if isinstance(self._driver, sqlite3.Connection):
            self._driver.set_progress_handler(self._interruptions.__len__, STEPS_BETWEEN_LOOKS)

    def _try(self) -> None:
        assert self._connection is not None
        try:
            self._connection.dialect.do_ping(self._connection.connection.dbapi_connection)  # pyright: ignore[reportArgumentType]
        except Exception:
            self.drop()


def _shut_socket(driver: Any) -> None:
    """End the connection of asyncpg below it: its objects belong to the other thread, the socket to the process.

    The server meets the end of its input, undoes the transaction and lets go of its locks.
    """
    link = driver._transport.get_extra_info("socket")
    if link is None or link.fileno() < 0:
        return
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(link.fileno())) as same:
        same.shutdown(socket.SHUT_RDWR)
