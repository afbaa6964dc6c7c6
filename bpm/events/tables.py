"""Published events, and the types an organisation has registered."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Index, Text, UniqueConstraint, bindparam, func, select, type_coerce, update
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.paging import ROWS_AT_ONCE
from bpm.store.rows import Integer64
from bpm.store.upsert import insert_new


class Event(OrganizationRow, table=True):
    """Something that happened; `id` sorts by time, `name` is the event's type, as in `order.created`."""

    __table_args__ = (
        UniqueConstraint("organization_id", "idempotency_key"),
        Index("ix_event_org_created", "organization_id", "created_at"),
        Index("ix_event_name", "name", "created_at"),
        Index("ix_event_correlation", "correlation_id", "created_at"),
    )

    id: str = Field(primary_key=True)
    name: str
    data: dict[str, Any] = Field(sa_type=JsonColumn)
    idempotency_key: str | None = None
    ordering_key: str | None = None
    correlation_id: str
    depth: int = Field(default=0, sa_type=Integer64)
    created_at: datetime = Field(sa_type=UtcDateTime)


class EventType(OrganizationRow, table=True):
    """A type of event that an organisation has registered; it stands before a built-in one of the same name."""

    __table_args__ = (UniqueConstraint("organization_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str
    description: str = ""
    json_schema: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    example: Any = Field(default=None, sa_type=JsonColumn, nullable=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


class EventRow(NamedTuple):
    """A published event, as subscriptions and their filters look at it."""

    organization_id: int
    id: str
    name: str
    created_at: datetime
    data: Any
    ordering_key: str | None = None


EVENTS = Event.table()
TYPES = EventType.table()

_SCHEMA = select(type_coerce(TYPES.c.json_schema, Text)).where(
    TYPES.c.organization_id == bindparam("organization_id_"), TYPES.c.name == bindparam("name_")
)


def event_by_key(tx: Transaction, organization_id: int, idempotency_key: str) -> Event | None:
    """Return the event that was published under an idempotency key."""
    statement = select_rows(Event).where(col(Event.idempotency_key) == idempotency_key)
    return tx.session(organization_id).exec(statement).first()


def event(tx: Transaction, organization_id: int, id_: str) -> Event | None:
    """Return an event of the organisation."""
    return tx.session(organization_id).exec(select_rows(Event).where(col(Event.id) == id_)).first()


def append_event(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Insert an event with the group's others, just before the commit."""
    tx.append(EVENTS, row)


def insert_event_once(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Insert an event unless its idempotency key is taken; tells whether it was inserted."""
    return tx.connection.execute(insert_new(tx.connection, EVENTS), row).rowcount == 1


def deepen(tx: Transaction, id_: str, depth: int) -> None:
    """Note that a message at `depth` has an event delivered again, unless the event stands as deep already."""
    if depth:
        tx.connection.execute(update(EVENTS).where(EVENTS.c.id == id_, EVENTS.c.depth < depth).values(depth=depth))


def select_events(name: str | None, correlation_id: str | None = None) -> SelectOfScalar[Event]:
    """Select events by name and by what they go back to; `order.*` is every name that begins with `order.`."""
    statement = select_rows(Event)
    if correlation_id is not None:
        statement = statement.where(col(Event.correlation_id) == correlation_id)
    if name is None:
        return statement
    if name.endswith(".*"):
        return statement.where(col(Event.name).startswith(name[:-1], autoescape=True))
    return statement.where(col(Event.name) == name)


def schema_of(tx: Transaction, organization_id: int, name: str) -> str | None:
    """Return the JSON Schema of a registered type, as text; None when there is none to enforce."""
    return tx.reading.execute(_SCHEMA, {"organization_id_": organization_id, "name_": name}).scalar()


def event_type(tx: Transaction, organization_id: int, name: str) -> EventType | None:
    """Return a registered type."""
    return tx.session(organization_id).exec(select_rows(EventType).where(col(EventType.name) == name)).first()


def event_types(tx: Transaction, organization_id: int, names: Sequence[str]) -> Iterator[tuple[str, EventType | None]]:
    """Yield each name with what the organisation has registered under it: a schema may be large, so few at a time."""
    for first in range(0, len(names), ROWS_AT_ONCE):
        some = names[first : first + ROWS_AT_ONCE]
        statement = select_rows(EventType).where(col(EventType.name).in_(some))
        found = {row.name: row for row in tx.session(organization_id).exec(statement)}
        yield from ((name, found.get(name)) for name in some)


def event_type_descriptions(tx: Transaction, organization_id: int) -> dict[str, str]:
    """Return what an organisation says of its registered types, by name."""
    return dict(tx.session(organization_id).exec(select_rows(EventType.name, EventType.description)).all())


def count_event_types(tx: Transaction, organization_id: int) -> int:
    """Count an organisation's registered types."""
    own = TYPES.c.organization_id == organization_id
    return tx.connection.execute(select(func.count()).select_from(TYPES).where(own)).scalar_one()


def keep_event_type(tx: Transaction, organization_id: int, row: EventType) -> None:
    """Insert a type, or write the changes of one that was read."""
    tx.forget()
    tx.session(organization_id).add(row)
    tx.session(organization_id).flush()
