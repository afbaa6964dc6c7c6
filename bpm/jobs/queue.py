"""Runs jobs: PgQueuer's `QueueManager` dispatches, leases and retries; the tokens live beside our rows."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job as Token
from sqlalchemy import Table

from bpm.clock import Clock
from bpm.errors import BpmError, describe
from bpm.fair_slots import NoFreeSlot
from bpm.jobs.backend import JobBackend
from bpm.jobs.crashes import GIVEN_UP, HELD, poison_error
from bpm.jobs.interface import Backlog, Job, JobKind, JobQueue
from bpm.jobs.lanes import Lanes
from bpm.jobs.reconciler import Reconciler
from bpm.repeating import RepeatingTask
from bpm.store import Database, Transaction

BATCH = 100
RESTART_SECONDS = 1.0
"""The pause before the engine is started again after it lost its database."""
LONGEST_PAUSE_SECONDS = 60
HELD_PAUSE = timedelta(hours=1)
CROWDED_PAUSE = timedelta(seconds=1)
CUT_OFF_SECONDS = 5.0
"""How long jobs that were cut off may take to give their tokens back."""

log = structlog.get_logger("bpm.jobs")


class JobRunner(JobQueue):
    """At most `concurrency` jobs at once, begun in batches."""

    def __init__(self, tokens: JobBackend, database: Database, concurrency: int, clock: Clock) -> None:
        """Stand beside a database; `start` begins the work."""
        self._tokens = tokens
        self._concurrency = max(2, concurrency)
        self._clock = clock
        self._reconciler = Reconciler(database, self, Lanes(self, clock))
        self._kinds: tuple[JobKind, ...] = ()
        self._manager: QueueManager | None = None
        self._running: dict[asyncio.Task[Any], str] = {}
        self._serving: asyncio.Task[None] | None = None
        self._reconciling: RepeatingTask | None = None
        self._draining = False

    async def prepare(self) -> None:
        """See `JobQueue.prepare`."""
        await self._tokens.prepare()

    def enqueue(self, tx: Transaction, *jobs: Job) -> None:
        """See `JobQueue.enqueue`."""
        for table, row in self.tokens(*jobs):
            tx.append(table, row)
        tx.after_commit(self.wake)

    def tokens(self, *jobs: Job) -> list[tuple[Table, Mapping[str, Any]]]:
        """See `JobQueue.tokens`."""
        now = self._clock()
        return [self._tokens.row(job, max(timedelta(), job.due_at - now)) for job in jobs]

    def wake(self) -> None:
        """See `JobQueue.wake`."""
        self._tokens.wake()

    def cancel(self, tx: Transaction, *jobs: Job) -> None:
        """See `JobQueue.cancel`."""
        self._tokens.cancel(tx, [job.key for job in jobs])

    def release(self, tx: Transaction, job: Job) -> None:
        """See `JobQueue.release`."""
        self._tokens.release(tx, job.key)

    async def start(self, *kinds: JobKind) -> None:
        """See `JobQueue.start`."""
        self._tokens.own()
        self._kinds = kinds
        self._serving = asyncio.create_task(self._serve(), name="bpm-jobs")
        self._reconciling = self._reconciler.repeating(kinds, self._prune)
        self._reconciling.start()

    async def drain(self, seconds: float) -> None:
        """See `JobQueue.drain`."""
        self._draining = True
        if self._serving is None or self._reconciling is None:
            return
        serving = self._serving
        await self._reconciling.stop()
        if self._manager is None:
            serving.cancel()
        else:
            self._manager.shutdown.set()
            await asyncio.wait((serving,), timeout=seconds)
            for task in self._running:
                task.cancel()
            await asyncio.wait((serving,), timeout=CUT_OFF_SECONDS)
            serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        self._tokens.disown()

    def waiting(self, tx: Transaction) -> int:
        """See `JobQueue.waiting`."""
        return self._tokens.waiting(tx)

    def backlog(self, tx: Transaction) -> dict[str, Backlog]:
        """See `JobQueue.backlog`."""
        return self._tokens.backlog(tx)

    @property
    def running(self) -> int:
        """See `JobQueue.running`."""
        return len(self._running)

    @property
    def alive(self) -> bool:
        """See `JobQueue.alive`."""
        return self._manager is not None

    async def _prune(self) -> None:
        await self._tokens.prune(set(self._running.values()))

    async def _serve(self) -> None:
        while not self._draining:
            try:
                await self._run_manager()
            except Exception as error:
                log.warning("the job engine stopped and is started again", error=repr(error))
            if not self._draining:
                await asyncio.sleep(RESTART_SECONDS)

    async def _run_manager(self) -> None:
        try:
            manager = QueueManager(await self._tokens.open())
            for kind in self._kinds:
                manager.entrypoint(kind.name, accepts_context=False, on_failure="hold")(self._runner(kind))
            self._manager = manager
            await manager.run(
                dequeue_timeout=self._tokens.poll,
                batch_size=min(BATCH, self._concurrency // 2),
                max_concurrent_tasks=self._concurrency,
                shutdown_on_listener_failure=True,
                heartbeat_timeout=self._tokens.lease,
                log_aggregation_interval=timedelta(),
            )
        finally:
            self._manager = None
            await self._tokens.close()

    def _runner(self, kind: JobKind) -> Callable[[Token], Awaitable[None]]:
        async def run(token: Token) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._running[task] = _key_of(token)
            try:
                await self._attempt(kind, token)
            finally:
                del self._running[task]

        return run

    async def _attempt(self, kind: JobKind, token: Token) -> None:
        """Run the job; what it could not record is put off, what a drain cuts off is given back."""
        job = Job.named(_key_of(token), token.execute_after)
        try:
            await self._run(kind, job)
        except asyncio.CancelledError:
            raise RetryRequested(timedelta(), reason="cut off") from None
        except RetryRequested:
            raise
        except NoFreeSlot as error:
            raise RetryRequested(CROWDED_PAUSE, reason="its organisation has many under way") from error
        except Exception as error:
            pause = timedelta(seconds=min(2**token.attempts, LONGEST_PAUSE_SECONDS))
            unexpected = error if not isinstance(error, BpmError) else None
            reason = describe(error)
            log.warning("job put off", job=job.key, seconds=pause.seconds, error=reason, exc_info=unexpected)
            raise RetryRequested(pause, reason=reason) from error

    async def _run(self, kind: JobKind, job: Job) -> None:
        deaths = self._tokens.deaths.of(job)
        if not deaths:
            await kind.run(job)
        elif deaths >= HELD:
            log.error("a job is not touched: settling it ended the process", job=job.key, deaths=deaths)
            raise RetryRequested(HELD_PAUSE, reason="ended its process")
        elif self._tokens.deaths.waiting >= self._concurrency // 2:
            raise RetryRequested(CROWDED_PAUSE, reason="others are tried before it, and what is new has its places")
        else:
            async with self._tokens.deaths.watched(job):
                if deaths < GIVEN_UP:
                    await kind.run(job)
                else:
                    log.error("a job is given up: it ended its process", job=job.key, deaths=deaths)
                    await kind.give_up(job, poison_error(deaths))


def _key_of(token: Token) -> str:
    return (token.payload or b"").decode()
