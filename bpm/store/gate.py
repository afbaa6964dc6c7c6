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
        self._inside: set[object] = set()
        self._is_shut = False

    @contextmanager
    def entered(self, visitor: object) -> Generator[None]:
        """Be inside, as soon as the gate is open."""
        with self._changed:
            while self._is_shut:
                self._changed.wait()
            self._inside.add(visitor)
        try:
            yield
        finally:
            self.leave(visitor)

    def leave(self, visitor: object) -> None:
        """Be outside; also for one that does not come back, whose snapshot was ended."""
        with self._changed:
            self._inside.discard(visitor)
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
