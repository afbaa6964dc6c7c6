"""What PgQueuer's `QueueManager` asks of its storage, in SQLite's SQL, through the group commit of everything else."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple

from pgqueuer.domain.models import Job as Token
from pgqueuer.domain.models import TracebackRecord
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import HealthCheckId
from sqlalchemy import text

from bpm.errors import Unavailable
from bpm.jobs.backend import PUT_OFF_LATE
from bpm.jobs.clock import SteadyClock
from bpm.jobs.notifier import InProcessNotifier
from bpm.jobs.tables import NAME
from bpm.store import Database, Transaction

_OURS = "status = 'queued' AND entrypoint IN (SELECT value FROM json_each(:kinds))"
_ROOM = f"min(:batch, :most - (SELECT count(*) FROM {NAME} WHERE status = 'picked'))"  # noqa: S608 our table's name
_CLAIMED = "RETURNING id, dedupe_key, entrypoint, execute_after, attempts"
_DUE = text(f"SELECT count(*) FROM (SELECT 1 FROM {NAME} WHERE {_OURS} AND execute_after <= :now LIMIT :most)")  # noqa: S608
_ARE_SEVERAL = text(f"""
    SELECT (SELECT min(organization_id) FROM {NAME} WHERE status = 'queued')
        < (SELECT max(organization_id) FROM {NAME} WHERE status = 'queued')
""")  # noqa: S608
_CLAIM = text(f"""
    UPDATE {NAME} SET status = 'picked' WHERE id IN (
        SELECT id FROM {NAME} WHERE {_OURS} AND execute_after <= :now ORDER BY execute_after LIMIT {_ROOM}
    ) {_CLAIMED}
""")  # noqa: S608
_CLAIM_IN_TURNS = text(f"""
    UPDATE {NAME} SET status = 'picked' WHERE id IN (
        WITH RECURSIVE organization (id) AS (
            SELECT min(organization_id) FROM {NAME} WHERE status = 'queued'
            UNION ALL
            SELECT (
                SELECT min(organization_id) FROM {NAME}
                WHERE status = 'queued' AND organization_id > organization.id
            ) FROM organization WHERE organization.id IS NOT NULL
        ),
        due AS (
            SELECT token.id, token.execute_after,
                row_number() OVER (PARTITION BY organization_id ORDER BY execute_after, token.id)
                + (SELECT count(*) FROM {NAME} WHERE status = 'picked' AND organization_id = organization.id) AS turn
            FROM organization JOIN {NAME} AS token ON token.id IN (
                SELECT one.id FROM {NAME} AS one
                WHERE one.status = 'queued' AND one.organization_id = organization.id AND one.execute_after <= :now
                    AND one.entrypoint IN (SELECT value FROM json_each(:kinds))
                ORDER BY one.execute_after LIMIT max(1, :batch / (SELECT count(id) FROM organization))
            )
        )
        SELECT id FROM due ORDER BY turn, execute_after LIMIT {_ROOM}
    ) {_CLAIMED}
""")  # noqa: S608
"""The organisations that have something due take turns, those first that have least under way."""
_DELETE = text(f"DELETE FROM {NAME} WHERE id IN (SELECT value FROM json_each(:ids))")  # noqa: S608
_RETRY = text(f"""
    UPDATE {NAME} SET status = 'queued', execute_after = :due, attempts = attempts + 1 WHERE id = :id
""")  # noqa: S608
_NEXT_DUE = text(f"SELECT min(execute_after) FROM {NAME} WHERE {_OURS}")  # noqa: S608
_QUEUED = text(f"SELECT count(*) FROM {NAME} WHERE {_OURS}")  # noqa: S608


class ClaimedToken(NamedTuple):
    """What is read of a token that this process has claimed."""

    id: int
    dedupe_key: str
    entrypoint: str
    execute_after: float
    attempts: int


class SqliteRepository:
    """The part of PgQueuer's `RepositoryPort` that a `QueueManager` calls."""

    def __init__(self, database: Database, timeline: SteadyClock) -> None:
        """Read and write by the database's own reader and group commit."""
        self._database = database
        self._timeline = timeline
        self.driver = InProcessNotifier()
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
            rows = await self._database.write(lambda tx: _claim(tx, parameters))
        except Unavailable:
            return []
        return [_token(row) for row in sorted(rows)]

    async def log_jobs(self, job_status: Sequence[tuple[Token, str, TracebackRecord | None]]) -> None:
        """Delete the tokens of finished jobs; one that could not even be put off is put off now."""
        held = [token for token, status, _ in job_status if status == "failed"]
        ids = json.dumps([token.id for token, status, _ in job_status if status != "failed"])
        await self._database.write(lambda tx: tx.connection.execute(_DELETE, {"ids": ids}))
        for token in held:
            await self.retry_job(token, PUT_OFF_LATE, None)
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
        self.driver.answer(health_check_event_id)

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


def _claim(tx: Transaction, parameters: Mapping[str, Any]) -> list[ClaimedToken]:
    """Take what is due longest; where that is more than a batch, each organisation's share of it first."""
    batch: int = parameters["batch"]
    rows: list[Any] = []
    is_more = tx.connection.execute(_DUE, {**parameters, "most": batch + 1}).scalar_one() > batch
    if is_more and tx.connection.execute(_ARE_SEVERAL).scalar_one():
        rows += tx.connection.execute(_CLAIM_IN_TURNS, parameters)
    if len(rows) < batch:
        rows += tx.connection.execute(_CLAIM, {**parameters, "batch": batch - len(rows)})
    return [ClaimedToken(*row) for row in rows]


def _token(row: ClaimedToken) -> Token:
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
