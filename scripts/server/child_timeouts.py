"""The server's own clocks on a child: elapsed time, waiting for an answer, and CPU time."""

import asyncio
import time

from scripts.server.remote_child import Child
from scripts.shared.limits import Limits

TIMER_GRACE = 0.25
"""Seconds the child's own CPU timer is given to act before the server does."""


class ChildTimeouts:
    """Stops a child when one of its clocks runs out; the wall clock stands still during an answer."""

    def __init__(self, child: Child, limits: Limits) -> None:
        self._child = child
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._cpu_before = child.cpu_seconds()
        self._cpu_allowed = limits.cpu_seconds + (0.0 if child.reused else TIMER_GRACE)
        self._wall_left = limits.wall_seconds
        self._since = time.monotonic()
        self._wall = self._loop.call_later(self._wall_left, child.stop, "wall")
        self._cpu = self._loop.call_later(self._cpu_allowed, self._check_cpu)

    @property
    def cpu_used(self) -> float:
        """CPU seconds since the run began."""
        return max(0.0, self._child.cpu_seconds() - self._cpu_before)

    def wait_for_answer(self) -> None:
        """Stand still while the server answers; the answer has a clock of its own."""
        self._wall.cancel()
        self._wall_left -= time.monotonic() - self._since
        self._wall = self._loop.call_later(self._limits.answer_seconds, self._child.stop, "answer")

    def pause(self) -> None:
        """Stand still altogether: the answer is there, and waits for its turn."""
        self._wall.cancel()

    def resume(self) -> None:
        """Go on after a pause."""
        self._since = time.monotonic()
        self._wall = self._loop.call_later(max(0.0, self._wall_left), self._child.stop, "wall")

    def stop(self) -> None:
        """Cancel every clock."""
        self._wall.cancel()
        self._cpu.cancel()

    def _check_cpu(self) -> None:
        # A process of one thread cannot use more CPU time than passes: the next look is due no earlier.
        left = self._cpu_allowed - self.cpu_used
        if left <= 0:
            self._child.stop("cpu")
        else:
            self._cpu = self._loop.call_later(max(left, 0.01), self._check_cpu)
