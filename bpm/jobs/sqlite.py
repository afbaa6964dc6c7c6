"""Tokens beside the rows of an embedded database: what PgQueuer's `QueueManager` asks, in SQLite's SQL.

One process owns the work (`bpm.jobs.ownership`), so a running job needs no lease: what the owner's end has
left behind is taken back at the next start.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Self, cast

from pgqueuer.core.tm import TaskManager
from pgqueuer.domain.models import HealthCheckEvent, TableChangedEvent, TracebackRecord, utc_now
from pgqueuer.domain.models import Job as Token
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel, HealthCheckId
from pgqueuer.ports import RepositoryPort
from pgqueuer.ports.driver import NotifyCallback
from sqlalchemy import Column, Float, Integer, MetaData, Table, Text, text

from bpm.errors import Unavailable
from bpm.jobs.ownership import Ownership
from bpm.jobs.port import Job
from bpm.jobs.tables import NAME
from bpm.jobs.tokens import Tokens
from bpm.store import Database, Transaction

CHANNEL = Channel("ch_pgqueuer")

TOKENS = Table(
    NAME,
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("dedupe_key", Text, nullable=False, unique=True),
    Column("entrypoint", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("execute_after", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    info={"on_conflict": "nothing"},
)
"""`created` and `execute_after` are seconds since 1970 on the clock of `Timeline`."""

_DUE_INDEX = text(f"CREATE INDEX IF NOT EXISTS ix_{NAME}_due ON {NAME} (status, execute_after)")
_CLAIM = text(f"""
    UPDATE {NAME} SET status = 'picked' WHERE id IN (
        SELECT id FROM {NAME}
        WHERE status = 'queued' AND execute_after <= :now AND entrypoint IN (SELECT value FROM json_each(:kinds))
        ORDER BY execute_after LIMIT min(:batch, :most - (SELECT count(*) FROM {NAME} WHERE status = 'picked'))
    ) RETURNING id, dedupe_key, entrypoint, execute_after, attempts
""")  # noqa: S608 our own table's name
_DELETE = text(f"DELETE FROM {NAME} WHERE id IN (SELECT value FROM json_each(:ids))")  # noqa: S608
_RETRY = text(f"""
    UPDATE {NAME} SET status = 'queued', execute_after = :due, attempts = attempts + 1 WHERE id = :id
""")  # noqa: S608
_CANCEL = text(f"""
    DELETE FROM {NAME} WHERE status = 'queued' AND dedupe_key IN (SELECT value FROM json_each(:keys))
""")  # noqa: S608
_OURS = "status = 'queued' AND entrypoint IN (SELECT value FROM json_each(:kinds))"
_NEXT_DUE = text(f"SELECT min(execute_after) FROM {NAME} WHERE {_OURS}")  # noqa: S608
_QUEUED = text(f"SELECT count(*) FROM {NAME} WHERE {_OURS}")  # noqa: S608
_WAITING = text(f"SELECT count(*) FROM {NAME} WHERE status = 'queued'")  # noqa: S608
_TAKE_BACK = text(f"UPDATE {NAME} SET status = 'queued' WHERE status = 'picked'")  # noqa: S608
_NEWEST = text(f"SELECT max(created) FROM {NAME}")  # noqa: S608
_SHIFT = text(f"""
    UPDATE {NAME} SET created = created - :by, execute_after = execute_after - :by WHERE created > :now
""")  # noqa: S608


class Timeline:
    """Wall time as it was when the process began, and steady from then on: a clock that is set moves nothing."""

    def __init__(self) -> None:
        """Begin now."""
        self._began = time.time() - time.monotonic()

    def now(self) -> float:
        """Return seconds since 1970."""
        return self._began + time.monotonic()


class SqliteTokens(Tokens):
    """Tokens in the file of the other rows."""

    lease = timedelta(days=1)
    """Never asked for; the engine beats at a fraction of it, and at zero it would do nothing else."""
    poll = timedelta(seconds=0.25)

    def __init__(self, database: Database, ownership: Ownership) -> None:
        """Stand beside the database, whose worker holds the lock file."""
        self._database = database
        self._ownership = ownership
        self._timeline = Timeline()
        self._repository: SqliteRepository | None = None

    async def prepare(self) -> None:
        """See `Tokens.prepare`."""
        await self._database.write(self._create)

    def own(self) -> None:
        """See `Tokens.own`."""
        self._ownership.take()

    def disown(self) -> None:
        """See `Tokens.disown`."""
        self._ownership.release()

    async def open(self) -> RepositoryPort:
        """Take back what the process before this one was running."""
        await self._database.write(self._take_back)
        self._repository = SqliteRepository(self._database, self._timeline)
        return cast("RepositoryPort", self._repository)  # the part of it that a QueueManager calls

    async def close(self) -> None:
        """See `Tokens.close`."""
        self._repository = None

    def row(self, job: Job, delay: timedelta) -> tuple[Table, Mapping[str, Any]]:
        """See `Tokens.row`."""
        now = self._timeline.now()
        return TOKENS, {
            "dedupe_key": job.key,
            "entrypoint": job.kind,
            "status": "queued",
            "created": now,
            "execute_after": now + delay.total_seconds(),
            "attempts": 0,
        }

    def wake(self) -> None:
        """See `Tokens.wake`."""
        if self._repository is not None:
            self._repository.driver.ring()

    def cancel(self, tx: Transaction, keys: Sequence[str]) -> None:
        """See `Tokens.cancel`."""
        tx.connection.execute(_CANCEL, {"keys": json.dumps(keys)})

    def waiting(self, tx: Transaction) -> int:
        """See `Tokens.waiting`."""
        return tx.connection.execute(_WAITING).scalar_one()

    async def prune(self) -> None:
        """See `Tokens.prune`; finished tokens are deleted and leave no note."""

    def _create(self, tx: Transaction) -> None:
        TOKENS.create(tx.connection, checkfirst=True)
        tx.connection.execute(_DUE_INDEX)

    def _take_back(self, tx: Transaction) -> None:
        tx.connection.execute(_TAKE_BACK)
        now = self._timeline.now()
        newest = tx.connection.execute(_NEWEST).scalar()
        if newest is not None and newest > now:  # the clock was set back while nobody worked
            tx.connection.execute(_SHIFT, {"by": newest - now, "now": now})


class Bell:
    """What PgQueuer calls a driver, without a database behind it: it only carries news to the queue manager."""

    def __init__(self) -> None:
        """Be silent."""
        self.shutdown = asyncio.Event()
        self.tm = TaskManager()
        self._listeners: list[NotifyCallback] = []
        self._rung = False

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Take who wants to hear."""
        self._listeners.append(callback)

    async def __aenter__(self) -> Self:
        """Nothing is opened."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is closed."""

    def tell(self, event: TableChangedEvent | HealthCheckEvent) -> None:
        """Carry one piece of news."""
        text = event.model_dump_json()
        for listener in self._listeners:
            listener(text)

    def ring(self) -> None:
        """Say that the table has changed, once for each turn of the loop."""
        if not self._rung:
            self._rung = True
            asyncio.get_running_loop().call_soon(self._sound)

    def _sound(self) -> None:
        self._rung = False
        self.tell(
            TableChangedEvent(
                channel=CHANNEL, sent_at=utc_now(), type="table_changed_event", operation="update", table=NAME
            )
        )


