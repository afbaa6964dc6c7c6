"""Deliveries and their attempts: one event on its way to one subscription."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Index, Text, UniqueConstraint, and_, bindparam, false, insert, true, type_coerce, update
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.errors import Fenced
from bpm.events.subscription_tables import HEALTH, SUBSCRIPTIONS
from bpm.events.tables import EVENTS, Event
from bpm.jobs.lane_tables import waits_in_lane
from bpm.jobs.tables import lacks_token
from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.organizations import is_switched_off
from bpm.store.records import Records
from bpm.store.row_lock import first_to_change
from bpm.store.upsert import insert_new

KIND = "delivery"

PENDING = "pending"
PAUSED = "paused"
DELIVERED = "delivered"
DEAD = "dead"
CANCELLED = "cancelled"
State = Literal["pending", "paused", "delivered", "dead", "cancelled"]


class Delivery(OrganizationRow, table=True):
    """One event on its way to one subscription.

    `number` is the order of publication; `turn` counts how often it was taken up and fences late workers out;
    `tries` are the attempts of this round, `attempts` those of all. `lane` is set while it has a place in one.
    `duration_ms` is the last attempt's.
    """

    __table_args__ = (
        UniqueConstraint("id"),
        UniqueConstraint("subscription_id", "event_id"),
        Index("ix_delivery_event", "event_id", "number"),
        Index("ix_delivery_state", "state", "due_at"),
        Index("ix_delivery_org_created", "organization_id", "created_at"),
        Index("ix_delivery_subscription", "subscription_id", "state", "number"),
        {"sqlite_autoincrement": True},
    )

    number: int | None = Field(default=None, primary_key=True)
    id: str
    subscription_id: int
    event_id: str
    event: str
    state: str
    turn: int = 0
    tries: int = 0
    attempts: int = 0
    lane: str | None = None
    is_test: bool = False
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    last_status: int | None = None
    last_error: str | None = None
    duration_ms: float | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    completed_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


class DeliveryAttempt(OrganizationRow, table=True):
    """One request made for a delivery and what was answered; bodies are excerpts.

    `request_body` is kept only where it can't be made anew from the event.
    """

    __table_args__ = (
        Index("ix_delivery_attempt_delivery", "delivery_id"),
        Index("ix_delivery_attempt_org_created", "organization_id", "created_at"),
        Index("ix_delivery_attempt_subscription", "subscription_id", "created_at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    delivery_id: str
    subscription_id: int
    number: int
    ok: bool
    status: int | None = None
    error: str | None = None
    duration_ms: float
    request_body: str | None = None
    response_headers: dict[str, str] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    response_body: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)


class DeliveryRow(NamedTuple):
    """A delivery with all that an attempt needs of its event, its subscription and its receiver."""

    id: str
    organization_id: int
    subscription_id: int
    event_id: str
    event: str
    """The event's name."""
    state: str
    turn: int
    """How often it was taken up; fences late workers out."""
    tries: int
    """The attempts of this round."""
    attempts: int
    """The attempts of all rounds."""
    lane: str | None
    """The lane in which it has a place."""
    due_at: datetime | None
    last_status: int | None
    last_error: str | None
    duration_ms: float | None
    completed_at: datetime | None
    published_at: datetime
    ordering_key: str | None
    event_data: str
    """The event's data as JSON text."""
    event_depth: int
    """How many messages led to the event."""
    correlation_id: str
    """What the event goes back to."""
    version: int
    """The subscription's, which says where the event is sent and how."""
    is_active: bool
    """Whether the subscription is switched on, and its organisation, too."""
    is_resuming: bool
    """Whether what was kept for the subscription is still being taken up."""
    deleted_at: datetime | None
    """When the subscription was deleted."""
    open_until: datetime | None
    """Until when the receiver is left alone."""
    failure_count: int
    """The receiver's failures since its last success."""
    last_success_at: datetime | None


class DeliveryTurn(NamedTuple):
    """Which turn of a delivery a job is for, and when it is due."""

    organization_id: int
    id: str
    turn: int
    due_at: datetime


