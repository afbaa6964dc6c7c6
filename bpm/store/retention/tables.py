"""What was pruned so far, and which process may prune at present."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, or_, select, update
from sqlmodel import Field

from bpm.store.records import Records
from bpm.store.rows import Row, UtcDateTime
from bpm.store.transaction import Transaction
from bpm.store.upsert import insert_new


class RetentionMark(Row, table=True):
    """What a policy has pruned, in all and in its last run; `until` is how far it has come through time."""

    name: str = Field(primary_key=True)
    pruned: int = 0
    last_pruned: int = 0
    until: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    ran_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


class RetentionLease(Row, table=True):
    """The one row whose holder may prune, until a moment."""

    id: int = Field(primary_key=True)
    holder: str
    held_until: datetime = Field(sa_type=UtcDateTime)


class MarkRow(NamedTuple):
    """What a policy has pruned, in all and at its last run; see `RetentionMark`."""

    name: str
    pruned: int
    last_pruned: int
    until: datetime | None
    ran_at: datetime | None


MARKS = RetentionMark.table()
LEASES = RetentionLease.table()
_ROWS = Records(MarkRow, MARKS)


def retention_marks(tx: Transaction) -> list[MarkRow]:
    """Return what every policy has pruned."""
    return _ROWS.all(tx.connection, _ROWS.select.order_by(MARKS.c.name))


def mark_of(tx: Transaction, name: str) -> MarkRow | None:
    """Return one policy's mark, or None before its first run."""
    return _ROWS.first(tx.connection, _ROWS.select.where(MARKS.c.name == name))


def last_run(tx: Transaction) -> datetime | None:
    """Return when anything was pruned last, by any process, or None before the first run."""
    return tx.connection.execute(select(func.max(MARKS.c.ran_at))).scalar_one()


def note_run(tx: Transaction, name: str, pruned: int, until: datetime | None, now: datetime) -> None:
    """Add a run to a policy's mark."""
    tx.connection.execute(insert_new(tx.connection, MARKS), {"name": name, "pruned": 0, "last_pruned": 0})
    values = {"pruned": MARKS.c.pruned + pruned, "last_pruned": pruned, "until": until, "ran_at": now}
    tx.connection.execute(update(MARKS).where(MARKS.c.name == name).values(values))


def take_lease(tx: Transaction, holder: str, now: datetime, seconds: float) -> bool:
    """Become or stay the one who prunes; tells False while another process is.

    A lease from the future is one from before the clock was set back.
    """
    until = now + timedelta(seconds=seconds)
    row = {"id": 1, "holder": holder, "held_until": until}
    if tx.connection.execute(insert_new(tx.connection, LEASES), row).rowcount:
        return True
    free = or_(LEASES.c.holder == holder, LEASES.c.held_until < now, LEASES.c.held_until > until)
    return tx.connection.execute(update(LEASES).where(LEASES.c.id == 1, free).values(row)).rowcount == 1


def used_bytes(tx: Transaction) -> int | None:
    """Return how much of a SQLite file holds rows; None on PostgreSQL, whose files do not tell."""
    if tx.connection.dialect.name != "sqlite":
        return None
    pages, free, size = (
        tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size
