"""The table of what happened to tokens at elements: a row a step of an instance."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, bindparam, func, select
from sqlmodel import Field

from bpm.bpmn.json_size import json_size
from bpm.process.rows import HistoryEntry, HistoryRow
from bpm.store import JsonColumn, Row, Transaction, UtcDateTime
from bpm.store.prepared_query import PreparedQuery
from bpm.store.records import Records

MOST_ENTRIES = 100
"""Maximum number of entries in a row."""
MOST_BYTES = 64 * 1024
"""How large the values in a row are at most, unless those of its first entry are larger."""


class ProcessHistoryEntry(Row, table=True):
    """What happened in a step of an instance: the first entry in columns, `more` behind it, `entry_count` in all."""

    __table_args__ = (Index("ix_process_history_entry_instance", "instance_id"),)

    id: int | None = Field(default=None, primary_key=True)
    instance_id: int
    element_id: str
    event: str
    at: datetime = Field(sa_type=UtcDateTime)
    token: int
    values: dict[str, Any] = Field(sa_type=JsonColumn)
    flows: list[str] = Field(sa_type=JsonColumn)
    entry_count: int = 1
    more: list[Any] | None = Field(default=None, sa_type=JsonColumn, nullable=True)


HISTORY = ProcessHistoryEntry.table()
_ROWS = Records(HistoryRow, HISTORY)
_ROW = PreparedQuery(_ROWS, _ROWS.select.where(HISTORY.c.id == bindparam("id_")))
_OF_INSTANCE = HISTORY.c.instance_id == bindparam("instance_id_")
_COUNT = select(func.coalesce(func.sum(HISTORY.c.entry_count), 0)).where(_OF_INSTANCE)
_UP_TO = func.sum(HISTORY.c.entry_count).over(order_by=HISTORY.c.id).label("up_to")
_COUNTED = select(HISTORY.c.id, HISTORY.c.entry_count, _UP_TO).where(_OF_INSTANCE).subquery()
_BEFORE = _COUNTED.c.up_to - _COUNTED.c.entry_count
_STRETCH = (
    select(_COUNTED.c.id, _BEFORE)
    .where(_COUNTED.c.up_to > bindparam("start_"), bindparam("end_") > _BEFORE)
    .order_by(_COUNTED.c.id)
)


def append_history(tx: Transaction, instance_id: int, entries: Sequence[HistoryEntry]) -> None:
    """Write what happened in a step with the rows of the writer's group."""
    for some in _rows(entries):
        more = [_shortened(entry) for entry in some[1:]] or None
        row = {"instance_id": instance_id, "entry_count": len(some), "more": more}
        tx.append(HISTORY, {**some[0]._asdict(), **row})


def history_of(tx: Transaction, instance_id: int, limit: int, offset: int) -> tuple[Iterator[HistoryEntry], int]:
    """Return a page of an instance's history in its order, to be read one entry after the other, and how long it is."""
    total = tx.reading.execute(_COUNT, {"instance_id_": instance_id}).scalar_one()
    values = {"instance_id_": instance_id, "start_": offset, "end_": offset + limit}
    rows = [(row[0], offset - int(row[1])) for row in tx.reading.execute(_STRETCH, values)]
    return _in_stretch(tx, rows, limit), int(total)


def _in_stretch(tx: Transaction, rows: Sequence[tuple[int, int]], limit: int) -> Iterator[HistoryEntry]:
    """Yield the entries of rows that may hold megabytes, one row read at a time, from a place in each on."""
    for id_, start in rows:
        row = _ROW.first(tx, id_=id_)
        if row is not None:
            yield from _entries(row)[max(0, start) : start + limit]


def _entries(row: HistoryRow) -> list[HistoryEntry]:
    first = HistoryEntry(row.element_id, row.event, row.at, row.token, row.values, row.flows)
    return [first, *map(_entry, row.more or ())]


def _entry(fields: dict[str, Any]) -> HistoryEntry:
    moment, values, flows = datetime.fromisoformat(fields["at"]), fields.get("values", {}), fields.get("flows", [])
    return HistoryEntry(fields["element_id"], fields["event"], moment, fields["token"], values, flows)


def _shortened(entry: HistoryEntry) -> dict[str, Any]:
    """Return an entry as it stands in `more`: without values and flows where it has none."""
    return {name: value for name, value in entry._asdict().items() if value or name not in {"values", "flows"}}


def _rows(entries: Sequence[HistoryEntry]) -> Iterator[list[HistoryEntry]]:
    """Yield the entries that a row has room for."""
    row: list[HistoryEntry] = []
    size = 0
    for entry in entries:
        weight = json_size(entry.values) if entry.values else 0
        if row and (len(row) == MOST_ENTRIES or size + weight > MOST_BYTES):
            yield row
            row, size = [], 0
        row.append(entry)
        size += weight
    if row:
        yield row
