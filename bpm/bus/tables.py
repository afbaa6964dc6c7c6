"""What the bus itself keeps: answers by idempotency key, and the audit log."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Index, UniqueConstraint, bindparam, delete, select, update
from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.jobs import lacks_token
from bpm.store import ForeignText, JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.organizations import is_switched_off
from bpm.store.records import Records
from bpm.store.row_lock import first_to_change
from bpm.store.rows import Integer64

KEPT = timedelta(hours=24)
"""How long an idempotency key is remembered."""


class IdempotencyKey(OrganizationRow, table=True):
    """The answer, sealed, that a caller got for a key; without `answer` the work is still going on."""

    __table_args__ = (UniqueConstraint("principal", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    principal: str
    key: str
    fingerprint: str
    answer: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime, index=True)


class AuditEntry(OrganizationRow, table=True):
    """One command: who, what (secrets redacted), from where, with which outcome, and what caused it.

    `depth` is how many messages had caused one another before it.
    """

    __table_args__ = (Index("ix_audit_entry_org_created", "organization_id", "created_at"),)

    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    principal: str
    principal_name: str
    type: str
    fields: Any = Field(default=None, sa_type=JsonColumn, nullable=True)
    address: str
    ok: bool
    error: str | None = Field(default=None, sa_type=ForeignText, nullable=True)
    request_id: str = Field(index=True)
    correlation_id: str = Field(index=True)
    causation_id: str | None = None
    depth: int = Field(default=0, sa_type=Integer64, sa_column_kwargs={"server_default": "0"})


class ScheduledMessage(OrganizationRow, table=True):
    """A message to be sent later; `key` keeps a second one of the same name out while one is waiting.

    `authority` says on whose behalf it is sent. `permissions` are what its sender might do when it was kept: they
    count for rows from before there was an authority, and are a record for the others.
    """

    __table_args__ = (Index("ix_scheduled_message_state", "state", "due_at"),)

    id: str = Field(primary_key=True)
    type: str
    fields: dict[str, Any] = Field(sa_type=JsonColumn)
    key: str | None = Field(default=None, unique=True)
    principal_id: str
    principal_name: str
    permissions: list[str] = Field(sa_type=JsonColumn)
    authority: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    correlation_id: str
    causation_id: str
    depth: int
    state: str
    attempt: int = 0
    errors: list[str] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    completed_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)


class KeptAnswer(NamedTuple):
    """What was answered under an idempotency key, sealed; without `answer` the work is still going on."""

    id: int
    organization_id: int
    fingerprint: str
    answer: str | None
    created_at: datetime


class WaitingMessage(NamedTuple):
    """A scheduled message that lacks its job."""

    organization_id: int
    id: str
    attempt: int
    due_at: datetime


class ScheduledRow(NamedTuple):
    """A scheduled message as it is sent; see `ScheduledMessage`."""

    organization_id: int
    type: str
    fields: dict[str, Any]
    principal_id: str
    principal_name: str
    permissions: list[str]
    authority: dict[str, Any] | None
    correlation_id: str
    causation_id: str
    depth: int
    state: str
    attempt: int
    is_active: bool
    """Whether its organisation is switched on."""


KEYS = IdempotencyKey.table()
AUDIT = AuditEntry.table()
SCHEDULED = ScheduledMessage.table()

_THE_KEY = (KEYS.c.principal == bindparam("principal_"), KEYS.c.key == bindparam("key_"))
_ANSWERS = Records(KeptAnswer, KEYS)
_FIND = _ANSWERS.select.where(*_THE_KEY)
_RESERVE = KEYS.insert()
_ANSWER = update(KEYS).where(*_THE_KEY).values(answer=bindparam("answer_"))
_RENEW = update(KEYS).where(*_THE_KEY, KEYS.c.answer.is_(None)).values(created_at=bindparam("now"))
_FORGET = delete(KEYS).where(*_THE_KEY)


def find_key(tx: Transaction, principal: str, key: str) -> KeptAnswer | None:
    """Return what is kept under a key, or None."""
    return _ANSWERS.first(tx.reading, _FIND, principal_=principal, key_=key)


def reserve_key(tx: Transaction, row: dict[str, Any]) -> None:
    """Remember a key whose answer is still to come."""
    tx.connection.execute(_RESERVE, row)


def answer_key(tx: Transaction, principal: str, key: str, answer: str) -> None:
    """Keep the sealed answer of a reserved key."""
    tx.connection.execute(_ANSWER, {"principal_": principal, "key_": key, "answer_": answer})


def renew_key(tx: Transaction, principal: str, key: str, now: datetime) -> None:
    """Say that the work under a reserved key is still going on."""
    tx.connection.execute(_RENEW, {"principal_": principal, "key_": key, "now": now})


def forget_key(tx: Transaction, principal: str, key: str) -> None:
    """Free a key: it is too old, or its work may be tried again."""
    tx.connection.execute(_FORGET, {"principal_": principal, "key_": key})


_WAITING = Records(WaitingMessage, SCHEDULED)
_MESSAGES = Records(ScheduledRow, SCHEDULED, is_active=~is_switched_off(SCHEDULED.c.organization_id))
_SCHEDULED_OPEN = _WAITING.select.where(
    SCHEDULED.c.state == "waiting",
    lacks_token("message", SCHEDULED.c.id, SCHEDULED.c.attempt),
    ~is_switched_off(SCHEDULED.c.organization_id),
).order_by(SCHEDULED.c.due_at)

_SCHEDULED_KEY = select(SCHEDULED.c.id).where(SCHEDULED.c.key == bindparam("key_"))
_SCHEDULE = SCHEDULED.insert()


def schedule(tx: Transaction, row: dict[str, Any]) -> bool:
    """Keep a message for later; False when one with the same key waits already."""
    if row["key"] is not None and tx.reading.execute(_SCHEDULED_KEY, {"key_": row["key"]}).first() is not None:
        return False
    tx.connection.execute(_SCHEDULE, row)
    return True


def waiting_messages(tx: Transaction, limit: int) -> list[WaitingMessage]:
    """Return messages that were not sent yet and lack a job, the earliest first."""
    return _WAITING.all(tx.reading, _SCHEDULED_OPEN.limit(limit))


def scheduled_message(tx: Transaction, message_id: str) -> ScheduledRow | None:
    """Return a scheduled message, or None."""
    return _MESSAGES.first(tx.connection, _MESSAGES.select.where(SCHEDULED.c.id == message_id))


def select_scheduled(state: str | None, type_: str | None) -> SelectOfScalar[ScheduledMessage]:
    """Select scheduled messages for a list; None lets all through."""
    statement = select_rows(ScheduledMessage)
    if state is not None:
        statement = statement.where(col(ScheduledMessage.state) == state)
    return statement if type_ is None else statement.where(col(ScheduledMessage.type) == type_)


def scheduled_of(tx: Transaction, organization_id: int, message_id: str) -> ScheduledMessage | None:
    """Return a scheduled message of an organisation, to be changed by nobody else meanwhile."""
    statement = select_rows(ScheduledMessage).where(col(ScheduledMessage.id) == message_id)
    return first_to_change(tx, organization_id, statement)


def settle_scheduled(tx: Transaction, message_id: str, attempt: int, values: dict[str, Any]) -> bool:
    """Change a waiting message at this attempt; tells whether it was still waiting at it."""
    where = (SCHEDULED.c.id == message_id, SCHEDULED.c.attempt == attempt, SCHEDULED.c.state == "waiting")
    return tx.connection.execute(update(SCHEDULED).where(*where).values(values)).rowcount == 1
