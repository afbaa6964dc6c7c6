"""Work that ends its own process: counted, then tried one by one, then given up.

A job that was running when its process died may have killed it, or may only have been there. After that death it is
a suspect: it runs while no other suspect does, and only what was running then is counted once more.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from bpm.errors import Poisoned
from bpm.jobs.interface import Job
from bpm.jobs.suspects import SuspectQueue

GIVEN_UP = 3
"""Deaths after which a job's work is settled as failed for good: one among others, and two of its own."""
HELD = 4
"""Deaths after which not even that is tried: settling the work ends the process, too."""


class CrashRecords(Protocol):
    """Where deaths are kept across processes, by the job's key.

    What a dead process was running waits from the moment at which its death is counted.
    """

    async def wait(self, key: str) -> None:
        """Note that a suspect runs no more, and waits to be run again: a death now is none of its doing."""
        ...

    async def begin(self, key: str) -> None:
        """Note that a suspect runs."""
        ...

    async def forget(self, key: str) -> None:
        """Forget a job that ended with its process alive."""
        ...


class CrashTracker:
    """What this process knows of jobs whose process died."""

    def __init__(self, records: CrashRecords) -> None:
        """Take where they are kept."""
        self._records = records
        self._counts: dict[str, int] = {}
        self._suspects = SuspectQueue()

    def learn(self, counts: Mapping[str, int]) -> None:
        """Replace what is known: deaths by job key."""
        self._counts = dict(counts)

    def of(self, job: Job) -> int:
        """Return how often a process died while it ran the job."""
        return self._counts.get(job.key, 0)

    @property
    def waiting(self) -> int:
        """How many suspects wait for their turn, each in a place that other work could have."""
        return self._suspects.waiting

    @asynccontextmanager
    async def watched(self, job: Job) -> AsyncGenerator[None]:
        """Run a suspect alone; it is none any more when it ends with its process alive."""
        async with self._suspects.alone(self.of(job)):
            await self._records.begin(job.key)
            try:
                yield
            except BaseException:  # it was put off or cut off, and is to be run again
                await self._records.wait(job.key)
                raise
        self._counts.pop(job.key, None)
        await self._records.forget(job.key)


def poison_error(deaths: int) -> Poisoned:
    """Return the error of work that is given up."""
    return Poisoned(f"the server process ended {deaths} times while it executed this, so it is not tried again")
