"""Who may do the open user tasks."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Index, bindparam, delete, or_, select, update
from sqlmodel import Field, col
from sqlmodel import select as select_rows

from bpm.process.rows import WaitRow
from bpm.store import Row, Transaction
from bpm.store.records import Records

from .wait_tables import WAITS, ProcessWait


class TaskCandidate(Row, table=True):
    """Somebody a user task is offered to; `kind` is assignee, user or group."""

    __table_args__ = (Index("ix_task_candidate_name", "kind", "name"),)

    instance_id: int = Field(primary_key=True)
    wait_id: int = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    name: str = Field(primary_key=True)


CANDIDATES = TaskCandidate.table()
_REMOVE = delete(CANDIDATES).where(
    CANDIDATES.c.instance_id == bindparam("instance"), CANDIDATES.c.wait_id == bindparam("wait")
)
_OF_TASK = (CANDIDATES.c.instance_id == bindparam("instance"), CANDIDATES.c.wait_id == bindparam("wait"))
_FREE = delete(CANDIDATES).where(*_OF_TASK, CANDIDATES.c.kind == "assignee")
_IS_TASK = (WAITS.c.instance_id == bindparam("instance"), WAITS.c.wait_id == bindparam("wait"), WAITS.c.kind == "user")
_WAITS = Records(WaitRow, WAITS)
_TASK = _WAITS.select.where(*_IS_TASK, WAITS.c.organization_id == bindparam("organization_")).with_for_update()
_SHOW = update(WAITS).where(*_IS_TASK).values(data=bindparam("data_"))


def insert_candidates(tx: Transaction, instance_id: int, wait_id: int, names: Sequence[tuple[str, str]]) -> None:
    """Offer a task to these, each a kind and a name."""
    rows = [
        {"instance_id": instance_id, "wait_id": wait_id, "kind": kind, "name": name}
        for kind, name in dict.fromkeys(names)
    ]
    tx.connection.execute(CANDIDATES.insert(), rows)


def remove_candidates(tx: Transaction, tasks: Sequence[tuple[int, int]]) -> None:
    """Forget to whom tasks were offered that are open no more, each an instance and a wait."""
    tx.connection.execute(_REMOVE, [{"instance": instance_id, "wait": wait_id} for instance_id, wait_id in tasks])


def select_user_tasks(instance_id: int | None, offered: Sequence[tuple[str, str]]) -> Any:
    """Select the open user tasks, of one instance if one is given, offered to all of those given."""
    statement = select_rows(ProcessWait).where(col(ProcessWait.kind) == "user")
    if instance_id is not None:
        statement = statement.where(col(ProcessWait.instance_id) == instance_id)
    for kind, name in offered:
        mine = select(CANDIDATES.c.wait_id).where(
            CANDIDATES.c.instance_id == col(ProcessWait.instance_id),
            CANDIDATES.c.wait_id == col(ProcessWait.wait_id),
            CANDIDATES.c.kind == kind,
            CANDIDATES.c.name == name,
        )
        statement = statement.where(mine.exists())
    return statement


def task_of(tx: Transaction, organization_id: int, instance_id: int, wait_id: int) -> WaitRow | None:
    """Return an open task of an organisation, which nobody else changes until this transaction has ended."""
    return _WAITS.first(tx.connection, _TASK, organization_=organization_id, instance=instance_id, wait=wait_id)


def assign(tx: Transaction, task: WaitRow, data: Mapping[str, Any], assignee: str | None) -> None:
    """Write whose task it is, in what is shown of it (`data`, as it is stored) and where it is looked for."""
    one = {"instance": task.instance_id, "wait": task.wait_id}
    tx.connection.execute(_SHOW, {**one, "data_": data})
    tx.connection.execute(_FREE, one)
    if assignee is not None:
        insert_candidates(tx, task.instance_id, task.wait_id, [("assignee", assignee)])


def narrowed_to(statement: Any, username: str, groups: Sequence[str], *, is_theirs: bool) -> Any:
    """Narrow a select of tasks to those that are somebody's, or to those that they may claim."""
    own = (CANDIDATES.c.instance_id == col(ProcessWait.instance_id), CANDIDATES.c.wait_id == col(ProcessWait.wait_id))
    assigned = select(CANDIDATES.c.wait_id).where(*own, CANDIDATES.c.kind == "assignee")
    if is_theirs:
        return statement.where(assigned.where(CANDIDATES.c.name == username).exists())
    is_user = (CANDIDATES.c.kind == "user") & (CANDIDATES.c.name == username)
    in_group = (CANDIDATES.c.kind == "group") & CANDIDATES.c.name.in_(groups)
    offered = select(CANDIDATES.c.wait_id).where(*own, or_(is_user, in_group)).exists()
    anybodys = ~select(CANDIDATES.c.wait_id).where(*own).exists()
    return statement.where(~assigned.exists(), or_(offered, anybodys))
