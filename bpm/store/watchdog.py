"""Ends work that holds a database thread too long.

The writer is one thread: a handler that sleeps or loops in it stops every write. Python can raise an exception in
another thread, which takes effect between two of its instructions; a statement of SQLite is interrupted through its
connection. A call into C that blocks can't be ended: then the thread is given up, and another one does its work
(`docs/decisions/0049-threads-that-are-given-up.md`).
"""

import contextlib
import ctypes
import threading
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

import structlog

from bpm.errors import TookTooLong
from bpm.stall import stack_of
from bpm.store.abandoned_threads import Abandoned, AbandonedThreads
from bpm.store.handler_names import HandlerNames

T = TypeVar("T")

NOTICE_SECONDS = 2.0
"""Work that takes longer is named in the log."""
LOOK_SECONDS = 0.25
"""How often the running work is looked at."""
MOST_BETWEEN_LOOKS = 1.0
"""So much counts at most from one look to the next: of a process that was paused, or does not get its turn on a busy
machine, the work did not get on either."""
PATIENCE_SECONDS = 1.0
"""How long work that was interrupted may take to end before it is interrupted again."""
INTERRUPTS = 2
"""After so many, each with its patience, the thread is given up."""
FRAMES_SHOWN = 3

log = structlog.get_logger("bpm.store")


class TimeLimitExceeded(BaseException):
    """Raised inside work that took longer than it may; a handler's `except Exception` does not catch it."""


class Interruptible(Protocol):
    """The connection of a thread, as other threads see it."""

    def interrupt(self) -> None:
        """End the statements that run until `resume`."""
        ...

    def resume(self) -> None:
        """Let statements run again."""
        ...


class HeldThread(NamedTuple):
    """What a thread is at: the message whose handler it is in, "" for other work, and for how long."""

    handler: str
    seconds: float


