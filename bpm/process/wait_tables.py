"""The table of what instances wait for, and what a worker answers of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, bindparam, cast, delete, or_, select, update
from sqlmodel import Field

from bpm.jobs import Job, lacks_token
from bpm.process.instance_tables import INSTANCES
from bpm.process.rows import WaitRow
from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.lookup import Lookup
from bpm.store.organizations import is_switched_off
from bpm.store.prepared_query import PreparedQuery
from bpm.store.records import Records

KIND = "process"
"""The kind of job that answers waits."""

CANCELLING = "cancelling"
"""A wait of the runtime alone: instances that were called are still to be cancelled."""

MACHINE_KINDS = ("command", "script", "pause", "calling", "decision", CANCELLING)
"""Waits that a worker answers at once."""

STORED_WORK = ("command", "script", "calling", "decision")
"""Those of them that keep what is to be done, as the version asked for it that the instance ran at the time."""

MOST_SHOWN = 1_000
"""Maximum number of an instance's waits that are shown at once; people's tasks have pages of their own."""

SHOWN_AFTER_STEP = 100
"""Maximum number shown of an instance that was answered: showing all would cost more than the answer."""

MOST_NAMED = 20
"""Maximum number of an instance's waits that a sentence names."""

JOB_KINDS = (*MACHINE_KINDS, "timer")
"""Waits that a worker answers; the others wait for people or messages."""


class ProcessWait(OrganizationRow, table=True):
    """What a token of an instance waits for: a job, a timer, a message, a person, or somebody to mend it.

    `depth` is how many messages had caused one another when it was opened; what its job sends goes on from there.
    `turn` is the turn of a repeated activity that it is part of, if that is stored by itself, and `failure` says why
    the last of its `tries` was in vain.
    """

    __table_args__ = (
        Index("ix_process_wait_oldest", "organization_id", "name", "key", "created_at", "instance_id", "wait_id"),
        Index("ix_process_wait_kind", "kind", "due_at"),
    )

    instance_id: int = Field(primary_key=True)
    wait_id: int = Field(primary_key=True)
    kind: str
    element_id: str
    attempt: int = 1
    tries: int = 0
    depth: int = 0
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    name: str | None = None
    key: str | None = None
    turn: int | None = None
    data: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    failure: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)


WAITS = ProcessWait.table()
_WAITS = Records(WaitRow, WAITS)
_INSERT_WAIT = WAITS.insert()
_CLOSE = delete(WAITS).where(WAITS.c.instance_id == bindparam("instance"), WAITS.c.wait_id == bindparam("wait"))
_WAITS_OF = (
    _WAITS.select.where(WAITS.c.instance_id == bindparam("instance"))
    .order_by(WAITS.c.wait_id)
    .limit(bindparam("limit"))
)
_ALL_WAITS_OF = PreparedQuery(_WAITS, _WAITS_OF)
_CALLED = select(INSTANCES.c.id).where(INSTANCES.c.root_id == bindparam("instance"))
_JOBS_BELOW = PreparedQuery(
    _WAITS,
    _WAITS.select.where(
        (WAITS.c.instance_id == bindparam("instance")) | WAITS.c.instance_id.in_(_CALLED),
        or_(*(WAITS.c.kind == kind for kind in MACHINE_KINDS)),
    ).order_by(WAITS.c.instance_id, WAITS.c.wait_id),
)
_ONE_WAIT = Lookup(_WAITS, WAITS, "instance_id", "wait_id")
_WAIT_REF = (
    cast(WAITS.c.instance_id, String) + "." + cast(WAITS.c.wait_id, String) + "." + cast(WAITS.c.attempt, String)
)
_JOBS = _WAITS.select.where(
    WAITS.c.kind.in_(JOB_KINDS),
    lacks_token(KIND, _WAIT_REF, WAITS.c.tries),
    ~is_switched_off(WAITS.c.organization_id),
).order_by(WAITS.c.due_at)
_TRIES = (
    update(WAITS)
    .where(
        WAITS.c.instance_id == bindparam("instance"),
        WAITS.c.wait_id == bindparam("wait"),
        WAITS.c.tries == bindparam("tries_"),
    )
    .values(tries=bindparam("next_tries"), due_at=bindparam("due"), failure=bindparam("failure_"))
)


