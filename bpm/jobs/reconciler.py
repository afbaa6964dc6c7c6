"""Makes the tokens that are missing, so that no fault of a job engine can lose work."""

from collections.abc import Awaitable, Callable, Sequence

from bpm.jobs.interface import JobKind, JobQueue
from bpm.jobs.lanes import Lanes
from bpm.repeating import RepeatingTask
from bpm.store import Database

PAGE = 1_000
SECONDS = 60.0


class Reconciler:
    """Compares the open rows of every kind with the tokens, at the start and every minute."""

    def __init__(self, database: Database, jobs: JobQueue, lanes: Lanes) -> None:
        """Stand between the tables and the queue."""
        self._database = database
        self._jobs = jobs
        self._lanes = lanes

    def repeating(self, kinds: Sequence[JobKind], prune: Callable[[], Awaitable[None]]) -> RepeatingTask:
        """Return what reconciles and tidies up every minute, from its start on."""

        async def work() -> None:
            await self.reconcile(*kinds)
            await prune()

        failure = "the open rows could not be compared with their jobs"
        return RepeatingTask("bpm-reconciler", work, SECONDS, first_after=0, failure=failure)

    async def reconcile(self, *kinds: JobKind) -> int:
        """Make the missing tokens and return how many there were; let those go who need not wait in their lane."""
        await self._database.write(self._lanes.repair)
        return sum([await self._reconcile(kind) for kind in kinds])

    async def _reconcile(self, kind: JobKind) -> int:
        made = 0
        while missing := await self._database.read(lambda tx: kind.pending(tx, PAGE)):
            await self._database.write(lambda tx, missing=missing: self._jobs.enqueue(tx, *missing))
            made += len(missing)
            if len(missing) < PAGE:
                break
        return made
