"""Who may do the open user tasks."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Index, bindparam, delete, select
from sqlmodel import Field, col
from sqlmodel import select as select_rows

from bpm.store import Row, Transaction

from .wait_tables import ProcessWait


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
