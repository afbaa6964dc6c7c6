"""The table of process instances."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

from sqlalchemy import Index, bindparam, func, select, update
from sqlmodel import Field, col
from sqlmodel import select as select_rows

from bpm.process.rows import InstanceRow, StartedInstance
from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.lookup import Lookup
from bpm.store.prepared_query import PreparedQuery
from bpm.store.records import Records


class ProcessInstance(OrganizationRow, table=True):
    """A running or ended instance; `state` is the engine's own JSON, `state_version` fences its writers.

    `origin` is the request that started it: the same request never starts a second one. The tasks run with
    the permissions of who started it. A called instance knows who called it: `parent_id`, with the wait and attempt
    that it answers, and `root_id`, the outermost one; `depth` counts the calls around it.
    `parts_size` is how large the parts of its state are that are stored beside it, `history_count` how many entries
    its history has.
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
    history_count: int = 0
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


INSTANCES = ProcessInstance.table()
_INSTANCES = Records(InstanceRow, INSTANCES)
_INSERT_INSTANCE = INSTANCES.insert()
_BY_ID = Lookup(_INSTANCES, INSTANCES, "id")
_TO_CHANGE = PreparedQuery(
    _INSTANCES, _INSTANCES.select.where(INSTANCES.c.id == bindparam("id_")).with_for_update(key_share=True)
)
_STARTED = Records(StartedInstance, INSTANCES)
_BY_ORIGIN = PreparedQuery(_STARTED, _STARTED.select.where(INSTANCES.c.origin == bindparam("origin_")))
_WRITE = (
    update(INSTANCES)
    .where(INSTANCES.c.id == bindparam("id_"), INSTANCES.c.state_version == bindparam("version_"))
    .values(
        status=bindparam("status_"),
        state=bindparam("state_"),
        state_version=bindparam("next_version"),
        parts_size=bindparam("parts_size_"),
        history_count=bindparam("history_count_"),
        ended_at=bindparam("ended_at_"),
    )
)


def instance_of_origin(tx: Transaction, origin: str) -> int | None:
    """Return the instance that a request has started already."""
    started = _BY_ORIGIN.first(tx, origin_=origin)
    return started.id if started is not None else None


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


def find_to_change(tx: Transaction, instance_id: int) -> InstanceRow | None:
    """Return an instance as it is now, or None; no other server process changes it until `tx` is over.

    One that went on meanwhile would refuse what follows, and what was done outside for it would be done again.
    """
    return find_instance(tx, instance_id) if tx.is_snapshot else _TO_CHANGE.first(tx, id_=instance_id)


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


def called_by(tx: Transaction, parent_id: int, wait_ids: Sequence[int], limit: int) -> Sequence[int]:
    """Return running instances that answer some waits of another."""
    statement = select(INSTANCES.c.id).where(
        INSTANCES.c.parent_id == parent_id, INSTANCES.c.parent_wait.in_(wait_ids), INSTANCES.c.ended_at.is_(None)
    )
    return tx.connection.execute(statement.limit(limit)).scalars().all()
