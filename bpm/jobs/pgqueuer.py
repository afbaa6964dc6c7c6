"""Tokens in PostgreSQL: PgQueuer as it comes, on connections of its own."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.models import Job as Token
from pgqueuer.domain.models import TracebackRecord
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import JOB_STATUS, Channel
from pgqueuer.ports import RepositoryPort
from pgqueuer.ports.driver import Driver
from sqlalchemy import ARRAY, Interval, MetaData, Table, Text, bindparam, text

from bpm.jobs.backend import PUT_OFF_LATE, JobBackend
from bpm.jobs.crashes import CrashTracker
from bpm.jobs.interface import Backlog, Job
from bpm.jobs.tables import DEATHS, NAME
from bpm.jobs.turns import Turns
from bpm.store import Transaction, utc_now

CONNECTIONS = 4
CONNECT_SECONDS = 10
INSTALL_LOCK = 0x62706D  # "bpm": an advisory lock, so that processes that start together install once
LOG_KEPT = timedelta(hours=1)
PRUNED_AT_ONCE = 10_000
COUNT_SECONDS = 2.0
"""How often a worker looks for what dead processes were running."""
TOLD = timedelta(seconds=2 * COUNT_SECONDS)
"""For how long nobody takes what a dead process was running: by then every worker knows that it is suspect."""
UNCOUNTED_LEASE = timedelta(days=1)
"""After which PgQueuer itself would take a dead process's job, without its death being counted."""

