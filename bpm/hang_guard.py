"""Ends a process whose interpreter hangs.

A call into C that does not come back and keeps the interpreter's lock stops every thread, so that no code of ours can
notice: libraries do that when they run out of memory while they report that they did. `faulthandler` waits in a thread
that needs no interpreter. It writes to standard error where each thread stands, and ends the process with status 1.
"""

import faulthandler
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

HANG_SECONDS = 300.0
"""Long, because a process that was stopped (`docker pause`) hangs as well, and would end when it is let go on."""
ASKS = 10
"""In that time the interpreter shows so often that it lives."""


class HangGuard:
    """A context in which the process ends when no thread gets a turn for so long."""

    def __init__(self, seconds: float = HANG_SECONDS) -> None:
        """Allow `seconds` without a turn."""
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="bpm-hang-guard", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Guard no more."""
        self._ended.set()
        self._thread.join()
        faulthandler.cancel_dump_traceback_later()

    def _serve(self) -> None:
        while True:
            with suppress(RuntimeError, MemoryError):  # no memory for its thread now; it is asked for again
                faulthandler.dump_traceback_later(self._seconds, exit=True)
            if self._ended.wait(self._seconds / ASKS):
                return