class SqliteRepository:
    """The part of PgQueuer's `RepositoryPort` that a `QueueManager` calls."""

    def __init__(self, database: Database, timeline: Timeline) -> None:
        """Read and write by the database's own reader and group commit."""
        self._database = database
        self._timeline = timeline
        self.driver = Bell()
        self.qbe = SimpleNamespace(settings=DBSettings())

    async def dequeue(
        self,
        batch_size: int,
        entrypoints: Mapping[str, Any],
        queue_manager_id: object,
        global_concurrency_limit: int | None,
        heartbeat_timeout: timedelta,
    ) -> list[Token]:
        """Claim what is due, at most so much that no more than the limit runs; nothing while the disk is full."""
        parameters = {
            "now": self._timeline.now(),
            "kinds": json.dumps(list(entrypoints)),
            "batch": batch_size,
            "most": global_concurrency_limit,
        }
        try:
            rows = await self._database.write(lambda tx: tx.connection.execute(_CLAIM, parameters).all())
        except Unavailable:
            return []
        return [_token(row) for row in sorted(rows)]

    async def log_jobs(self, job_status: Sequence[tuple[Token, str, TracebackRecord | None]]) -> None:
        """Delete the tokens of finished jobs."""
        ids = json.dumps([token.id for token, _, _ in job_status])
        await self._database.write(lambda tx: tx.connection.execute(_DELETE, {"ids": ids}))
        self.driver.ring()

    async def retry_job(self, job: Token, delay: timedelta, traceback_record: TracebackRecord | None) -> None:
        """Put a token off."""
        parameters = {"id": job.id, "due": self._timeline.now() + delay.total_seconds()}
        await self._database.write(lambda tx: tx.connection.execute(_RETRY, parameters))

    async def update_heartbeat(self, job_ids: Sequence[int]) -> None:
        """Nothing is leased."""

    async def queued_work(self, entrypoints: Sequence[str]) -> int:
        """Return how many tokens wait."""
        kinds = json.dumps(entrypoints)
        return await self._database.read(lambda tx: tx.connection.execute(_QUEUED, {"kinds": kinds}).scalar_one())

    async def eligible_queued_work(self, entrypoints: Sequence[str]) -> int:
        """Return whether a token is due."""
        eta = await self.next_deferred_eta(entrypoints)
        return int(eta is not None and eta <= timedelta())

    async def next_deferred_eta(self, entrypoints: Sequence[str]) -> timedelta | None:
        """Return how long until the next token is due."""
        kinds = json.dumps(entrypoints)
        due = await self._database.read(lambda tx: tx.connection.execute(_NEXT_DUE, {"kinds": kinds}).scalar())
        return timedelta(seconds=max(0.0, due - self._timeline.now())) if due is not None else None

    async def notify_health_check(self, health_check_event_id: HealthCheckId) -> None:
        """Answer the manager's question whether it still hears."""
        self.driver.tell(
            HealthCheckEvent(channel=CHANNEL, sent_at=utc_now(), type="health_check_event", id=health_check_event_id)
        )

    async def has_table(self, table: str) -> bool:
        """`SqliteTokens.prepare` has made everything."""
        return True

    async def table_has_column(self, table: str, column: str) -> bool:
        """`SqliteTokens.prepare` has made everything."""
        return True

    async def table_has_index(self, table: str, index: str) -> bool:
        """`SqliteTokens.prepare` has made everything."""
        return True

    async def has_user_defined_enum(self, key: str, enum: str) -> bool:
        """`SqliteTokens.prepare` has made everything."""
        return True


def _token(row: Any) -> Token:
    """Return a row as PgQueuer knows it; its values are our own, so they are not validated again."""
    due = datetime.fromtimestamp(row.execute_after, UTC)
    return Token.model_construct(
        id=row.id,
        entrypoint=row.entrypoint,
        payload=row.dedupe_key.encode(),
        execute_after=due,
        attempts=row.attempts,
        priority=0,
        status="picked",
    )
