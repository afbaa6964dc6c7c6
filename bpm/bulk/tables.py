"""Bulk jobs and their rows: what is to be done with each, and what came of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Index, and_, bindparam, delete, func, or_, select, update
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.jobs import lacks_token
from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.organizations import is_switched_off
from bpm.store.records import Records

KIND = "bulk"
"""The kind of job that works through one."""

PLANNED, RUNNING, DONE, CANCELLED, FAILED = "planned", "running", "done", "cancelled", "failed"
State = Literal["planned", "running", "done", "cancelled", "failed"]
WAITING, REFUSED = "waiting", "refused"
RowState = Literal["waiting", "done", "refused"]


class BulkJob(OrganizationRow, table=True):
    """A bulk job: which message it sends for each row, on whose behalf, and how far it is.

    `fields` are those that all its messages have, `told_by` the field of their answer that says whether the row was
    done. `turn` counts its steps and fences late workers out.
    """

    __table_args__ = (
        Index("ix_bulk_job_org_created", "organization_id", "created_at"),
        Index("ix_bulk_job_state", "state", "created_at"),
    )

    id: str = Field(primary_key=True)
    action: str
    message_type: str
    fields: dict[str, Any] = Field(sa_type=JsonColumn)
    told_by: str | None = None
    selection: dict[str, Any] = Field(sa_type=JsonColumn)
    matched: int
    total: int
    done: int = 0
    refused: int = 0
    state: str
    turn: int = 0
    error: str | None = None
    asker_id: str
    asker_name: str
    permissions: list[str] = Field(sa_type=JsonColumn)
    authority: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    correlation_id: str
    depth: int
    created_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    completed_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


class BulkRow(OrganizationRow, table=True):
    """One row of a bulk job: what it is about (`ref`), the fields that its message has of its own, what came of it."""

    job_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    ref: str
    fields: dict[str, Any] = Field(sa_type=JsonColumn)
    state: str
    errors: list[str] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    completed_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


class RunningJob(NamedTuple):
    """A bulk job as a worker takes it up; see `BulkJob`."""

    id: str
    organization_id: int
    message_type: str
    fields: dict[str, Any]
    told_by: str | None
    asker_id: str
    asker_name: str
    permissions: list[str]
    authority: dict[str, Any] | None
    correlation_id: str
    depth: int


class WaitingRow(NamedTuple):
    """A row that is still to be done."""

    number: int
    fields: dict[str, Any]


class BulkTurn(NamedTuple):
    """Which step of a bulk job a worker takes next."""

    organization_id: int
    id: str
    turn: int
    created_at: datetime


JOBS, ROWS = BulkJob.table(), BulkRow.table()

_RUNNING = Records(RunningJob, JOBS)
_WAITING = Records(WaitingRow, ROWS)
_TURNS = Records(BulkTurn, JOBS)
_IS_RUNNING = and_(JOBS.c.state == RUNNING, ~is_switched_off(JOBS.c.organization_id))
_TAKEN_UP = _RUNNING.select.where(_IS_RUNNING, JOBS.c.id == bindparam("id_"), JOBS.c.turn == bindparam("turn_"))
_NEXT_ROWS = (
    _WAITING.select.where(ROWS.c.job_id == bindparam("id_"), ROWS.c.state == WAITING)
    .order_by(ROWS.c.number)
    .limit(bindparam("limit_"))
)
_WITHOUT_TOKEN = _TURNS.select.where(_IS_RUNNING, lacks_token(KIND, JOBS.c.id, JOBS.c.turn)).order_by(JOBS.c.created_at)


def insert_job(tx: Transaction, job: Mapping[str, Any]) -> None:
    """Store a job, or store it anew."""
    tx.connection.execute(delete(JOBS).where(JOBS.c.id == job["id"]))
    tx.connection.execute(JOBS.insert(), job)


def insert_rows(tx: Transaction, job: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Store some rows of a job, each with its `number`."""
    shared = {"organization_id": job["organization_id"], "job_id": job["id"], "state": WAITING}
    tx.connection.execute(ROWS.insert(), [{**row, **shared} for row in rows])


