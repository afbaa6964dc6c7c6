"""Runs jobs, and shows that it is alive."""

import time

from bpm.jobs import JobKind, JobQueue
from bpm.repeating import RepeatingTask

BEAT_SECONDS = 1.0


class Worker:
    """Runs every kind of job of this process."""

    def __init__(self, jobs: JobQueue, *kinds: JobKind) -> None:
        """Take the job engine and the kinds of work."""
        self._jobs = jobs
        self._kinds = kinds
        self._beat = time.monotonic()
        self._heart = RepeatingTask("bpm-heartbeat", self._live, BEAT_SECONDS, first_after=0)

    async def start(self) -> None:
        """Take up what is open and go on until drained."""
        await self._jobs.start(*self._kinds)
        self._heart.start()

    async def drain(self, seconds: float) -> None:
        """Begin nothing more; what still runs after so long is cut off and taken up at the next start."""
        await self._jobs.drain(seconds)
        await self._heart.stop()

    def heartbeat_age(self) -> float | None:
        """Return how many seconds ago the worker was last seen alive, or None where none was started."""
        return time.monotonic() - self._beat if self._heart.is_started else None

    async def _live(self) -> None:
        if self._jobs.alive:
            self._beat = time.monotonic()