DELIVERIES = Delivery.table()
ATTEMPTS = DeliveryAttempt.table()

_JOINED = (
    DELIVERIES.join(EVENTS, EVENTS.c.id == DELIVERIES.c.event_id)
    .join(SUBSCRIPTIONS, SUBSCRIPTIONS.c.id == DELIVERIES.c.subscription_id)
    .join(HEALTH, HEALTH.c.subscription_id == DELIVERIES.c.subscription_id)
)
_ROWS = Records(
    DeliveryRow,
    DELIVERIES,
    EVENTS,
    SUBSCRIPTIONS,
    HEALTH,
    published_at=EVENTS.c.created_at,
    event_data=type_coerce(EVENTS.c.data, Text),
    event_depth=EVENTS.c.depth,
    is_active=and_(SUBSCRIPTIONS.c.is_active == true(), ~is_switched_off(DELIVERIES.c.organization_id)),
)
_LOADED = _ROWS.select.select_from(_JOINED).where(DELIVERIES.c.id == bindparam("id_"))
_TURN = (
    update(DELIVERIES)
    .where(DELIVERIES.c.id == bindparam("id_"), DELIVERIES.c.turn == bindparam("turn_"), DELIVERIES.c.state == PENDING)
    .values(
        state=bindparam("state_"),
        turn=DELIVERIES.c.turn + 1,
        tries=bindparam("tries_"),
        attempts=bindparam("attempts_"),
        lane=bindparam("lane_"),
        due_at=bindparam("due_at_"),
        last_status=bindparam("last_status_"),
        last_error=bindparam("last_error_"),
        duration_ms=bindparam("duration_ms_"),
        completed_at=bindparam("completed_at_"),
    )
)
_DUE = Records(DeliveryTurn, DELIVERIES, due_at=DELIVERIES.c.due_at)
_PENDING = _DUE.select.where(
    DELIVERIES.c.state == PENDING,
    lacks_token(KIND, DELIVERIES.c.id, DELIVERIES.c.turn),
    ~waits_in_lane(KIND, DELIVERIES.c.id),
).order_by(DELIVERIES.c.due_at)
_PUT_ASIDE = Records(DeliveryTurn, DELIVERIES, due_at=DELIVERIES.c.created_at)
_PAUSED_FOR_ACTIVE = (
    _PUT_ASIDE.select.join(SUBSCRIPTIONS, SUBSCRIPTIONS.c.id == DELIVERIES.c.subscription_id)
    .where(
        DELIVERIES.c.state == PAUSED,
        SUBSCRIPTIONS.c.is_active == true(),
        SUBSCRIPTIONS.c.is_resuming == false(),
        ~is_switched_off(DELIVERIES.c.organization_id),
        lacks_token(KIND, DELIVERIES.c.id, DELIVERIES.c.turn),
    )
    .order_by(DELIVERIES.c.number)
)
_TURNED = ("state", "tries", "attempts", "lane", "due_at", "last_status", "last_error", "duration_ms", "completed_at")


