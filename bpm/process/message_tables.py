"""Messages that came before anybody waited for them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Index, bindparam, delete, select
from sqlmodel import Field

from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.named_lock import take_named_lock


class BufferedMessage(OrganizationRow, table=True):
    """A message that waits until somebody waits for it, or its time to live is over."""

    __table_args__ = (
        Index("ix_buffered_message_name", "organization_id", "name", "key"),
        Index("ix_buffered_message_expires", "expires_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str
    key: str | None = None
    variables: dict[str, Any] = Field(sa_type=JsonColumn)
    authority: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)


BUFFER = BufferedMessage.table()

_NAMED = (
    select(BUFFER.c.id)
    .where(
        BUFFER.c.organization_id == bindparam("organization"),
        BUFFER.c.name == bindparam("name_"),
        BUFFER.c.expires_at > bindparam("now_"),
    )
    .order_by(BUFFER.c.id)
    .limit(1)
)
_WITH_KEY = _NAMED.where(BUFFER.c.key == bindparam("key_"))
_WITHOUT_KEY = _NAMED.where(BUFFER.c.key.is_(None))
_ONE = select(BUFFER).where(BUFFER.c.id == bindparam("id_"))
_TAKE = delete(BUFFER).where(BUFFER.c.id == bindparam("id_"))


def lock_name(tx: Transaction, organization_id: int, name: str, key: str | None, *, is_shared: bool = False) -> None:
    """Wait for other server processes that begin to wait for a message (`is_shared`) or keep one, and let them wait.

    Otherwise a message would be kept beside an instance that waits for it, when both come at the same moment.
    """
    take_named_lock(tx, f"message {organization_id}:{name}:{key}", is_shared=is_shared)


def keep_message(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Keep a message, and forget those whose time is over."""
    tx.connection.execute(delete(BUFFER).where(BUFFER.c.expires_at <= row["created_at"]))
    tx.connection.execute(BUFFER.insert(), row)


def find_oldest(tx: Transaction, organization_id: int, name: str, key: str | None, now: datetime) -> int | None:
    """Return the id of the oldest message of a name and key in the buffer; None when there is none."""
    parameters = {"organization": organization_id, "name_": name, "now_": now}
    if key is None:
        return tx.connection.execute(_WITHOUT_KEY, parameters).scalar()
    return tx.connection.execute(_WITH_KEY, {**parameters, "key_": key}).scalar()


def take_message(tx: Transaction, message_id: int) -> Any:
    """Take a message out of the buffer; None when somebody else has taken it."""
    found = tx.connection.execute(_ONE, {"id_": message_id}).first()
    taken = tx.connection.execute(_TAKE, {"id_": message_id}).rowcount
    return found if taken else None
