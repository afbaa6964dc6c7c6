"""Runs jobs, and shows that it is alive."""

import asyncio
import time

from bpm.jobs import JobKind, JobQueue

BEAT_SECONDS = 1.0


class Worker:
    """Runs every kind of job of this process."""

    def __init__(self, jobs: JobQueue, *kinds: JobKind) -> None:
        """Take the job engine and the kinds of work."""
        self._jobs = jobs
        self._kinds = kinds
        self._beat = time.monotonic()
        self._heart: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up what is open and go on until drained."""
        await self._jobs.start(*self._kinds)
        self._heart = asyncio.create_task(self._live(), name="bpm-heartbeat")

    async def drain(self, seconds: float) -> None:
        """Begin nothing more; what still runs after so long is cut off and taken up at the next start."""
        await self._jobs.drain(seconds)
        if self._heart is not None:
            self._heart.cancel()
            await asyncio.gather(self._heart, return_exceptions=True)

    def heartbeat_age(self) -> float | None:
        """Return how many seconds ago the worker was last seen alive, or None where none was started."""
        return time.monotonic() - self._beat if self._heart is not None else None

    async def _live(self) -> None:
        while True:
            if self._jobs.alive:
                self._beat = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)
