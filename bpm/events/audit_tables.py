"""The lines of the audit log that become events, and how far they have."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Text, bindparam, func, select, type_coerce, update
from sqlmodel import Field

from bpm.bus.tables import AUDIT
from bpm.events.subscription_tables import SUBSCRIPTIONS
from bpm.store import Transaction
from bpm.store.records import Records
from bpm.store.rows import Integer64, Row
from bpm.store.upsert import insert_new


class AuditPosition(Row, table=True):
    """The one row that tells up to which line the audit log has become events."""

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    position: int = Field(default=0, sa_type=Integer64)


class AuditLineHead(NamedTuple):
    """A line of the audit log, as far as it says whether it becomes an event."""

    id: int
    organization_id: int
    principal: str
    principal_name: str
    depth: int
    """How many messages had caused the command."""


class AuditLine(NamedTuple):
    """A line of the audit log as its event tells it; see `bpm.bus.tables.AuditEntry`."""

    id: int
    organization_id: int
    created_at: datetime
    principal: str
    principal_name: str
    type: str
    fields: str | None
    """The command's fields as JSON text, without secrets."""
    address: str
    ok: bool
    error: str | None
    request_id: str
    correlation_id: str
    causation_id: str | None


POSITIONS = AuditPosition.table()
_THE_ROW = 1
_HEADS = Records(AuditLineHead, AUDIT)
_NEXT = _HEADS.select.where(AUDIT.c.id > bindparam("after")).order_by(AUDIT.c.id).limit(bindparam("most"))
_LINES = Records(AuditLine, AUDIT, fields=type_coerce(AUDIT.c.fields, Text))
_LINE = _LINES.select.where(AUDIT.c.organization_id == bindparam("organization"), AUDIT.c.id == bindparam("id_"))
_NEWEST = select(func.max(AUDIT.c.id))
_READERS = (
    select(SUBSCRIPTIONS.c.organization_id)
    .where(type_coerce(SUBSCRIPTIONS.c.audit_authority, Text).is_not(None), SUBSCRIPTIONS.c.deleted_at.is_(None))
    .distinct()
)
_POSITION = select(POSITIONS.c.position).where(POSITIONS.c.id == _THE_ROW)
_MOVE = (
    update(POSITIONS)
    .where(POSITIONS.c.id == _THE_ROW, POSITIONS.c.position == bindparam("from_"))
    .values(position=bindparam("to"))
)


def reading_organizations(tx: Transaction) -> set[int]:
    """Return the organisations that have a subscription to their audit log."""
    return set(tx.connection.execute(_READERS).scalars())


def begin_at_newest(tx: Transaction) -> None:
    """Let events begin with the next line, unless somebody has a subscription to an audit log already."""
    if reading_organizations(tx):
        return
    newest = tx.connection.execute(_NEWEST).scalar() or 0
    row = {"id": _THE_ROW, "position": newest}
    if not tx.connection.execute(insert_new(tx.connection, POSITIONS), row).rowcount:
        tx.connection.execute(update(POSITIONS).where(POSITIONS.c.id == _THE_ROW).values(position=newest))


def position(tx: Transaction) -> int:
    """Return the number of the last line that has become an event, or was passed over."""
    return tx.connection.execute(_POSITION).scalar() or 0


def move(tx: Transaction, from_: int, to: int) -> bool:
    """Go on to a line; False when another process has gone on meanwhile."""
    return tx.connection.execute(_MOVE, {"from_": from_, "to": to}).rowcount == 1


def next_lines(tx: Transaction, after: int, most: int) -> Sequence[AuditLineHead]:
    """Return the next lines, of all organisations, in the order of their numbers."""
    return _HEADS.all(tx.connection, _NEXT, after=after, most=most)


def begins_anew(tx: Transaction, after: int) -> bool:
    """Tell whether SQLite numbers lines from the beginning again, because all were pruned."""
    return tx.driver is not None and (tx.connection.execute(_NEWEST).scalar() or 0) < after


def audit_line(tx: Transaction, organization_id: int, id_: int) -> AuditLine | None:
    """Return a line of an organisation's audit log, or None."""
    return _LINES.first(tx.connection, _LINE, organization=organization_id, id_=id_)
