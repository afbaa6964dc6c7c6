"""Tables of lanes and of the tickets in them: which job runs, which waits, in which order."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Index,
    UniqueConstraint,
    bindparam,
    delete,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlmodel import Field

from bpm.jobs.interface import NOBODY, Job
from bpm.store import Transaction, UtcDateTime
from bpm.store.records import Records
from bpm.store.rows import Row
from bpm.store.upsert import insert_new


class JobLane(Row, table=True):
    """A lane that was used; `add_entry` numbers its tickets, `next_start_at` paces their starts."""

    name: str = Field(primary_key=True)
    width: int
    per_second: float | None = None
    entered: int = 0
    next_start_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


class JobTicket(Row, table=True):
    """A job's place in a lane; without `promoted` it waits its turn and has no token."""

    __table_args__ = (UniqueConstraint("kind", "ref"), Index("ix_job_ticket_promoted", "lane", "promoted", "number"))

    lane: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    kind: str
    ref: str
    attempt: int
    due_at: datetime = Field(sa_type=UtcDateTime)
    promoted: bool = False
    organization_id: int = NOBODY


class LaneRow(NamedTuple):
    """A lane whose row this transaction has taken; see `JobLane`."""

    name: str
    width: int
    per_second: float | None
    entered: int
    next_start_at: datetime | None


class TicketRow(NamedTuple):
    """A job's place in a lane; see `JobTicket`."""

    lane: str
    number: int
    kind: str
    ref: str
    attempt: int
    due_at: datetime
    promoted: bool
    organization_id: int
    """Whose turn the job takes once it is promoted."""


LANES = JobLane.table()
TICKETS = JobTicket.table()

_LANE_ROWS = Records(LaneRow, LANES)
_TICKET_ROWS = Records(TicketRow, TICKETS)
_TAKE_TURN = select(func.pg_advisory_xact_lock(literal(0x6C616E65, BigInteger)))  # "lane" as a number
_NAMED = LANES.c.name == bindparam("lane_")
_IN_LANE = TICKETS.c.lane == bindparam("lane_")
_ENTER = (
    update(LANES)
    .where(_NAMED)
    .values(width=bindparam("width_"), per_second=bindparam("per_second_"), entered=LANES.c.entered + 1)
    .returning(*_LANE_ROWS.columns)
)
_LOCK = _LANE_ROWS.select.where(_NAMED).with_for_update()
_PACE = update(LANES).where(_NAMED).values(next_start_at=bindparam("next_"))
_OWN = (TICKETS.c.kind == bindparam("kind_"), TICKETS.c.ref == bindparam("ref_"))
_REMOVED = delete(TICKETS).where(*_OWN).returning(TICKETS.c.lane)
_FRONT = _TICKET_ROWS.select.where(_IN_LANE).order_by(TICKETS.c.number).limit(bindparam("width_"))
_PROMOTE = update(TICKETS).where(_IN_LANE, TICKETS.c.number == bindparam("number_")).values(promoted=True)
_FREE_ROOM = (
    select(LANES.c.name)
    .where(
        exists().where(TICKETS.c.lane == LANES.c.name, TICKETS.c.promoted == false()),
        select(func.count())
        .select_from(TICKETS)
        .where(TICKETS.c.lane == LANES.c.name, TICKETS.c.promoted == true())
        .scalar_subquery()
        < LANES.c.width,
    )
    .order_by(LANES.c.name)
)
_IS_EMPTY = ~exists().where(TICKETS.c.lane == LANES.c.name)
_RESTED = or_(LANES.c.next_start_at.is_(None), LANES.c.next_start_at <= bindparam("now_"))
_IDLE = select(LANES.c.name).where(_IS_EMPTY, _RESTED).order_by(LANES.c.name)
_REMOVE = delete(LANES).where(_NAMED, _IS_EMPTY, _RESTED)


def take_turn(tx: Transaction) -> None:
    """Let one transaction at a time use lanes on PostgreSQL; SQLite has one writer.

    A group of units takes the rows of many lanes, in any order: two groups would wait for each other.
    """
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(_TAKE_TURN)


def add_entry(tx: Transaction, name: str, width: int, per_second: float | None) -> LaneRow:
    """Take the lane's row for this transaction, made if it is new, and return it with the next number counted."""
    take_turn(tx)
    settings: dict[str, Any] = {"lane_": name, "width_": width, "per_second_": per_second}
    row = _LANE_ROWS.first(tx.connection, _ENTER, **settings)
    if row is None:
        fresh = LaneRow(name, width, per_second, entered=1, next_start_at=None)
        made = insert_new(tx.connection, LANES).returning(*_LANE_ROWS.columns)
        row = _LANE_ROWS.first(tx.connection, made, **fresh._asdict())
    return row if row is not None else _LANE_ROWS.one(tx.connection, _ENTER, **settings)


def lock(tx: Transaction, name: str) -> LaneRow | None:
    """Take the lane's row for this transaction and return it, or None when there is no such lane."""
    take_turn(tx)
    return _LANE_ROWS.first(tx.connection, _LOCK, lane_=name)


def insert_ticket(tx: Transaction, lane: LaneRow, job: Job, *, promoted: bool) -> bool:
    """Give a job its place; tells False when it has one already, in whichever lane."""
    row = {"lane": lane.name, "number": lane.entered, "promoted": promoted, **asdict(job)}
    return tx.connection.execute(insert_new(tx.connection, TICKETS), row).rowcount == 1


def remove_ticket(tx: Transaction, kind: str, ref: str) -> str | None:
    """Take a job out of its lane, and return that lane's name, or None."""
    take_turn(tx)
    return tx.connection.execute(_REMOVED, {"kind_": kind, "ref_": ref}).scalar()


def front(tx: Transaction, lane: LaneRow) -> Sequence[TicketRow]:
    """Return the tickets in front, as many as may be under way; those are promoted in order, so no other is."""
    if lane.entered == 1:  # the one that enters now is the first
        return ()
    return _TICKET_ROWS.all(tx.connection, _FRONT, lane_=lane.name, width_=lane.width)


def promote(tx: Transaction, ticket: TicketRow) -> None:
    """Mark a ticket as under way."""
    tx.connection.execute(_PROMOTE, {"lane_": ticket.lane, "number_": ticket.number})


def pace(tx: Transaction, name: str, moment: datetime | None) -> None:
    """Let the lane's next start be no earlier than `moment`; None lets it be at once."""
    tx.connection.execute(_PACE, {"lane_": name, "next_": moment})


def with_free_room(tx: Transaction, limit: int) -> Sequence[str]:
    """Return the names of lanes in which somebody waits although there is room."""
    return tx.connection.execute(_FREE_ROOM.limit(limit)).scalars().all()


def idle(tx: Transaction, now: datetime, limit: int) -> Sequence[str]:
    """Return the names of lanes that nobody is in, and whose pace would hold nobody up any more."""
    return tx.connection.execute(_IDLE.limit(limit), {"now_": now}).scalars().all()


def remove_idle(tx: Transaction, name: str, now: datetime) -> None:
    """Forget a lane, locked before, unless somebody has entered it meanwhile."""
    tx.connection.execute(_REMOVE, {"lane_": name, "now_": now})


def waits_in_lane(kind: str, ref: Any) -> ColumnElement[bool]:
    """Return the condition that the row whose reference is `ref` waits its turn, and so must not get a token."""
    own = TICKETS.alias("own_ticket")
    return exists().where(own.c.kind == kind, own.c.ref == ref, own.c.promoted == false())