class Watch:
    """What one thread is doing, and for how long."""

    def __init__(
        self,
        seconds: float,
        abandoned: AbandonedThreads,
        names: HandlerNames,
        link: Interruptible,
        take_over: Callable[[], object],
    ) -> None:
        """Watch the calling thread, which uses `link`; `take_over` starts another one that does its work.

        What that raises means that none could be started.
        """
        self._seconds = seconds
        self._abandoned = abandoned
        self._names = names
        self._link = link
        self._take_over = take_over
        self._thread = threading.current_thread()
        self.thread = self._thread.name
        self._ident = threading.get_ident()
        self._lock = threading.Lock()
        self._began: float | None = None
        self._seen = 0.0
        self._interrupts = 0
        self._is_noticed = False
        self._is_waited_for = False
        self.is_abandoned = False
        """Whether another thread does the work of this one."""

    def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns; raises what it raises, and `TookTooLong` when it overran and was ended.

        Raises `Abandoned` when the work has come back after the thread was given up.
        """
        self._interrupts, self._is_noticed, self._is_waited_for = 0, False, False
        self._seen = 0.0
        self._began = time.monotonic()
        try:
            return work()
        except TimeLimitExceeded:
            raise self.overran() from None
        finally:
            self._end()

    @property
    def held(self) -> HeldThread | None:
        """What the thread is at; None when it waits for work."""
        began = self._began
        return None if began is None else HeldThread(self._names.of(self._ident), time.monotonic() - began)

    @property
    def has_overrun(self) -> bool:
        """Whether the work that ran last was interrupted."""
        return self._interrupts > 0

    def overran(self) -> TookTooLong:
        """Return the error of work that took too long."""
        return TookTooLong(f"this took longer than the {self._seconds:g} seconds that work in a transaction may take")

    def never_ended(self) -> TookTooLong:
        """Return the error of work that goes on although it was interrupted."""
        return TookTooLong(
            f"this took longer than the {self._seconds:g} seconds that work in a transaction may take, and went on "
            "when it was interrupted, as a call does that sleeps or waits; nothing of it was stored. What waits for "
            "something belongs into a handler that is written `async def`"
        )

    def look(self, passed: float) -> None:
        """Name work that takes long in the log, and end what takes too long; called by the watchdog's thread.

        `passed` are the seconds since the last look that count.
        """
        with self._lock:  # `_end` takes it, so that nothing is raised in a thread whose work has just ended
            if self._began is None or self.is_abandoned:
                return
            self._seen = seconds = min(self._seen + passed, time.monotonic() - self._began)
            if seconds > NOTICE_SECONDS and not self._is_noticed:
                self._is_noticed = True
                self._log(log.warning, "a handler holds a database thread", seconds)
            if seconds > self._seconds + INTERRUPTS * PATIENCE_SECONDS and self._give_up(seconds):
                return
            if seconds > self._seconds + self._interrupts * PATIENCE_SECONDS:
                self._interrupt(seconds)

    def _interrupt(self, seconds: float) -> None:
        if not self._interrupts:
            self._abandoned.ended.add("interrupted")
            self._log(log.error, "a handler took too long and is ended", seconds)
        self._interrupts += 1
        self._link.interrupt()
        self._raise()

    def _raise(self) -> None:
        exception = ctypes.py_object(TimeLimitExceeded)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._ident), exception)

    def _take_back(self) -> None:
        """Let what was raised and not yet delivered not meet the next work: it is raised here once more, and caught.

        To replace it by nothing leaves every thread looking for it at every call from then on, and those that a
        debugger or profiler follows do not get on at all (CPython 3.11, `PyThreadState_SetAsyncExc`).
        """
        with contextlib.suppress(TimeLimitExceeded):
            self._raise()
            while True:  # it takes effect between two turns
                pass

    def _give_up(self, seconds: float) -> bool:
        """Let another thread go on, unless too many were left behind already, or there is no thread to be had."""
        if self._abandoned.is_full:
            self._wait_for(log.critical, "too many handlers do not end: this one holds up everybody", seconds)
            return False
        try:
            self._take_over()
        except (RuntimeError, MemoryError):  # the next look tries again
            self._wait_for(log.critical, "no thread can be started in place of one that does not come back", seconds)
            return False
        self._abandoned.add(self._thread)
        self.is_abandoned = True
        self._log(log.error, "a handler did not end when it was interrupted; another thread goes on", seconds)
        return True

    def _wait_for(self, write: Callable[..., object], event: str, seconds: float) -> None:
        """Say once why the work is not given up."""
        if not self._is_waited_for:
            self._is_waited_for = True
            self._log(write, event, seconds)

    def wait_until_looked_at(self) -> None:
        """Return when the look that goes on is over, if one does: whoever takes over begins while it goes on."""
        with self._lock:
            return

    def _log(self, write: Callable[..., object], event: str, seconds: float) -> None:
        where = stack_of(self._ident, FRAMES_SHOWN)
        write(event, type=self._names.of(self._ident), seconds=round(seconds, 1), at=where)

    def _stop_looking(self) -> None:
        with self._lock:
            self._began = None

    def _end(self) -> None:
        try:
            self._stop_looking()
        except TimeLimitExceeded:  # raised in the moment in which the work ended by itself
            self._stop_looking()
        if self._interrupts:
            self._take_back()
            self._link.resume()
        if self.is_abandoned:
            raise Abandoned


class Watchdog:
    """A thread that looks at the database threads' work."""

    def __init__(self, seconds: float, abandoned: AbandonedThreads, names: HandlerNames) -> None:
        """Let work take at most `seconds`; `abandoned` counts the threads that are given up, `names` says what runs."""
        self._seconds = seconds
        self._abandoned = abandoned
        self._names = names
        self._watches: list[Watch] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="bpm-watchdog", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()

    def watch(self, link: Interruptible, take_over: Callable[[], object]) -> Watch:
        """Return a watch for the calling thread; see `Watch`."""
        watch = Watch(self._seconds, self._abandoned, self._names, link, take_over)
        self._watches.append(watch)
        return watch

    def held(self, thread: str) -> HeldThread | None:
        """Return what the thread of that name is at; None when it waits for work."""
        watches = (watch for watch in tuple(self._watches) if watch.thread == thread and not watch.is_abandoned)
        return next((watch.held for watch in watches), None)

    def _look(self) -> None:
        looked = time.monotonic()
        while not self._ended.wait(LOOK_SECONDS):
            before, looked = looked, time.monotonic()
            for watch in tuple(self._watches):
                with contextlib.suppress(MemoryError):  # there may be some at the next look
                    watch.look(min(looked - before, MOST_BETWEEN_LOOKS))
                if watch.is_abandoned:
                    self._watches.remove(watch)