SETTINGS = DBSettings(
    prefix="",
    channel=Channel("ch_pgqueuer"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table=NAME,
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
)
"""PgQueuer's own names, said aloud because it would take others from the environment."""

_PRIORITY = "greatest(1767225600 - extract(epoch FROM clock_timestamp() + {delay}), -2000000000)::integer"
"""Of a token that is due after a delay: PgQueuer takes the highest first, so the earlier it is due, the higher. What is
put off again and again, as the work of an organisation that has its places, would come before all that is newer."""

TOKENS = Table(NAME, MetaData())
TOKENS.info["insert"] = text(f"""
    INSERT INTO {NAME} (priority, status, entrypoint, dedupe_key, payload, execute_after)
    SELECT {_PRIORITY.format(delay="delay + place")},
        'queued', kind, key, convert_to(key, 'UTF8'), clock_timestamp() + delay
    FROM unnest(:kind, :key, :delay, :place) AS token (kind, key, delay, place)
    ON CONFLICT DO NOTHING
""").bindparams(  # noqa: S608 our name
    bindparam("kind", type_=ARRAY(Text, dimensions=1)),
    bindparam("key", type_=ARRAY(Text, dimensions=1)),
    bindparam("delay", type_=ARRAY(Interval, dimensions=1)),
    bindparam("place", type_=ARRAY(Interval, dimensions=1)),
)
"""One statement, and so one notification, for a group's tokens. Due times are reckoned by the server's clock, the
only one that all processes share."""

_CANCEL = text(f"DELETE FROM {NAME} WHERE status = 'queued' AND dedupe_key = ANY(:keys)")  # noqa: S608 our name
_RELEASE = text(f"DELETE FROM {NAME} WHERE status = 'picked' AND dedupe_key = :key")  # noqa: S608 our name
_PUT_OFF = f"UPDATE {NAME} SET priority = {_PRIORITY.format(delay='$2::interval')} WHERE id = $1"  # noqa: S608
_WAITING = text(f"SELECT count(*) FROM {NAME} WHERE status = 'queued'")  # noqa: S608
_BACKLOG = text(f"""
    SELECT entrypoint, count(*), extract(epoch FROM now() - min(execute_after))::float FROM {NAME}
    WHERE status = 'queued' AND execute_after <= now() GROUP BY entrypoint
""")  # noqa: S608
_PRUNE = """
    DELETE FROM pgqueuer_log WHERE id IN (
        SELECT id FROM pgqueuer_log WHERE created < now() - $1::interval ORDER BY id LIMIT $2
    )
"""
_PRUNE_HELD = f"DELETE FROM {NAME} WHERE status = 'failed' AND updated < now() - $1::interval"  # noqa: S608


_CREATE_DEATHS = f"""
    CREATE TABLE IF NOT EXISTS {DEATHS.name}
    (key text PRIMARY KEY, deaths integer NOT NULL, is_waiting boolean NOT NULL)
"""
_COUNT_DEATHS = f"""
    WITH stale AS (
        SELECT id FROM {NAME} WHERE status = 'picked' AND heartbeat < now() - $1::interval FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE {NAME} SET status = 'queued', updated = now(), execute_after = now() + $2::interval
        FROM stale WHERE {NAME}.id = stale.id
        RETURNING {NAME}.dedupe_key
    )
    INSERT INTO {DEATHS.name} (key, deaths, is_waiting) SELECT dedupe_key, 1, true FROM taken
    ON CONFLICT (key) DO UPDATE
        SET deaths = {DEATHS.name}.deaths + CASE WHEN {DEATHS.name}.is_waiting THEN 0 ELSE 1 END, is_waiting = true
"""  # noqa: S608 our names
_GIVE_BACK = f"""
    UPDATE {NAME} SET status = 'queued', updated = now(), execute_after = now()
    WHERE status = 'picked' AND queue_manager_id = $1
"""  # noqa: S608 our name
_FORGET_ENDED = f"DELETE FROM {DEATHS.name} WHERE NOT EXISTS (SELECT FROM {NAME} WHERE dedupe_key = key)"  # noqa: S608
_DEATHS = f"SELECT key, deaths FROM {DEATHS.name}"  # noqa: S608
_MARK = f"UPDATE {DEATHS.name} SET is_waiting = $2 WHERE key = $1"  # noqa: S608
_FORGET = f"DELETE FROM {DEATHS.name} WHERE key = $1"  # noqa: S608


class CountedQueries(Queries):
    """PgQueuer's queries; what a dead process was running is counted when it is given back, before it is taken."""

    look_around: Callable[[UUID], Awaitable[None]]

    async def dequeue(self, *args: Any, **kwargs: Any) -> list[Token]:
        """See `Queries.dequeue`; what PgQueuer would take over is given back already."""
        await self.look_around(kwargs["queue_manager_id"])
        return await super().dequeue(*args, **{**kwargs, "heartbeat_timeout": UNCOUNTED_LEASE})

    async def log_jobs(self, job_status: Sequence[tuple[Token, JOB_STATUS, TracebackRecord | None]]) -> None:
        """See `Queries.log_jobs`; one that could not even be put off is put off now, and not held back."""
        await super().log_jobs([entry for entry in job_status if entry[1] != "failed"])
        for token, status, traceback_record in job_status:
            if status == "failed":
                await self.retry_job(token, PUT_OFF_LATE, traceback_record)

    async def retry_job(self, job: Token, delay: timedelta, traceback_record: TracebackRecord | None) -> None:
        """See `Queries.retry_job`; the job comes behind those that are due before it."""
        await self.driver.execute(_PUT_OFF, job.id, delay)
        await super().retry_job(job, delay, traceback_record)


class PostgresTokens(JobBackend):
    """Tokens that any process on the same database may take; a dead one's are taken over."""

    lease = timedelta(seconds=15)
    poll = timedelta(seconds=2)

    def __init__(self, dsn: str) -> None:
        """Take the server's address; LISTEN needs a direct one, not a transaction pooler's."""
        self._dsn = dsn
        self._pool: Any = None
        self._manager: UUID | None = None
        self._counted_at = 0.0
        self._turns = Turns()
        self.deaths = CrashTracker(self)

    async def prepare(self) -> None:
        """Install or upgrade PgQueuer's tables, one process at a time."""
        connection = cast("Any", await asyncpg.connect(self._dsn, timeout=CONNECT_SECONDS))
        try:
            await connection.execute("SELECT pg_advisory_lock($1)", INSTALL_LOCK)
            queries = _queries(AsyncpgDriver(connection))
            if await queries.schema_is_installed():
                await queries.upgrade()
            else:
                await queries.install()
            await connection.execute(_CREATE_DEATHS)
        finally:
            await connection.close()

    def own(self) -> None:
        """See `Tokens.own`; many may work."""

    def disown(self) -> None:
        """See `Tokens.disown`."""

    async def open(self) -> RepositoryPort:
        """Connect."""
        self._pool = await asyncpg.create_pool(
            self._dsn, min_size=2, max_size=CONNECTIONS, timeout=CONNECT_SECONDS, command_timeout=CONNECT_SECONDS * 3
        )
        queries = _queries(AsyncpgPoolDriver(self._pool))
        queries.look_around = self._look_around
        return queries

    async def close(self) -> None:
        """See `Tokens.close`."""
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                await asyncio.wait_for(pool.close(), CONNECT_SECONDS)
            except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                pool.terminate()

    def row(self, job: Job, delay: timedelta) -> tuple[Table, Mapping[str, Any]]:
        """See `Tokens.row`."""
        now = utc_now()
        place = self._turns.place(job.organization_id, now + delay, now)
        return TOKENS, {"kind": job.kind, "key": job.key, "delay": delay, "place": place}

    def wake(self) -> None:
        """See `Tokens.wake`; PgQueuer's trigger tells every worker."""

    def cancel(self, tx: Transaction, keys: Sequence[str]) -> None:
        """See `Tokens.cancel`."""
        tx.connection.execute(_CANCEL, {"keys": list(keys)})

    def release(self, tx: Transaction, key: str) -> None:
        """See `JobBackend.release`."""
        tx.connection.execute(_RELEASE, {"key": key})

    def waiting(self, tx: Transaction) -> int:
        """See `Tokens.waiting`."""
        return tx.connection.execute(_WAITING).scalar_one()

    def backlog(self, tx: Transaction) -> dict[str, Backlog]:
        """See `Tokens.backlog`."""
        found = tx.connection.execute(_BACKLOG)
        return {kind: Backlog(count, max(0.0, seconds)) for kind, count, seconds in found}

    async def wait(self, key: str) -> None:
        """See `CrashRecords.wait`."""
        await self._pool.execute(_MARK, key, True)

    async def begin(self, key: str) -> None:
        """See `CrashRecords.begin`."""
        await self._pool.execute(_MARK, key, False)

    async def forget(self, key: str) -> None:
        """See `CrashRecords.forget`."""
        await self._pool.execute(_FORGET, key)

    async def _look_around(self, manager: UUID) -> None:
        """Give back what the manager before left, which the database cut off; count deaths now and then."""
        if self._manager not in (None, manager):
            await self._pool.execute(_GIVE_BACK, self._manager)
        self._manager = manager
        await self._count_deaths()

    async def _count_deaths(self) -> None:
        """Give back what dead processes were running, and count their deaths."""
        if time.monotonic() - self._counted_at < COUNT_SECONDS:
            return
        self._counted_at = time.monotonic()
        await self._pool.execute(_COUNT_DEATHS, self.lease, TOLD)
        self.deaths.learn({row["key"]: row["deaths"] for row in await self._pool.fetch(_DEATHS)})

    async def prune(self, running: Collection[str]) -> None:
        """Shorten PgQueuer's log; forget tokens it holds back, which the reconciler has replaced."""
        if self._pool is not None:
            await self._pool.execute(_PRUNE, LOG_KEPT, PRUNED_AT_ONCE)
            await self._pool.execute(_PRUNE_HELD, LOG_KEPT)
            await self._pool.execute(_FORGET_ENDED)


def _queries(driver: Driver) -> CountedQueries:
    return CountedQueries(
        driver, QueryBuilderEnvironment(SETTINGS), QueryQueueBuilder(SETTINGS), QuerySchedulerBuilder(SETTINGS)
    )
