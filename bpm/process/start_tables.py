"""What begins instances by itself: messages, signals and events by name, and timers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Select, String, bindparam, cast, delete, select, update
from sqlmodel import Field

from bpm.jobs import lacks_token
from bpm.process.rows import ScheduleRow
from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.organizations import is_switched_off
from bpm.store.records import Records

KIND = "process-start"
"""The kind of job that begins an instance at a time."""


CONDITION = "condition"
"""The kind of trigger that is a condition; its name is that of the process."""


class ProcessTrigger(OrganizationRow, table=True):
    """What begins an instance of the newest active version of a process.

    It is the name of a message, signal or event, or a condition; `kind` says which.
    """

    __table_args__ = (
        Index("ix_process_trigger_name", "organization_id", "kind", "name"),
        Index("ix_process_trigger_definition", "definition_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    definition_id: int
    kind: str
    name: str
    element_id: str | None = None


class ProcessSchedule(OrganizationRow, table=True):
    """A timer that begins instances; `turn` counts how often it has, `data` is the cycle's own.

    `cause` is the correlation id that these are counted to, where a process or an event set it.
    """

    definition_id: int = Field(primary_key=True)
    element_id: str = Field(primary_key=True)
    turn: int = 0
    due_at: datetime = Field(sa_type=UtcDateTime)
    data: list[Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    cause: str | None = None


TRIGGERS = ProcessTrigger.table()
SCHEDULES = ProcessSchedule.table()

_WANTED = (
    select(TRIGGERS)
    .where(
        TRIGGERS.c.organization_id == bindparam("organization"),
        TRIGGERS.c.kind == bindparam("kind_"),
        TRIGGERS.c.name == bindparam("name_"),
    )
    .order_by(TRIGGERS.c.id)
)
_REF = cast(SCHEDULES.c.definition_id, String) + "." + SCHEDULES.c.element_id
_TIMERS = Records(ScheduleRow, SCHEDULES)
_OPEN = _TIMERS.select.where(
    lacks_token(KIND, _REF, SCHEDULES.c.turn), ~is_switched_off(SCHEDULES.c.organization_id)
).order_by(SCHEDULES.c.due_at)


def triggered_by(tx: Transaction, organization_id: int, kind: str, name: str) -> Sequence[Any]:
    """Return what a message, signal or event of this name begins, the first deployed first."""
    wanted = {"organization": organization_id, "kind_": kind, "name_": name}
    return tx.remembered(("triggered", organization_id, kind, name), lambda: tx.reading.execute(_WANTED, wanted).all())


def start_conditions(tx: Transaction, organization_id: int, key: str | None, limit: int) -> Sequence[Any]:
    """Return the conditions that begin processes, or that begin one, the first deployed first."""
    statement = select(TRIGGERS).where(TRIGGERS.c.organization_id == organization_id, TRIGGERS.c.kind == CONDITION)
    if key is not None:
        statement = statement.where(TRIGGERS.c.name == key)
    return tx.connection.execute(statement.order_by(TRIGGERS.c.id).limit(limit)).all()


def replace_triggers(tx: Transaction, definition_ids: Select[tuple[int]], rows: Iterable[Mapping[str, Any]]) -> None:
    """Put new triggers in the place of those of other versions of the same process."""
    tx.forget()
    tx.connection.execute(delete(TRIGGERS).where(TRIGGERS.c.definition_id.in_(definition_ids)))
    for row in rows:
        tx.connection.execute(TRIGGERS.insert(), row)


def remove_schedules(tx: Transaction, definition_ids: Select[tuple[int]]) -> None:
    """Forget the timers of some versions."""
    tx.connection.execute(delete(SCHEDULES).where(SCHEDULES.c.definition_id.in_(definition_ids)))


def insert_schedule(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Set a timer."""
    tx.connection.execute(SCHEDULES.insert(), row)


def find_schedule(tx: Transaction, definition_id: int, element_id: str) -> ScheduleRow | None:
    """Return a timer, or None when it is set no more."""
    where = SCHEDULES.c.definition_id == definition_id, SCHEDULES.c.element_id == element_id
    return _TIMERS.first(tx.connection, _TIMERS.select.where(*where))


def set_again(tx: Transaction, row: ScheduleRow, due: datetime | None, data: list[Any] | None) -> bool:
    """Set a timer's next time, or forget it; False when somebody else was first."""
    where = (
        SCHEDULES.c.definition_id == row.definition_id,
        SCHEDULES.c.element_id == row.element_id,
        SCHEDULES.c.turn == row.turn,
    )
    if due is None:
        return tx.connection.execute(delete(SCHEDULES).where(*where)).rowcount == 1
    values = {"turn": row.turn + 1, "due_at": due, "data": data}
    return tx.connection.execute(update(SCHEDULES).where(*where).values(values)).rowcount == 1


def open_schedules(tx: Transaction, limit: int) -> Sequence[ScheduleRow]:
    """Return the timers that lack a job, the earliest due first."""
    return _TIMERS.all(tx.connection, _OPEN.limit(limit))
