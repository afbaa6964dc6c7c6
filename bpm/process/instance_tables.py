"""Instances, what they wait for, and their history."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import Index, Select, String, bindparam, cast, delete, func, or_, select, update
from sqlmodel import Field, col
from sqlmodel import select as select_rows

from bpm.jobs import lacks_token
from bpm.process.rows import HistoryRow, InstanceRow, WaitRow
from bpm.store import JsonColumn, OrganizationRow, Row, Transaction, UtcDateTime
from bpm.store.lookup import Lookup
from bpm.store.organizations import is_switched_off
from bpm.store.paging import ROWS_AT_ONCE
from bpm.store.prepared import PreparedQuery
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
"""So many of an instance's waits are shown at once; people's tasks have pages of their own."""

SHOWN_AFTER_STEP = 100
"""So many are shown of an instance that was answered: showing all would cost more than the answer."""

JOB_KINDS = (*MACHINE_KINDS, "timer")
"""Waits that a worker answers; the others wait for people or messages."""


class ProcessInstance(OrganizationRow, table=True):
    """A running or ended instance; `state` is the engine's own JSON, `state_version` fences its writers.

    `origin` is the request that started it: the same request never starts a second one. The tasks run with
    the permissions of who started it. A called instance knows who called it: `parent_id`, with the wait and attempt
    that it answers, and `root_id`, the outermost one; `depth` counts the calls around it.
    `parts_size` is how large the parts of its state are that are stored beside it.
    """

    __table_args__ = (
        Index("ix_process_instance_org_created", "organization_id", "created_at"),
        Index("ix_process_instance_business_key", "business_key"),
        Index("ix_process_instance_parent", "parent_id", "parent_wait"),
        Index("ix_process_instance_root", "root_id"),
        Index("ix_process_instance_correlation", "correlation_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    definition_id: int = Field(index=True)
    process_key: str
    business_key: str | None = None
    origin: str | None = Field(default=None, unique=True)
    status: str
    state: str
    state_version: int
    parts_size: int = 0
    starter_id: str
    starter_name: str
    permissions: list[str] = Field(sa_type=JsonColumn)
    authority: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    migrator: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    correlation_id: str
    parent_id: int | None = None
    parent_wait: int | None = None
    parent_attempt: int | None = None
    root_id: int | None = None
    depth: int = 0
    created_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


class ProcessWait(OrganizationRow, table=True):
    """What a token of an instance waits for: a job, a timer, a message, a person, or somebody to mend it.

    `depth` is how many messages had caused one another when it was opened; what its job sends goes on from there.
    `turn` is the turn of a repeated activity that it is part of, if that is stored by itself.
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


class ProcessHistoryEntry(Row, table=True):
    """What happened to a token at an element, when, with which values."""

    __table_args__ = (Index("ix_process_history_entry_instance", "instance_id"),)

    id: int | None = Field(default=None, primary_key=True)
    instance_id: int
    element_id: str
    event: str
    at: datetime = Field(sa_type=UtcDateTime)
    token: int
    values: dict[str, Any] = Field(sa_type=JsonColumn)
    flows: list[str] = Field(sa_type=JsonColumn)


INSTANCES = ProcessInstance.table()
WAITS = ProcessWait.table()
HISTORY = ProcessHistoryEntry.table()

_INSTANCES, _WAITS = Records(InstanceRow, INSTANCES), Records(WaitRow, WAITS)
_HISTORY = Records(HistoryRow, HISTORY)
_INSERT_INSTANCE = INSTANCES.insert()
_BY_ID = Lookup(_INSTANCES, INSTANCES, "id")
_BY_ORIGIN = select(INSTANCES.c.id).where(INSTANCES.c.origin == bindparam("origin_"))
_WRITE = (
    update(INSTANCES)
    .where(INSTANCES.c.id == bindparam("id_"), INSTANCES.c.state_version == bindparam("version_"))
    .values(
        status=bindparam("status_"),
        state=bindparam("state_"),
        state_version=bindparam("next_version"),
        parts_size=bindparam("parts_size_"),
        ended_at=bindparam("ended_at_"),
    )
)
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
    .values(tries=bindparam("next_tries"), due_at=bindparam("due"))
)


def instance_of_origin(tx: Transaction, origin: str) -> int | None:
    """Return the instance that a request has started already."""
    return tx.reading.execute(_BY_ORIGIN, {"origin_": origin}).scalar()


def new_number(tx: Transaction) -> int:
    """Return the id of an instance that is about to be written."""
    return tx.number(INSTANCES)


