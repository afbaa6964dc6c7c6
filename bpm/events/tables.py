"""Published events."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.upsert import insert_new


class Event(OrganizationRow, table=True):
    """Something that happened; `id` sorts by time, `name` is the event's type, as in `order.created`."""

    __table_args__ = (
        UniqueConstraint("organization_id", "idempotency_key"),
        Index("ix_event_org_created", "organization_id", "created_at"),
        Index("ix_event_name", "name", "created_at"),
    )

    id: str = Field(primary_key=True)
    name: str
    data: dict[str, Any] = Field(sa_type=JsonColumn)
    idempotency_key: str | None = None
    ordering_key: str | None = None
    correlation_id: str
    created_at: datetime = Field(sa_type=UtcDateTime)


EVENTS = Event.table()


def event_by_key(tx: Transaction, organization_id: int, idempotency_key: str) -> Event | None:
    """Return the event that was published under an idempotency key."""
    statement = select_rows(Event).where(col(Event.idempotency_key) == idempotency_key)
    return tx.session(organization_id).exec(statement).first()


def append_event(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Insert an event with the group's others, just before the commit."""
    tx.append(EVENTS, row)


def insert_event_once(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Insert an event unless its idempotency key is taken; tells whether it was inserted."""
    return tx.connection.execute(insert_new(tx.connection, EVENTS), row).rowcount == 1


def select_events(name: str | None) -> SelectOfScalar[Event]:
    """Select events, all or those of a name; `order.*` stands for every name that begins with `order.`."""
    statement = select_rows(Event)
    if name is None:
        return statement
    if name.endswith(".*"):
        return statement.where(col(Event.name).startswith(name[:-1], autoescape=True))
    return statement.where(col(Event.name) == name)
