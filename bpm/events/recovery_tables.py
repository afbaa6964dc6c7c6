"""Queries for replaying dead or paused deliveries, and events that have no delivery."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    exists,
    false,
    func,
    or_,
    select,
    true,
    type_coerce,
    update,
)

from bpm.events.delivery_tables import CANCELLED, DEAD, DELIVERIES, PAUSED
from bpm.events.names import AUDIT_BEGINNING
from bpm.events.subscription_tables import SUBSCRIPTIONS
from bpm.events.tables import EVENTS, EventRow
from bpm.store import Transaction
from bpm.store.records import Records

BATCH_BYTES = 16 * 1024 * 1024
"""A batch ends with the event whose data makes it as large as this."""

FETCHED = 4
"""Number of events that are fetched at once."""

_BYTES = func.length(type_coerce(EVENTS.c.data, Text), type_=Integer)


class RestingDelivery(NamedTuple):
    """A delivery that is dead or paused, with its event."""

    id: str
    subscription_id: int
    state: str
    turn: int
    attempts: int
    due_at: datetime | None
    event_bytes: int
    """How many bytes the event's data has."""
    organization_id: int
    event_id: str
    event: str
    published_at: datetime
    event_data: Any
    ordering_key: str | None

    @property
    def whole_event(self) -> EventRow:
        """The event by itself."""
        data, key = self.event_data, self.ordering_key
        return EventRow(self.organization_id, self.event_id, self.event, self.published_at, data, key)


class MissingEvent(NamedTuple):
    """An event that a subscription has no delivery of."""

    event_bytes: int
    """How many bytes the data has."""
    organization_id: int
    id: str
    name: str
    created_at: datetime
    data: Any
    ordering_key: str | None

    @property
    def whole_event(self) -> EventRow:
        """The event by itself."""
        return EventRow(self.organization_id, self.id, self.name, self.created_at, self.data, self.ordering_key)


S = TypeVar("S", RestingDelivery, MissingEvent)


class Batch(NamedTuple, Generic[S]):
    """Rows in their order, and whether they are all that there are."""

    rows: Sequence[S]
    is_last: bool


_DELIVERIES = Records(
    RestingDelivery,
    DELIVERIES,
    EVENTS,
    event_bytes=_BYTES,
    published_at=EVENTS.c.created_at,
    event_data=EVENTS.c.data,
)
_RESTING = _DELIVERIES.select.join(EVENTS, EVENTS.c.id == DELIVERIES.c.event_id)
_MISSING = Records(MissingEvent, EVENTS, event_bytes=_BYTES)


def resting(tx: Transaction, id_: str) -> RestingDelivery | None:
    """Return a delivery with its event, or None."""
    return _DELIVERIES.first(tx.connection, _RESTING.where(DELIVERIES.c.id == id_))


def paused(tx: Transaction, subscription_id: int, limit: int) -> Batch[RestingDelivery]:
    """Return a subscription's paused deliveries in the order of their publication."""
    own = (DELIVERIES.c.subscription_id == subscription_id) & (DELIVERIES.c.state == PAUSED)
    return _batch(tx, _DELIVERIES, _RESTING.where(own).order_by(DELIVERIES.c.number), limit)


def begin_to_resume(tx: Transaction, organization_id: int) -> Sequence[int]:
    """Return an organisation's active subscriptions for which something was kept; new events queue up behind it."""
    kept = exists().where(DELIVERIES.c.subscription_id == SUBSCRIPTIONS.c.id, DELIVERIES.c.state == PAUSED)
    unfinished = or_(kept, SUBSCRIPTIONS.c.is_resuming == true())
    tx.forget()
    own = (SUBSCRIPTIONS.c.organization_id == organization_id, SUBSCRIPTIONS.c.is_active == true(), unfinished)
    resuming = update(SUBSCRIPTIONS).where(*own).values(is_resuming=True).returning(SUBSCRIPTIONS.c.id)
    return tx.connection.execute(resuming).scalars().all()


