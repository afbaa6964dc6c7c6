"""What the bus itself keeps: answers by idempotency key, and the audit log."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, UniqueConstraint, delete, select, update
from sqlmodel import Field

from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime

KEPT = timedelta(hours=24)
"""How long an idempotency key is remembered."""


class IdempotencyKey(OrganizationRow, table=True):
    """The answer a caller got for a key; without `answer` the work is still going on."""

    __table_args__ = (UniqueConstraint("principal", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    principal: str
    key: str
    fingerprint: str
    answer: Any = Field(default=None, sa_type=JsonColumn, nullable=True)
    created_at: datetime = Field(sa_type=UtcDateTime, index=True)


class AuditEntry(OrganizationRow, table=True):
    """One command: who, what (secrets redacted), from where, with which outcome, and what caused it."""

    __table_args__ = (Index("ix_audit_entry_org_created", "organization_id", "created_at"),)

    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    principal: str
    principal_name: str
    type: str
    fields: Any = Field(default=None, sa_type=JsonColumn, nullable=True)
    address: str
    ok: bool
    error: str | None = None
    request_id: str = Field(index=True)
    correlation_id: str = Field(index=True)
    causation_id: str | None = None


KEYS = IdempotencyKey.table()
AUDIT = AuditEntry.table()

_FIND = select(KEYS.c.id, KEYS.c.fingerprint, KEYS.c.answer, KEYS.c.created_at)


def find_key(tx: Transaction, principal: str, key: str) -> Any:
    """Return the row (id, fingerprint, answer, created_at) of a key, or None."""
    statement = _FIND.where(KEYS.c.principal == principal, KEYS.c.key == key)
    return tx.connection.execute(statement).first()


def reserve_key(tx: Transaction, row: dict[str, Any]) -> None:
    """Remember a key whose answer is still to come."""
    tx.connection.execute(KEYS.insert(), row)


def answer_key(tx: Transaction, principal: str, key: str, answer: Any) -> None:
    """Keep the answer of a reserved key."""
    where = (KEYS.c.principal == principal, KEYS.c.key == key)
    tx.connection.execute(update(KEYS).where(*where).values(answer=answer))


def forget_key(tx: Transaction, principal: str, key: str) -> None:
    """Free a key: it is too old, or its work may be tried again."""
    tx.connection.execute(delete(KEYS).where(KEYS.c.principal == principal, KEYS.c.key == key))
