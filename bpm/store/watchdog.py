"""Ends work that holds a database thread too long.

The writer is one thread: a handler that sleeps or loops in it stops every write. Python can raise an exception in
another thread, which takes effect between two of its instructions; a call into C that blocks is ended only when it
returns. A statement of SQLite is interrupted through its connection.
"""

import ctypes
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from bpm.errors import TookTooLong
from bpm.stall import stack_of

T = TypeVar("T")

NOTICE_SECONDS = 2.0
"""Work that takes longer is named in the log."""
LOOK_SECONDS = 0.25
"""How often the running work is looked at."""
PATIENCE_SECONDS = 1.0
"""How long work that was interrupted may take to end before it is interrupted again."""
FRAMES_SHOWN = 3

log = structlog.get_logger("bpm.store")


class TimeLimitExceeded(BaseException):
    """Raised inside work that took longer than it may; a handler's `except Exception` does not catch it."""


class Watch:
    """What one thread is doing, and for how long."""

    def __init__(self, seconds: float, interrupt_statement: Callable[[], object]) -> None:
        """Watch the calling thread; `interrupt_statement` ends what its connection is doing, if it can."""
        self._seconds = seconds
        self._interrupt_statement = interrupt_statement
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._began: float | None = None
        self._interrupts = 0
        self._is_noticed = False

    def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns; raises what it raises, and `TookTooLong` when it overran and was ended."""
        self._interrupts, self._is_noticed = 0, False
        self._began = time.monotonic()
        try:
            return work()
        except TimeLimitExceeded:
            raise self.overran() from None
        finally:
            self._end()

    @property
    def has_overrun(self) -> bool:
        """Whether the work that ran last was interrupted."""
        return self._interrupts > 0

    def overran(self) -> TookTooLong:
        """Return the error of work that took too long."""
        return TookTooLong(f"this took longer than the {self._seconds:g} seconds that work in a transaction may take")

    def look(self) -> None:
        """Name work that takes long in the log, and interrupt what takes too long; called by the watchdog's thread."""
        with self._lock:  # `_end` takes it, so that nothing is raised in a thread whose work has just ended
            if self._began is None:
                return
            seconds = time.monotonic() - self._began
            if seconds > NOTICE_SECONDS and not self._is_noticed:
                self._is_noticed = True
                log.warning(
                    "a handler holds a database thread",
                    seconds=round(seconds, 1),
                    at=stack_of(self._thread, FRAMES_SHOWN),
                )
            if seconds > self._seconds + self._interrupts * PATIENCE_SECONDS:
                self._interrupt(seconds)

    def _interrupt(self, seconds: float) -> None:
        self._interrupts += 1
        log.error(
            "a handler took too long and is ended", seconds=round(seconds, 1), at=stack_of(self._thread, FRAMES_SHOWN)
        )
        self._interrupt_statement()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), ctypes.py_object(TimeLimitExceeded))

    def _stop_looking(self) -> None:
        with self._lock:
            self._began = None

    def _tell(self, event: str, seconds: float) -> None:
        log.warning(event, seconds=round(seconds, 1), at=stack_of(self._thread, FRAMES_SHOWN))

    def _end(self) -> None:
        try:
            self._stop_looking()
        except TimeLimitExceeded:  # raised in the moment in which the work ended by itself
            self._stop_looking()
        if self._interrupts:  # what was raised and not yet delivered must not meet the next work
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), None)


class Watchdog:
    """A thread that looks at the database threads' work."""

    def __init__(self, seconds: float) -> None:
        """Let work take at most `seconds`."""
        self._seconds = seconds
        self._watches: list[Watch] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="bpm-watchdog", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()

    def watch(self, interrupt_statement: Callable[[], object]) -> Watch:
        """Return a watch for the calling thread."""
        watch = Watch(self._seconds, interrupt_statement)
        self._watches.append(watch)
        return watch

    def _look(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            for watch in tuple(self._watches):
                watch.look()
