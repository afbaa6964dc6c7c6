"""Tokens beside the rows of an embedded database.

One process owns the work (`bpm.jobs.worker_lock`), so a running job needs no lease: what the owner's end has
left behind is taken back at the next start.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

import structlog
from pgqueuer.ports import RepositoryPort
from sqlalchemy import Column, Float, Integer, MetaData, Table, Text, Update, inspect, select, text, update

from bpm.jobs.backend import JobBackend
from bpm.jobs.clock import SteadyClock
from bpm.jobs.crashes import CrashTracker
from bpm.jobs.interface import Backlog, Job
from bpm.jobs.repository import SqliteRepository
from bpm.jobs.tables import DEATHS, NAME
from bpm.jobs.worker_lock import WorkerLock
from bpm.store import Database, Transaction

log = structlog.get_logger("bpm.jobs")

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
    Column("organization_id", Integer, nullable=False, server_default="0"),
    info={"on_conflict": "nothing"},
)
"""`created` and `execute_after` are seconds since 1970 on the clock of `SteadyClock`."""

MOST_COUNTED = 100_000
"""Of more jobs that are due, those that have been due longest are counted."""

_DUE_INDEX = text(f"CREATE INDEX IF NOT EXISTS ix_{NAME}_due ON {NAME} (status, execute_after)")
_TURN_INDEX = text(
    f"CREATE INDEX IF NOT EXISTS ix_{NAME}_turn ON {NAME} (status, organization_id, execute_after, entrypoint)"
)
_ADD_ORGANIZATION = text(f"ALTER TABLE {NAME} ADD COLUMN organization_id INTEGER NOT NULL DEFAULT 0")
_CANCEL = text(f"""
    DELETE FROM {NAME} WHERE status = 'queued' AND dedupe_key IN (SELECT value FROM json_each(:keys))
""")  # noqa: S608
_RELEASE = text(f"""
    UPDATE {NAME} SET status = 'released', dedupe_key = dedupe_key || '#' || id
    WHERE status = 'picked' AND dedupe_key = :key
""")  # noqa: S608
"""The row stays until its job has ended: another one would have its number."""
_DELETE_RELEASED = text(f"DELETE FROM {NAME} WHERE status = 'released'")  # noqa: S608
_WAITING = text(f"SELECT count(*) FROM {NAME} WHERE status = 'queued'")  # noqa: S608
_BACKLOG = text(f"""
    SELECT entrypoint, count(*), :now - min(execute_after) FROM (
        SELECT entrypoint, execute_after FROM {NAME} WHERE status = 'queued' AND execute_after <= :now
        ORDER BY execute_after LIMIT {MOST_COUNTED}
    ) GROUP BY entrypoint
""")  # noqa: S608
_DIED = text(f"""
    INSERT INTO {DEATHS.name} (key, deaths, is_waiting) SELECT dedupe_key, 1, 1 FROM {NAME} WHERE status = 'picked'
    ON CONFLICT (key) DO UPDATE SET deaths = deaths + NOT is_waiting, is_waiting = 1
""")  # noqa: S608
_FORGET_ENDED = text(f"DELETE FROM {DEATHS.name} WHERE key NOT IN (SELECT dedupe_key FROM {NAME})")  # noqa: S608
_TAKE_BACK = text(f"UPDATE {NAME} SET status = 'queued' WHERE status = 'picked'")  # noqa: S608
_TAKE_BACK_SOME = text(f"""
    UPDATE {NAME} SET status = 'queued' WHERE status = 'picked' AND dedupe_key IN (SELECT value FROM json_each(:keys))
""")  # noqa: S608
_PICKED = text(f"SELECT dedupe_key, attempts FROM {NAME} WHERE status = 'picked'")  # noqa: S608
_NEWEST = text(f"SELECT max(created) FROM {NAME}")  # noqa: S608
_SHIFT = text(f"""
    UPDATE {NAME} SET created = created - :by, execute_after = execute_after - :by WHERE created > :now