def insert_waits(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write waits; others in the same group of the writer have to find them."""
    tx.connection.execute(_INSERT_WAIT, rows)


def close_waits(tx: Transaction, waits: Sequence[tuple[int, int]]) -> None:
    """Forget waits that ended, each an instance and an id."""
    tx.connection.execute(_CLOSE, [{"instance": instance_id, "wait": wait_id} for instance_id, wait_id in waits])


def job_waits_below(tx: Transaction, instance_id: int) -> Sequence[WaitRow]:
    """Return the commands and scripts of an instance and of all that it has called."""
    return _JOBS_BELOW.all(tx, instance=instance_id)


def signal_listeners(tx: Transaction, organization_id: int, name: str) -> list[str]:
    """Return who listens for a signal, by `listener_ref`, the oldest instance first."""
    statement = select(WAITS.c.instance_id, WAITS.c.wait_id).where(
        WAITS.c.kind == "signal", WAITS.c.name == name, WAITS.c.organization_id == organization_id
    )
    rows = tx.connection.execute(statement.order_by(WAITS.c.instance_id, WAITS.c.wait_id)).all()
    return [listener_ref(instance_id, wait_id) for instance_id, wait_id in rows]


def listener_ref(instance_id: int, wait_id: int) -> str:
    """Return what a wait is called by in the list of those that a signal reaches."""
    return f"{instance_id}.{wait_id}"


def job_ref(wait: WaitRow) -> str:
    """Return what the jobs of a wait are called by: its instance, its id and its attempt."""
    return f"{wait.instance_id}.{wait.wait_id}.{wait.attempt}"


def job_of(wait: WaitRow) -> Job:
    """Return the job that answers a wait."""
    return Job(KIND, job_ref(wait), wait.tries, wait.due_at or wait.created_at, wait.organization_id)


def find_wait(tx: Transaction, instance_id: int, wait_id: int) -> WaitRow | None:
    """Return a wait, or None when it has ended."""
    return _ONE_WAIT.first(tx, None, instance_id=instance_id, wait_id=wait_id)


def waits_of(
    tx: Transaction,
    instance_id: int,
    *kinds: str,
    limit: int = MOST_SHOWN,
    name: str | None = None,
    element_id: str | None = None,
) -> Sequence[WaitRow]:
    """Return an instance's waits, of these kinds, name and element if such are given; the oldest, if there are many."""
    if not kinds:
        return _ALL_WAITS_OF.all(tx, instance=instance_id, limit=limit)
    statement = _WAITS_OF.where(WAITS.c.kind.in_(kinds))
    for column, value in (WAITS.c.name, name), (WAITS.c.element_id, element_id):
        if value is not None:
            statement = statement.where(column == value)
    return _WAITS.all(tx.reading, statement, instance=instance_id, limit=limit)


def job_waits(tx: Transaction, limit: int) -> Sequence[WaitRow]:
    """Return the waits that a worker has to answer and that lack a job, the earliest due first."""
    return _WAITS.all(tx.connection, _JOBS.limit(limit))


def retry_at(tx: Transaction, wait: WaitRow, due: datetime, failure: Mapping[str, Any] | None) -> bool:
    """Count a failed try, keep why, and set when the next one is due; False when somebody else did."""
    parameters = {
        "instance": wait.instance_id,
        "wait": wait.wait_id,
        "tries_": wait.tries,
        "next_tries": wait.tries + 1,
        "due": due,
        "failure_": failure,
    }
    return tx.connection.execute(_TRIES, parameters).rowcount == 1


def first_message_wait(tx: Transaction, organization_id: int, name: str, key: str | None) -> WaitRow | None:
    """Return the wait that has waited longest for a message with this key, or None."""
    statement = _WAITS.select.where(
        WAITS.c.kind == "message", WAITS.c.name == name, WAITS.c.organization_id == organization_id
    )
    statement = statement.where(WAITS.c.key == key) if key is not None else statement.where(WAITS.c.key.is_(None))
    ordered = statement.order_by(WAITS.c.created_at, WAITS.c.instance_id, WAITS.c.wait_id)
    return _WAITS.first(tx.connection, ordered.limit(1))
