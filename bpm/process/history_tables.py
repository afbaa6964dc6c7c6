"""The table of what happened to tokens at elements."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Select, func, select
from sqlmodel import Field

from bpm.process.rows import HistoryRow
from bpm.store import JsonColumn, Row, Transaction, UtcDateTime
from bpm.store.paging import ROWS_AT_ONCE
from bpm.store.records import Records


class ProcessHistoryEntry(Row, table=True):
    """What happened to a token at an element, when, with which values."""

    __table_args__ = (Index("ix_process_history_entry_instance", "instance_id"),)

    id: int | None = Field(default=None, primary_key=True)
    instance_id: int
    element_id: str
    event: str
    at: datetime = Field(sa_type=UtcDateTime)
    token: int
    values: dict[str, Any] = Field(sa_type=JsonColumn)
    flows: list[str] = Field(sa_type=JsonColumn)


HISTORY = ProcessHistoryEntry.table()
_HISTORY = Records(HistoryRow, HISTORY)


def history_of(tx: Transaction, instance_id: int, limit: int, offset: int) -> tuple[Iterator[HistoryRow], int]:
    """Return a page of an instance's history in its order, to be read one entry after the other, and how long it is."""
    where = HISTORY.c.instance_id == instance_id
    total = tx.connection.execute(select(func.count()).select_from(HISTORY).where(where)).scalar_one()
    rows = _HISTORY.select.where(where).order_by(HISTORY.c.id)
    return _in_stretches(tx, rows, limit, offset), total


def _in_stretches(tx: Transaction, statement: Select[Any], limit: int, offset: int) -> Iterator[HistoryRow]:
    """Yield rows that may hold megabytes, a few of them read at once."""
    for first in range(offset, offset + limit, ROWS_AT_ONCE):
        some = min(ROWS_AT_ONCE, offset + limit - first)
        yield from _HISTORY.all(tx.connection, statement.limit(some).offset(first))