def insert_instance(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Insert an instance now: others in the same group of the writer have to find it."""
    tx.connection.execute(_INSERT_INSTANCE, row)


def append_instance(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Insert an instance with the group's others."""
    tx.append(INSTANCES, row)


def find_instance(tx: Transaction, instance_id: int) -> InstanceRow | None:
    """Return an instance whatever its organisation, or None."""
    return _BY_ID.first(tx, None, id=instance_id)


def write_instance(tx: Transaction, instance_id: int, version: int, values: Mapping[str, Any]) -> bool:
    """Write the next state, if nobody else has written one; tells whether it was written."""
    return tx.connection.execute(_WRITE, {"id_": instance_id, "version_": version, **values}).rowcount == 1


def select_instances(
    definition_id: int | None, status: str | None, business_key: str | None, key: str | None, parent_id: int | None
) -> Any:
    """Select instances by definition, status, business key, process id and calling instance."""
    wanted = {"definition_id": definition_id, "status": status, "business_key": business_key, "process_key": key}
    wanted["parent_id"] = parent_id
    statement = select_rows(ProcessInstance)
    for name, value in wanted.items():
        if value is not None:
            statement = statement.where(col(getattr(ProcessInstance, name)) == value)
    return statement


def insert_waits(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write waits; others in the same group of the writer have to find them."""
    tx.connection.execute(_INSERT_WAIT, rows)


def running_instances(
    tx: Transaction, definition_id: int, limit: int, most_bytes: int
) -> tuple[Sequence[InstanceRow], bool]:
    """Return instances of a version that have not ended, the oldest first, and whether there are more.

    They are at most so many, and their states so large together; one in any case.
    """
    where = INSTANCES.c.definition_id == definition_id, INSTANCES.c.ended_at.is_(None)
    sizes = (
        select(INSTANCES.c.id, func.length(INSTANCES.c.state) + INSTANCES.c.parts_size)
        .where(*where)
        .order_by(INSTANCES.c.id)
    )
    found = tx.connection.execute(sizes.limit(limit + 1)).all()
    totals = accumulate(size for _, size in found)
    ids = [row.id for row, total in zip(found, totals, strict=True) if total <= most_bytes][:limit]
    ids = ids or [row.id for row in found[:1]]
    statement = _INSTANCES.select.where(INSTANCES.c.id.in_(ids)).order_by(INSTANCES.c.id)
    return _INSTANCES.all(tx.connection, statement), len(ids) < len(found)


def migrate_instance(
    tx: Transaction, instance_id: int, version: int, definition_id: int, migrator: Mapping[str, Any]
) -> bool:
    """Put an instance on another version, on the migrator's authority; False when it went on meanwhile."""
    statement = (
        update(INSTANCES)
        .where(INSTANCES.c.id == instance_id, INSTANCES.c.state_version == version)
        .values(definition_id=definition_id, migrator=migrator)
    )
    return tx.connection.execute(statement).rowcount == 1


def answer_for(tx: Transaction, instance_id: int, migrator: Mapping[str, Any]) -> None:
    """Let somebody answer for an instance besides its starter and its authors."""
    tx.connection.execute(update(INSTANCES).where(INSTANCES.c.id == instance_id).values(migrator=migrator))


def close_waits(tx: Transaction, waits: Sequence[tuple[int, int]]) -> None:
    """Forget waits that ended, each an instance and an id."""
    tx.connection.execute(_CLOSE, [{"instance": instance_id, "wait": wait_id} for instance_id, wait_id in waits])


def called_by(tx: Transaction, parent_id: int, wait_ids: Sequence[int], limit: int) -> Sequence[int]:
    """Return running instances that answer some waits of another."""
    statement = select(INSTANCES.c.id).where(
        INSTANCES.c.parent_id == parent_id, INSTANCES.c.parent_wait.in_(wait_ids), INSTANCES.c.ended_at.is_(None)
    )
    return tx.connection.execute(statement.limit(limit)).scalars().all()


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


def find_wait(tx: Transaction, instance_id: int, wait_id: int) -> WaitRow | None:
    """Return a wait, or None when it has ended."""
    return _ONE_WAIT.first(tx, None, instance_id=instance_id, wait_id=wait_id)


def waits_of(tx: Transaction, instance_id: int, *kinds: str, limit: int = MOST_SHOWN) -> Sequence[WaitRow]:
    """Return an instance's waits, of the given kinds if any are given; the oldest, if there are very many."""
    if not kinds:
        return _ALL_WAITS_OF.all(tx, instance=instance_id, limit=limit)
    return _WAITS.all(tx.reading, _WAITS_OF.where(WAITS.c.kind.in_(kinds)), instance=instance_id, limit=limit)


def job_waits(tx: Transaction, limit: int) -> Sequence[WaitRow]:
    """Return the waits that a worker has to answer and that lack a job, the earliest due first."""
    return _WAITS.all(tx.connection, _JOBS.limit(limit))


def retry_at(tx: Transaction, instance_id: int, wait_id: int, tries: int, due: datetime) -> bool:
    """Count a failed try and set when the next one is due; False when somebody else did."""
    parameters = {"instance": instance_id, "wait": wait_id, "tries_": tries, "next_tries": tries + 1, "due": due}
    return tx.connection.execute(_TRIES, parameters).rowcount == 1


def first_message_wait(tx: Transaction, organization_id: int, name: str, key: str | None) -> WaitRow | None:
    """Return the wait that has waited longest for a message with this key, or None."""
    statement = _WAITS.select.where(
        WAITS.c.kind == "message", WAITS.c.name == name, WAITS.c.organization_id == organization_id
    )
    statement = statement.where(WAITS.c.key == key) if key is not None else statement.where(WAITS.c.key.is_(None))
    ordered = statement.order_by(WAITS.c.created_at, WAITS.c.instance_id, WAITS.c.wait_id)
    return _WAITS.first(tx.connection, ordered.limit(1))


def history_of(tx: Transaction, instance_id: int, limit: int, offset: int) -> tuple[Iterator[HistoryRow], int]:
    """Return a page of an instance's history in its order, to be read one entry after the other, and how long it is."""
    where = HISTORY.c.instance_id == instance_id
    total = tx.connection.execute(select(func.count()).select_from(HISTORY).where(where)).scalar_one()
    rows = _HISTORY.select.where(where).order_by(HISTORY.c.id)
    return _in_stretches(tx, rows, limit, offset), total


def _in_stretches(tx: Transaction, statement: Select[Any], limit: int, offset: int) -> Iterator[HistoryRow]:
    """Yield rows that may hold megabytes, a few of them read at once."""
    for first in range(offset, offset + limit, ROWS_AT_ONCE):
        some = min(ROWS_AT_ONCE, offset + limit - first)
        yield from _HISTORY.all(tx.connection, statement.limit(some).offset(first))