def append_delivery(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Insert a new event's delivery with the group's others; at once when somebody may look for paused ones."""
    if row["state"] == PAUSED:
        tx.connection.execute(insert(DELIVERIES), row)
    else:
        tx.append(DELIVERIES, row)


def insert_delivery_once(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Insert a delivery unless the subscription has one of the event; tells whether it was inserted."""
    return tx.connection.execute(insert_new(tx.connection, DELIVERIES), row).rowcount == 1


def find_with_subscription(tx: Transaction, id_: str) -> DeliveryRow | None:
    """Return a delivery with all that an attempt needs, or None."""
    return _ROWS.first(tx.connection, _LOADED, id_=id_)


def take_turn(tx: Transaction, row: DeliveryRow, **changes: Any) -> None:
    """Change a pending delivery with the group's others; the unit is `Fenced` when somebody has changed it since.

    `row` is the delivery as it was read; columns not named in `changes` stay.
    """
    tx.change(_TURN, _turned(row, changes))


def rest(tx: Transaction, row: DeliveryRow, **changes: Any) -> None:
    """Do the same at once: what rests is looked for by whoever lets it go, perhaps in the same group."""
    tx.change_at_once(_TURN, _turned(row, changes))


def _turned(row: DeliveryRow, changes: Mapping[str, Any]) -> dict[str, Any]:
    values = {f"{name}_": changes.get(name, getattr(row, name)) for name in _TURNED}
    return {"id_": row.id, "turn_": row.turn, **values}


def append_attempt(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Insert an attempt with the group's others."""
    tx.append(ATTEMPTS, row)


def pending(tx: Transaction, limit: int) -> list[DeliveryTurn]:
    """Return pending deliveries that no token wakes, the earliest first."""
    return _DUE.all(tx.connection, _PENDING.limit(limit))


def paused_for_active(tx: Transaction, limit: int) -> list[DeliveryTurn]:
    """Return paused deliveries of what is active: put aside while somebody switched it on."""
    return _PUT_ASIDE.all(tx.connection, _PAUSED_FOR_ACTIVE.limit(limit))


def delivery(tx: Transaction, organization_id: int, id_: str) -> Delivery | None:
    """Return a delivery of the organisation, to be changed by nobody else meanwhile."""
    statement = select_rows(Delivery).where(col(Delivery.id) == id_)
    return first_to_change(tx, organization_id, statement)


def change_delivery(tx: Transaction, row: Delivery, **values: Any) -> None:
    """Change a delivery that was read in this transaction, fencing out whoever works on it."""
    changed = {**values, "turn": row.turn + 1}
    tx.connection.execute(update(DELIVERIES).where(DELIVERIES.c.id == row.id).values(**changed))
    tx.session(row.organization_id).refresh(row)


def attempts_of(tx: Transaction, organization_id: int, delivery_id: str) -> Sequence[DeliveryAttempt]:
    """Return a delivery's attempts in their order."""
    statement = select_rows(DeliveryAttempt).where(col(DeliveryAttempt.delivery_id) == delivery_id)
    return tx.session(organization_id).exec(statement.order_by(col(DeliveryAttempt.number))).all()


def events_of(tx: Transaction, organization_id: int, delivery_ids: Sequence[str]) -> dict[str, Event]:
    """Return the events of several deliveries, by delivery."""
    of_delivery = col(Event.id) == col(Delivery.event_id)
    statement = select_rows(Delivery.id, Event).join(Event, of_delivery).where(col(Delivery.id).in_(delivery_ids))
    return dict(tx.session(organization_id).exec(statement).all())


def select_deliveries(
    *,
    subscription_id: int | None = None,
    event_id: str | None = None,
    event: str | None = None,
    state: str | None = None,
) -> SelectOfScalar[Delivery]:
    """Select deliveries by what is given; `event` may be a beginning of names as in `order.*`."""
    statement = select_rows(Delivery)
    wanted = {"subscription_id": subscription_id, "event_id": event_id, "state": state}
    for name, value in wanted.items():
        if value is not None:
            statement = statement.where(col(getattr(Delivery, name)) == value)
    if event is not None and event.endswith(".*"):
        return statement.where(col(Delivery.event).startswith(event[:-1], autoescape=True))
    return statement if event is None else statement.where(col(Delivery.event) == event)


def select_attempts(subscription_id: int | None, *, ok: bool | None) -> SelectOfScalar[DeliveryAttempt]:
    """Select attempts, all or those of a subscription, by how they ended."""
    statement = select_rows(DeliveryAttempt)
    if subscription_id is not None:
        statement = statement.where(col(DeliveryAttempt.subscription_id) == subscription_id)
    return statement if ok is None else statement.where(col(DeliveryAttempt.ok) == ok)


def revive(tx: Transaction, id_: str, turn: int, changes: Mapping[str, Any]) -> int:
    """Change a delivery that rests, and return its new turn; raises `Fenced` when it was changed meanwhile."""
    statement = update(DELIVERIES).where(DELIVERIES.c.id == id_, DELIVERIES.c.turn == turn)
    if tx.connection.execute(statement.values(**changes, turn=turn + 1)).rowcount != 1:
        raise Fenced
    return turn + 1
