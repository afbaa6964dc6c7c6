"""The row that a stored request takes, shared by the limits that store."""

from datetime import UTC, datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The limits' tables."""


class InboxRow(Base):
    """A request as received."""

    __tablename__ = "inbox"
    __table_args__ = (Index("inbox_pending", "id", sqlite_where=text("state = 'pending'")),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int]
    config_id: Mapped[int]
    revision: Mapped[int]
    request_id: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    method: Mapped[str]
    path: Mapped[str]
    query: Mapped[str]
    headers: Mapped[str]
    body: Mapped[bytes]
    address: Mapped[str]
    received_at: Mapped[str]


def values(request_id: str, headers: str, body: bytes) -> dict[str, object]:
    """The columns of a new row but for its id."""
    fixed = {"organisation_id": 1, "config_id": 201, "revision": 1, "state": "pending", "query": ""}
    sent = {"method": "POST", "path": "/api/webhooks/bench", "address": "127.0.0.1"}
    received = {"headers": headers, "body": body, "received_at": datetime.now(UTC).isoformat()}
    return {"request_id": request_id, **fixed, **sent, **received}