def cancel_paused(tx: Transaction, subscription_id: int, now: datetime) -> None:
    """End what was kept for a subscription that is deleted."""
    own = (DELIVERIES.c.subscription_id == subscription_id) & (DELIVERIES.c.state == PAUSED)
    ended = {"state": CANCELLED, "completed_at": now, "turn": DELIVERIES.c.turn + 1}
    tx.connection.execute(update(DELIVERIES).where(own).values(**ended))


def count_dead(
    tx: Transaction, organization_id: int, subscription_id: int | None, since: datetime, until: datetime
) -> int:
    """Count deliveries that died in a time, of subscriptions that are active."""
    statement = select(func.count()).select_from(DELIVERIES.join(SUBSCRIPTIONS, _OF_ACTIVE))
    return tx.connection.execute(statement.where(_died(organization_id, subscription_id, since, until))).scalar_one()


def dead(
    tx: Transaction, organization_id: int, subscription_id: int | None, since: datetime, until: datetime, limit: int
) -> Batch[RestingDelivery]:
    """Return deliveries that died in a time, of subscriptions that are active, in the order of publication."""
    statement = _RESTING.join(SUBSCRIPTIONS, _OF_ACTIVE).where(_died(organization_id, subscription_id, since, until))
    return _batch(tx, _DELIVERIES, statement.order_by(DELIVERIES.c.number), limit)


def missing_events(
    tx: Transaction,
    organization_id: int,
    subscription_id: int,
    patterns: Sequence[str],
    since: datetime,
    until: datetime,
    after: str | None,
    limit: int,
) -> Batch[MissingEvent]:
    """Return events of a time that a subscription's patterns fit and that it has no delivery of, the oldest first.

    `after` goes on behind an event that was published exactly at `since`. Test events are nobody else's.
    """
    later = EVENTS.c.created_at >= since
    if after is not None:
        later = or_(EVENTS.c.created_at > since, and_(EVENTS.c.created_at == since, EVENTS.c.id > after))
    known = exists().where(DELIVERIES.c.subscription_id == subscription_id, DELIVERIES.c.event_id == EVENTS.c.id)
    test = exists().where(
        DELIVERIES.c.organization_id == EVENTS.c.organization_id,
        DELIVERIES.c.created_at == EVENTS.c.created_at,
        DELIVERIES.c.event_id == EVENTS.c.id,
        DELIVERIES.c.is_test == true(),
    )
    statement = _MISSING.select.where(
        EVENTS.c.organization_id == organization_id,
        later,
        EVENTS.c.created_at <= until,
        or_(false(), *map(_fits, patterns)),
        ~known,
        ~test,
    )
    return _batch(tx, _MISSING, statement.order_by(EVENTS.c.created_at, EVENTS.c.id), limit)


_OF_ACTIVE = and_(SUBSCRIPTIONS.c.id == DELIVERIES.c.subscription_id, SUBSCRIPTIONS.c.is_active == true())


def _batch(tx: Transaction, records: Records[S], statement: Select[Any], limit: int) -> Batch[S]:
    """Return the first rows, at most `limit` of them and few enough for their events to be held in memory."""
    rows: list[S] = []
    size = 0
    with tx.connection.execute(statement.limit(limit).execution_options(yield_per=FETCHED)) as found:
        for row in records.each(found):
            rows.append(row)
            size += row.event_bytes
            if size >= BATCH_BYTES:
                return Batch(rows, is_last=False)
    return Batch(rows, is_last=len(rows) < limit)


def _died(organization_id: int, subscription_id: int | None, since: datetime, until: datetime) -> ColumnElement[bool]:
    conditions = [
        DELIVERIES.c.organization_id == organization_id,
        DELIVERIES.c.state == DEAD,
        DELIVERIES.c.completed_at >= since,
        DELIVERIES.c.completed_at <= until,
    ]
    if subscription_id is not None:
        conditions.append(DELIVERIES.c.subscription_id == subscription_id)
    return and_(*conditions)


def _fits(pattern: str) -> ColumnElement[bool]:
    if pattern == "*":
        return ~EVENTS.c.name.startswith(AUDIT_BEGINNING, autoescape=True)
    if pattern.endswith(".*"):
        return EVENTS.c.name.startswith(pattern[:-1], autoescape=True)
    return EVENTS.c.name == pattern
