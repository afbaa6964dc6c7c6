"""Keeps SQLite's write-ahead log small.

SQLite begins its log anew only in a moment in which nobody reads from it. Readers that take turns leave no such
moment, and the log grows for as long as they go on. So this makes one: it holds new snapshots back for a moment,
moves what the log holds into the database, and gives the log's room back to the disk.
"""

import sqlite3
import threading
from pathlib import Path

import structlog

from bpm.store.gate import SnapshotGate

LOG_BYTES = 32 * 1024 * 1024
"""A log that is larger is emptied."""
LOOK_SECONDS = 1.0
LONGEST_SECONDS = 16.0
"""After each vain try the next one is twice as far away, up to this: a try holds up readers and the writer."""
READERS_SECONDS = 2.0
"""How long the readers' present snapshots are waited for."""
BUSY_MILLISECONDS = 500
"""How long readers in other processes are waited for; the writer waits as long."""
PATIENCE = 6
"""After so many vain tries in a row, about a minute, the log says why the file grows."""

log = structlog.get_logger("bpm.store")


class Checkpoints:
    """A thread that empties the write-ahead log of a database file when it has grown."""

    def __init__(self, path: Path, gate: SnapshotGate, log_bytes: int = LOG_BYTES) -> None:
        """Take the database's file and the gate that this process's readers pass."""
        self._path = path
        self._log_path = path.with_name(path.name + "-wal")
        self._gate = gate
        self._log_bytes = log_bytes
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="bpm-checkpoints", daemon=True)
        self._vain = 0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and empty the log a last time."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
            self.empty()

    def _serve(self) -> None:
        while not self._ended.wait(self.pause):
            if self._size() > self._log_bytes:
                self.empty()

    @property
    def pause(self) -> float:
        """How many seconds to wait before the log is looked at again."""
        return min(LOOK_SECONDS * 2 ** min(self._vain, 10), LONGEST_SECONDS)

    def _size(self) -> int:
        try:
            return self._log_path.stat().st_size
        except OSError:
            return 0

    def empty(self) -> None:
        """Write the log into the file and cut it to nothing, if readers let it; a failure is left to the next look."""
        try:
            connection = sqlite3.connect(self._path, isolation_level=None)
            try:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")  # most of the work, while others read and write
                connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
                with self._gate.shut(READERS_SECONDS):
                    was_busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                connection.close()
        except sqlite3.Error as error:  # the disk is full or away; the next look tries again
            log.warning("the write-ahead log could not be emptied", error=str(error))
            return
        self._vain = self._vain + 1 if was_busy else 0
        if self._vain and self._vain % PATIENCE == 0:
            size = self._size() // (1024 * 1024)
            log.warning("another process reads from the database and keeps its log from shrinking", megabytes=size)
