"""A gate before the readers' snapshots, which can be shut for a moment."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager


class SnapshotGate:
    """Any number may be inside; `shut` waits until nobody is, and keeps all others outside meanwhile."""

    def __init__(self) -> None:
        """Begin open, with nobody inside."""
        self._changed = threading.Condition()
        self._inside = 0
        self._is_shut = False

    @contextmanager
    def entered(self) -> Generator[None]:
        """Be inside, as soon as the gate is open."""
        with self._changed:
            while self._is_shut:
                self._changed.wait()
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def shut(self, seconds: float) -> Generator[bool]:
        """Keep others outside; yields whether nobody was inside any more within `seconds`."""
        deadline = time.monotonic() + seconds
        with self._changed:
            self._is_shut = True
            while self._inside and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            is_empty = not self._inside
        try:
            yield is_empty
        finally:
            with self._changed:
                self._is_shut = False
                self._changed.notify_all()
