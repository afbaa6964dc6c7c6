"""Runs jobs, and shows that it is alive."""

import os
import socket
import time

from bpm.errors import BpmError
from bpm.jobs import JobKind, JobQueue
from bpm.jobs.worker_tables import WorkerRow, remove_worker, write_beat
from bpm.repeating import RepeatingTask
from bpm.security.identifiers import new_id
from bpm.store import Database, utc_now

BEAT_SECONDS = 1.0
WRITE_SECONDS = 5.0
"""How often the sign of life is written where other processes see it."""


class Worker:
    """Runs every kind of job of this process."""

    def __init__(self, database: Database, jobs: JobQueue, *kinds: JobKind) -> None:
        """Take where signs of life are written, the job engine and the kinds of work."""
        self._database = database
        self._jobs = jobs
        self.kinds = kinds
        self._id = new_id()
        self._beat = time.monotonic()
        self._heart = RepeatingTask("bpm-heartbeat", self._live, BEAT_SECONDS, first_after=0)
        failure = "the worker's sign of life can't be written"
        self._written = RepeatingTask("bpm-written-beat", self._write, WRITE_SECONDS, first_after=0, failure=failure)

    async def start(self) -> None:
        """Take up what is open and go on until drained."""
        await self._jobs.start(*self.kinds)
        self._heart.start()
        self._written.start()

    async def drain(self, seconds: float) -> None:
        """Begin nothing more; what still runs after so long is cut off and taken up at the next start."""
        await self._jobs.drain(seconds)
        await self._heart.stop()
        if self._written.is_started:
            await self._written.stop()
            await self._sign_off()

    def heartbeat_age(self) -> float | None:
        """Return how many seconds ago the worker was last seen alive, or None where none was started."""
        return time.monotonic() - self._beat if self._heart.is_started else None

    async def _live(self) -> None:
        if self._jobs.alive:
            self._beat = time.monotonic()

    async def _write(self) -> None:
        if self._jobs.alive:
            row = WorkerRow(self._id, socket.gethostname(), os.getpid(), 1, utc_now())
            await self._database.write(lambda tx: write_beat(tx, row))

    async def _sign_off(self) -> None:
        try:
            await self._database.write(lambda tx: remove_worker(tx, self._id))
        except BpmError:
            return  # the database is away; without further signs of life others see the end as well