def delete_rows(tx: Transaction, job_id: str) -> None:
    """Delete the rows of a job."""
    tx.connection.execute(delete(ROWS).where(ROWS.c.job_id == job_id))


def find_job(tx: Transaction, organization_id: int, job_id: str) -> BulkJob | None:
    """Return a bulk job of an organisation, or None."""
    return tx.session(organization_id).exec(select_rows(BulkJob).where(col(BulkJob.id) == job_id)).first()


def select_jobs(state: State | None, action: str | None) -> SelectOfScalar[BulkJob]:
    """Select bulk jobs, all or those in a state or with an action."""
    statement = select_rows(BulkJob)
    if state is not None:
        statement = statement.where(col(BulkJob.state) == state)
    return statement if action is None else statement.where(col(BulkJob.action) == action)


def select_job_rows(job_id: str, state: RowState | None) -> SelectOfScalar[BulkRow]:
    """Select a job's rows, all or those in a state."""
    statement = select_rows(BulkRow).where(col(BulkRow.job_id) == job_id)
    return statement if state is None else statement.where(col(BulkRow.state) == state)


def count_open(tx: Transaction, organization_id: int, planned_since: datetime) -> int:
    """Return how many jobs of an organisation run, or were planned since a moment and may still be started.

    A plan whose list is not whole yet counts: it is stored as cancelled, at no moment.
    """
    may_start = or_(JOBS.c.state == PLANNED, and_(JOBS.c.state == CANCELLED, JOBS.c.completed_at.is_(None)))
    is_open = or_(JOBS.c.state == RUNNING, and_(may_start, JOBS.c.created_at >= planned_since))
    counted = select(func.count()).select_from(JOBS).where(JOBS.c.organization_id == organization_id, is_open)
    return tx.connection.execute(counted).scalar_one()


def without_token(tx: Transaction, limit: int) -> list[BulkTurn]:
    """Return running jobs that no token wakes, that which began first first."""
    return _TURNS.all(tx.connection, _WITHOUT_TOKEN.limit(limit))


def take_up(tx: Transaction, job_id: str, turn: int) -> RunningJob | None:
    """Return a running job if this is its turn, or None."""
    return _RUNNING.first(tx.connection, _TAKEN_UP, id_=job_id, turn_=turn)


def waiting_rows(tx: Transaction, job_id: str, limit: int) -> list[WaitingRow]:
    """Return the next rows that are still to be done."""
    return _WAITING.all(tx.connection, _NEXT_ROWS, id_=job_id, limit_=limit)


def settle_row(tx: Transaction, job_id: str, number: int, errors: list[str] | None, now: datetime) -> bool:
    """Write what came of a row; tells False when its job runs no more or it was settled before."""
    counter = JOBS.c.done if errors is None else JOBS.c.refused
    counted = update(JOBS).where(JOBS.c.id == job_id, JOBS.c.state == RUNNING).values({counter: counter + 1})
    if tx.connection.execute(counted).rowcount != 1:
        return False
    is_it = (ROWS.c.job_id == job_id, ROWS.c.number == number, ROWS.c.state == WAITING)
    values = {"state": DONE if errors is None else REFUSED, "errors": errors, "completed_at": now}
    return tx.connection.execute(update(ROWS).where(*is_it).values(**values)).rowcount == 1


def change_job(tx: Transaction, job_id: str, turn: int, values: Mapping[str, Any]) -> bool:
    """Change a running job that is at this turn, and begin the next; tells whether it was changed."""
    is_it = (JOBS.c.id == job_id, JOBS.c.state == RUNNING, JOBS.c.turn == turn)
    return tx.connection.execute(update(JOBS).where(*is_it).values(**values, turn=turn + 1)).rowcount == 1


def switch_state(tx: Transaction, job_id: str, former: Sequence[State], values: Mapping[str, Any]) -> bool:
    """Change a job that is in one of these states; tells whether it was."""
    is_it = (JOBS.c.id == job_id, JOBS.c.state.in_(former))
    return tx.connection.execute(update(JOBS).where(*is_it).values(**values)).rowcount == 1
