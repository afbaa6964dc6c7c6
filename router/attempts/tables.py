"""The history of attempts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Field, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from bpm.store import JsonColumn, OrganizationRow, Transaction, UtcDateTime
from bpm.store.upsert import insert_new


class InboundAttempt(OrganizationRow, table=True):
    """One attempt to execute a request; `replay` counts how often it had been driven again by hand by then."""

    request_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    replay: int = 0
    replayed_by: str | None = None
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime = Field(sa_type=UtcDateTime)
    outcome: str
    errors: list[str] | None = Field(default=None, sa_type=JsonColumn, nullable=True)
    message_type: str | None = None
    worker: str = ""


ATTEMPTS = InboundAttempt.table()


def keep(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Insert an attempt with the group's others, just before the commit."""
    tx.append(ATTEMPTS, row)


def keep_unless_known(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Insert an attempt unless its number is there."""
    tx.connection.execute(insert_new(tx.connection, ATTEMPTS), row)


def select_attempts(request_id: str) -> SelectOfScalar[InboundAttempt]:
    """Select the attempts of a request, the first one first."""
    of_request = col(InboundAttempt.request_id) == request_id
    return select_rows(InboundAttempt).where(of_request).order_by(col(InboundAttempt.number))