""")  # noqa: S608


class SqliteTokens(JobBackend):
    """JobBackend in the file of the other rows."""

    lease = timedelta(days=1)
    """Never asked for; the engine beats at a fraction of it, and at zero it would do nothing else."""
    poll = timedelta(seconds=0.25)

    def __init__(self, database: Database, ownership: WorkerLock) -> None:
        """Stand beside the database, whose worker holds the lock file."""
        self._database = database
        self._ownership = ownership
        self._timeline = SteadyClock()
        self._repository: SqliteRepository | None = None
        self._has_opened = False
        self._orphans: set[tuple[str, int]] = set()
        """The tokens that nobody was seen to run at the last look, and how often each had been put off."""
        self.deaths = CrashTracker(self)

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
        """Take back what the process before this one was running, and count its death for what it was."""
        if not self._has_opened:
            self.deaths.learn(await self._database.write(self._count_deaths))
            self._has_opened = True
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
            "organization_id": job.organization_id,
        }

    def wake(self) -> None:
        """See `Tokens.wake`."""
        if self._repository is not None:
            self._repository.driver.ring()

    def cancel(self, tx: Transaction, keys: Sequence[str]) -> None:
        """See `Tokens.cancel`."""
        tx.connection.execute(_CANCEL, {"keys": json.dumps(keys)})

    def release(self, tx: Transaction, key: str) -> None:
        """See `JobBackend.release`."""
        tx.connection.execute(_RELEASE, {"key": key})

    def waiting(self, tx: Transaction) -> int:
        """See `Tokens.waiting`."""
        return tx.connection.execute(_WAITING).scalar_one()

    def backlog(self, tx: Transaction) -> dict[str, Backlog]:
        """See `Tokens.backlog`."""
        found = tx.connection.execute(_BACKLOG, {"now": self._timeline.now()})
        return {kind: Backlog(count, seconds) for kind, count, seconds in found}

    async def wait(self, key: str) -> None:
        """See `CrashRecords.wait`."""
        await self._database.write(lambda tx: tx.connection.execute(_mark(key, is_waiting=True)))

    async def begin(self, key: str) -> None:
        """See `CrashRecords.begin`."""
        await self._database.write(lambda tx: tx.connection.execute(_mark(key, is_waiting=False)))

    async def forget(self, key: str) -> None:
        """See `CrashRecords.forget`."""
        await self._database.write(lambda tx: tx.connection.execute(DEATHS.delete().where(DEATHS.c.key == key)))

    async def prune(self, running: Collection[str]) -> None:
        """See `Tokens.prune`; finished tokens are deleted and leave no note.

        A token that was claimed and then fell from the engine's hands, for want of memory, would wait for the next
        start. One that nobody runs at two looks, and that was not put off in between, is not on its way to whoever
        runs it.
        """
        found = await self._database.read(lambda tx: tx.connection.execute(_PICKED).all())
        orphans = {(row.dedupe_key, row.attempts) for row in found if row.dedupe_key not in running}
        lost = orphans & self._orphans
        self._orphans = orphans - lost
        if lost:
            log.warning("jobs that nobody runs any more are taken back", jobs=len(lost))
            keys = json.dumps([key for key, _ in lost])
            await self._database.write(lambda tx: tx.connection.execute(_TAKE_BACK_SOME, {"keys": keys}))
            self.wake()

    def _create(self, tx: Transaction) -> None:
        TOKENS.create(tx.connection, checkfirst=True)
        DEATHS.create(tx.connection, checkfirst=True)
        if "organization_id" not in {column["name"] for column in inspect(tx.connection).get_columns(NAME)}:
            tx.connection.execute(_ADD_ORGANIZATION)  # of a store from before organisations took turns
        tx.connection.execute(_DUE_INDEX)
        tx.connection.execute(_TURN_INDEX)

    def _count_deaths(self, tx: Transaction) -> dict[str, int]:
        tx.connection.execute(_FORGET_ENDED)
        tx.connection.execute(_DIED)
        return {row.key: row.deaths for row in tx.connection.execute(select(DEATHS))}

    def _take_back(self, tx: Transaction) -> None:
        tx.connection.execute(_TAKE_BACK)
        tx.connection.execute(_DELETE_RELEASED)
        now = self._timeline.now()
        newest = tx.connection.execute(_NEWEST).scalar()
        if newest is not None and newest > now:  # the clock was set back while nobody worked
            tx.connection.execute(_SHIFT, {"by": newest - now, "now": now})


def _mark(key: str, *, is_waiting: bool) -> Update:
    return update(DEATHS).where(DEATHS.c.key == key).values(is_waiting=is_waiting)
