"""`GET /metrics`: how the installation and this process stand, for Prometheus.

Accounts of the installation that may read the system's state read it; a scraper has an API key.
"""

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Table, func, literal, select
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bpm.clock import Clock
from bpm.edge.answer import Answer, send_answer
from bpm.edge.error_boundary import answer_or_problem
from bpm.edge.request import Authenticator, Incoming, IncomingReader
from bpm.errors import Forbidden
from bpm.events.subscription_tables import HEALTH, SUBSCRIPTIONS
from bpm.jobs import JobQueue
from bpm.jobs.interface import Backlog
from bpm.jobs.worker_watch import WorkerWatch
from bpm.metrics import CONTENT_TYPE, Gauge, Metric, exposition
from bpm.security.permissions import INSTALLATION
from bpm.settings import Settings
from bpm.store import Database, Transaction
from bpm.store.size import database_bytes

PERMISSION = "system:read"
MOST_COUNTED = 100_000
"""Maximum number of dead rows of a kind that are counted, so that a scrape stays cheap."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database says."""

    backlog: dict[str, Backlog]
    dead: dict[str, float]
    subscriptions: dict[str, float]
    failing_seconds: float
    bytes: int


class Metrics:
    """Puts together what the parts count and what the database and the disk say."""

    def __init__(
        self,
        database: Database,
        jobs: JobQueue,
        workers: WorkerWatch,
        settings: Settings,
        clock: Clock,
        version: str,
        dead: Sequence[tuple[str, Table]],
        heartbeat: Callable[[], float | None],
        counted: Callable[[], Iterable[Metric]],
    ) -> None:
        """Take the parts.

        `dead` names the tables whose `state` may be `dead`, `heartbeat` tells the age of the worker's last sign of
        life, and `counted` what this process has counted since it began.
        """
        self._database = database
        self._jobs = jobs
        self._workers = workers
        self._settings = settings
        self._clock = clock
        self._version = version
        self._dead = dead
        self._heartbeat = heartbeat
        self._counted = counted

    async def exposition(self) -> str:
        """Return everything as Prometheus reads it; raises `Unavailable` when the database can't be read."""
        standing = await self._database.read(self._standing)
        return exposition([*self._gauges(standing), *self._process(), *self._counted()])

    def _standing(self, tx: Transaction) -> Standing:
        now = self._clock()
        return Standing(
            self._jobs.backlog(tx),
            {name: _count_dead(tx, table) for name, table in self._dead},
            _count_subscriptions(tx),
            _failing_seconds(tx, now),
            database_bytes(tx),
        )

    def _gauges(self, standing: Standing) -> Iterable[Metric]:
        depth = {kind: float(backlog.count) for kind, backlog in standing.backlog.items()}
        oldest = {kind: backlog.oldest_seconds for kind, backlog in standing.backlog.items()}
        yield Gauge("bpm_queue_depth", "Jobs that are due and not begun, by kind.", depth, "kind")
        yield Gauge(
            "bpm_queue_oldest_age_seconds", "For how long the oldest of them has been due, by kind.", oldest, "kind"
        )
        yield Gauge("bpm_dead_letters", f"What was given up, by kind; at most {MOST_COUNTED}.", standing.dead, "kind")
        yield Gauge(
            "bpm_subscriptions", "Subscriptions, by how their receivers are doing.", standing.subscriptions, "state"
        )
        yield Gauge(
            "bpm_subscription_failing_seconds",
            "For how long the receiver that is worst off has taken nothing.",
            standing.failing_seconds,
        )
        yield Gauge("bpm_workers", "Workers that show signs of life, in whatever process.", self._workers.alive)
        yield Gauge("bpm_database_bytes", "The size of the database.", standing.bytes)

    def _process(self) -> Iterable[Metric]:
        disk = shutil.disk_usage(self._settings.data_dir)
        yield Gauge("bpm_disk_free_bytes", "What is free on the disk of the data folder.", disk.free)
        yield Gauge("bpm_disk_size_bytes", "The size of that disk.", disk.total)
        yield Gauge("bpm_wal_bytes", "The size of SQLite's write-ahead log.", _size(self._database))
        yield Gauge("bpm_info", "The version that runs.", {self._version: 1}, "version")
        yield Gauge("bpm_jobs_running", "Jobs that run in this process.", self._jobs.running)
        yield Gauge("bpm_writer_waiting", "Units of work that wait for the writer.", self._database.waiting)
        stuck = len(self._database.abandoned.alive)
        yield Gauge("bpm_threads_abandoned", "Threads whose handler does not end; others do their work.", stuck)
        yield Gauge("bpm_worker_silent_seconds", "How old the worker's last sign of life is.", self._heartbeat())


class MetricsEndpoint:
    """Answers `GET /metrics`."""

    def __init__(self, metrics: Metrics, accounts: Authenticator, settings: Settings) -> None:
        """Take what is shown, and what knows the caller."""
        self._metrics = metrics
        self._accounts = accounts
        self._incoming = IncomingReader(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = self._incoming(scope, receive)
        answer = await answer_or_problem(request.request_id, self._answer(request))
        if answer is not None:
            await send_answer(send, answer, request.request_id)

    async def _answer(self, request: Incoming) -> Answer:
        caller = await request.caller(self._accounts)
        if caller.organization_id != INSTALLATION or not caller.allows(PERMISSION):
            raise Forbidden(f"the metrics need the permission {PERMISSION} of an account of the installation")
        text = await self._metrics.exposition()
        return Answer(200, text.encode(), CONTENT_TYPE, (("cache-control", "no-store"),))


def metrics_routes(metrics: Metrics, accounts: Authenticator, settings: Settings) -> list[Route]:
    """Return the route of `/metrics`."""
    return [Route("/metrics", MetricsEndpoint(metrics, accounts, settings), methods=["GET"])]


def _count_dead(tx: Transaction, table: Table) -> float:
    some = select(literal(1)).where(table.c.state == "dead").limit(MOST_COUNTED).subquery()
    return tx.connection.execute(select(func.count()).select_from(some)).scalar_one()


def _count_subscriptions(tx: Transaction) -> dict[str, float]:
    present = SUBSCRIPTIONS.c.deleted_at.is_(None)
    is_failing = HEALTH.c.failing_since.is_not(None)
    joined = SUBSCRIPTIONS.outerjoin(HEALTH, HEALTH.c.subscription_id == SUBSCRIPTIONS.c.id)
    counted = select(SUBSCRIPTIONS.c.is_active, is_failing, func.count()).select_from(joined).where(present)
    found = {"well": 0.0, "failing": 0.0, "off": 0.0}
    for is_active, fails, count in tx.connection.execute(counted.group_by(SUBSCRIPTIONS.c.is_active, is_failing)):
        found["off" if not is_active else "failing" if fails else "well"] += count
    return found


def _failing_seconds(tx: Transaction, now: datetime) -> float:
    joined = HEALTH.join(SUBSCRIPTIONS, HEALTH.c.subscription_id == SUBSCRIPTIONS.c.id)
    wanted = (SUBSCRIPTIONS.c.is_active, SUBSCRIPTIONS.c.deleted_at.is_(None))
    since = tx.connection.execute(select(func.min(HEALTH.c.failing_since)).select_from(joined).where(*wanted)).scalar()
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0


def _size(database: Database) -> float | None:
    """Return the size of SQLite's log, 0 when there is none just now; None on PostgreSQL."""
    if database.dsn is not None:
        return None
    try:
        return Path(f"{database.name}-wal").stat().st_size
    except OSError:
        return 0
