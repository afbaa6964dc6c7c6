"""Where log lines go. Whoever logs neither fails nor waits for long because a line can't be written.

A log on a full disk raises at every line, one through a pipe raises when its reader is gone, and blocks when its
reader no longer reads: a server that lets its lines do so answers 500, or answers nobody, because of its log.
"""

import os
import select
import threading
import time
from typing import TextIO

PATIENCE_SECONDS = 0.1
"""How long a line waits for the reader of a pipe."""
HASTE_SECONDS = 5.0
"""For how long no line waits at all, after one that waited in vain."""
PIECE = select.PIPE_BUF
"""Bytes that a pipe takes at once, or not at all, when it is said to be ready."""
LOST = '{{"event": "log lines could not be written", "lines": {}, "level": "warning"}}\n'


class LogStream:
    """A text file for loggers; what it can't take is left out, and counted in the next line that it can."""

    def __init__(self, file: TextIO) -> None:
        """Take a file with a descriptor, such as standard error."""
        self._descriptor = file.fileno()
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLOUT)
        self._lock = threading.Lock()
        self._lost = 0
        self._hasty_until = 0.0

    def write(self, line: str) -> int:
        """Write a whole line, or leave it out; return its length, as files do."""
        with self._lock:
            if self._lost and self._is_written(LOST.format(self._lost)):
                self._lost = 0
            if self._lost or not self._is_written(line):
                self._lost += 1
        return len(line)

    def flush(self) -> None:
        """Do nothing: what is written is written."""

    def _is_written(self, line: str) -> bool:
        rest = line.encode(errors="backslashreplace")
        try:
            while rest and self._is_ready():
                rest = rest[os.write(self._descriptor, rest[:PIECE]) :]
        except OSError:
            return False
        return not rest

    def _is_ready(self) -> bool:
        now = time.monotonic()
        patience = PATIENCE_SECONDS if now >= self._hasty_until else 0
        if self._poll.poll(patience * 1000):
            return True
        self._hasty_until = now + HASTE_SECONDS
        return False
