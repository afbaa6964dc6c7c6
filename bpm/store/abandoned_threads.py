"""Threads that were given up: what they run did not end when it was interrupted, and others go on in their place."""

import threading

from bpm.metrics import Counter

MOST_ABANDONED = 8
"""Maximum number of threads left behind at once. A further one that does not end is waited for, and the process says
that it is no longer alive: something is wrong that only a restart mends."""


class Abandoned(BaseException):
    """Raised in a thread that was given up, as soon as it comes back: it has nothing more to do."""


class AbandonedThreads:
    """The threads that were given up and still run, at most so many."""

    def __init__(self, most: int = MOST_ABANDONED) -> None:
        """Begin with none."""
        self.most = most
        self._threads: tuple[threading.Thread, ...] = ()
        self._lock = threading.Lock()
        self.ended = Counter(
            "bpm_handlers_ended_total",
            "Handlers that took too long: interrupted, or abandoned with their thread.",
            "how",
        )

    def add(self, thread: threading.Thread) -> bool:
        """Count one more; returns False when there are so many already that it must be waited for."""
        with self._lock:  # each kind of thread has a watchdog of its own
            if self.is_full:
                return False
            self._threads = (*self.alive, thread)
        self.ended.add("abandoned")
        return True

    @property
    def alive(self) -> tuple[threading.Thread, ...]:
        """Those that have not come back."""
        if self._threads:
            self._threads = tuple(thread for thread in self._threads if thread.is_alive())
        return self._threads

    @property
    def is_full(self) -> bool:
        """Whether the next handler that does not end holds up everybody."""
        return len(self.alive) >= self.most

    def refuse_connection(self, *_: object) -> None:
        """Raise `Abandoned` in a thread that was given up: nothing that it does may reach the database any more."""
        if threading.current_thread() in self._threads:
            raise Abandoned
