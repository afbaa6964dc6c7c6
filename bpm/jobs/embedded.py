"""The job engine of one process: tokens in memory, taken up again from the tables when it starts.

A token lost with the process is no loss: its row is still open and `JobKind.pending` finds it. Due times
are kept on the monotonic clock, so a clock that jumps neither hurries nor delays a job.
"""

import asyncio
import heapq
import itertools
import time

import structlog

from bpm.clock import Clock, system_clock
from bpm.errors import BpmError
from bpm.jobs.port import Job, JobKind, JobQueue
from bpm.store import Database, Transaction

MAX_TOKENS = 20_000
"""More than these are not held in memory; they are read again when the queue has shrunk."""

RETRY_SECONDS = 1.0
"""The pause after a job that could not even record its failure."""

log = structlog.get_logger("bpm.jobs")


class EmbeddedJobs(JobQueue):
    """One heap of tokens and at most `concurrency` running jobs."""

    def __init__(self, database: Database, concurrency: int, clock: Clock = system_clock) -> None:
        """Stand beside a database; `start` begins the work."""
        self._database = database
        self._clock = clock
        self._kinds: dict[str, JobKind] = {}
        self._heap: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._known: set[Job] = set()
        self._overflowed = False
        self._slots = asyncio.Semaphore(concurrency)
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._dispatcher: asyncio.Task[None] | None = None

    def enqueue(self, tx: Transaction, *jobs: Job) -> None:
        """See `JobQueue.enqueue`."""
        tx.after_commit(lambda: self.remember(*jobs))

    def remember(self, *jobs: Job) -> None:
        """See `JobQueue.remember`."""
        for job in jobs:
            if job in self._known:
                continue
            if len(self._heap) >= MAX_TOKENS:
                self._overflowed = True
                continue
            delay = (job.due_at - self._clock()).total_seconds()
            self._push(job, max(0.0, delay))

    async def start(self, *kinds: JobKind) -> None:
        """See `JobQueue.start`."""
        self._kinds = {kind.name: kind for kind in kinds}
        await self._refill()
        self._dispatcher = asyncio.create_task(self._dispatch(), name="bpm-jobs")

    async def drain(self, seconds: float) -> None:
        """See `JobQueue.drain`."""
        if self._dispatcher is not None:
            self._dispatcher.cancel()
            await asyncio.gather(self._dispatcher, return_exceptions=True)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def depth(self) -> int:
        """See `JobQueue.depth`."""
        return len(self._heap)

    @property
    def running(self) -> int:
        """See `JobQueue.running`."""
        return len(self._tasks)

    @property
    def alive(self) -> bool:
        """See `JobQueue.alive`."""
        return self._dispatcher is not None and not self._dispatcher.done()

    def _push(self, job: Job, delay: float) -> None:
        self._known.add(job)
        heapq.heappush(self._heap, (time.monotonic() + delay, next(self._order), job))
        self._changed.set()

    async def _refill(self) -> None:
        self._overflowed = False
        for kind in self._kinds.values():
            jobs = await self._database.read(lambda tx, kind=kind: kind.pending(tx, MAX_TOKENS))
            self._overflowed = self._overflowed or len(jobs) >= MAX_TOKENS
            self.remember(*jobs)

    async def _try_to_refill(self) -> None:
        try:
            await self._refill()
        except Exception:
            self._overflowed = True
            log.exception("the open rows could not be read; they are looked for again")
            await asyncio.sleep(RETRY_SECONDS)

    async def _dispatch(self) -> None:
        while True:
            await self._until_due()
            await self._slots.acquire()
            _, _, job = heapq.heappop(self._heap)
            task = asyncio.create_task(self._run(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            if self._overflowed and len(self._heap) < MAX_TOKENS // 4:
                await self._try_to_refill()

    async def _until_due(self) -> None:
        while not self._heap or self._heap[0][0] > time.monotonic():
            self._changed.clear()
            wait = self._heap[0][0] - time.monotonic() if self._heap else None
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                return

    async def _run(self, job: Job) -> None:
        failed = False
        try:
            await self._kinds[job.kind].run(job)
        except BpmError as error:
            failed = True
            log.warning("job put off", kind=job.kind, ref=job.ref, attempt=job.attempt, error=str(error))
        except Exception:
            failed = True
            log.exception("job put off", kind=job.kind, ref=job.ref, attempt=job.attempt)
        finally:
            self._known.discard(job)
            self._slots.release()
        if failed:
            self._push(job, RETRY_SECONDS)
