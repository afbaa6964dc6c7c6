"""Processes kept warm: as many as were wanted at once lately, and none where nobody asks."""

import time
from collections import deque
from collections.abc import Callable

from scripts.server.remote_child import Child

KEPT_SECONDS = 60.0
"""How long a number that was wanted at once is kept ready; between runs spares are memory that nobody uses."""


class Spares:
    """Children that have warmed up for one kind of work."""

    def __init__(self, most: int) -> None:
        """Begin with none; `most` are kept."""
        self._most = most
        self._children: deque[Child] = deque()
        self._wanted = 0
        self._until = 0.0

    def __bool__(self) -> bool:
        """Tell whether there is one."""
        return bool(self._children)

    def take(self) -> Child | None:
        """Take the oldest that has not ended; when there is none, one more is kept from now on."""
        self._until = time.monotonic() + KEPT_SECONDS
        child = self._living()
        if child is None:
            self._wanted = min(self._wanted + 1, self._most)
        return child

    def refill(self, fork: Callable[[], Child]) -> None:
        """Have as many as are wanted now."""
        if time.monotonic() > self._until:
            self._wanted = 0
        while len(self._children) > self._wanted:
            self._children.popleft().leave()
        while len(self._children) < self._wanted:
            self._children.append(fork())

    def leave(self) -> None:
        """Let all of them go."""
        while self._children:
            self._children.popleft().leave()

    def _living(self) -> Child | None:
        while self._children:
            child = self._children.popleft()
            if not child.ended.done():
                return child
            child.leave()
        return None
