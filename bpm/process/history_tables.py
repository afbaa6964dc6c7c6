"""The table of what happened to tokens at elements: a row a step of an instance."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Index, bindparam, func, select
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
    """What happened in a step of an instance: the first entry in columns, `more` behind it, `entry_count` in all.

    A page is found by `entries_before`, those of the instance's rows before this one. It is None in rows of a version
    that did not know it, and worked on beside this one.
    """

    __table_args__ = (Index("ix_process_history_entry_place", "instance_id", "entries_before"),)

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
    entries_before: int | None = None


HISTORY = ProcessHistoryEntry.table()
_ROWS = Records(HistoryRow, HISTORY)
_ROW = PreparedQuery(_ROWS, _ROWS.select.where(HISTORY.c.id == bindparam("id_")))
_OF_INSTANCE = HISTORY.c.instance_id == bindparam("instance_id_")
_WITHOUT_PLACE = select(HISTORY.c.id).where(_OF_INSTANCE, HISTORY.c.entries_before.is_(None)).limit(1)


class _Places:
    """How long a history is, and which rows hold a stretch of it, by rows whose places are written or counted."""

    def __init__(self, place: ColumnElement[Any]) -> None:
        placed = select(HISTORY.c.id, HISTORY.c.entry_count, place.label("place")).where(_OF_INSTANCE)
        last, first, rows = placed.subquery(), placed.subquery(), placed.subquery()
        self.length = select(last.c.place + last.c.entry_count).order_by(last.c.place.desc()).limit(1)
        start = select(func.max(first.c.place)).where(first.c.place <= bindparam("start_")).scalar_subquery()
        of_stretch = rows.c.place >= start, rows.c.place < bindparam("end_")
        self.stretch = select(rows.c.id, rows.c.place).where(*of_stretch).order_by(rows.c.place)


_WRITTEN = _Places(HISTORY.c.entries_before)
_COUNTED = _Places(func.sum(HISTORY.c.entry_count).over(order_by=HISTORY.c.id) - HISTORY.c.entry_count)


def append_history(tx: Transaction, instance_id: int, before: int, entries: Sequence[HistoryEntry]) -> None:
    """Write what happened in a step, behind so many entries, with the rows of the writer's group."""
    for some in _rows(entries):
        more = [_shortened(entry) for entry in some[1:]] or None
        row = {"instance_id": instance_id, "entries_before": before, "entry_count": len(some), "more": more}
        tx.append(HISTORY, {**some[0]._asdict(), **row})
        before += len(some)


def history_of(tx: Transaction, instance_id: int, limit: int, offset: int) -> tuple[Iterator[HistoryEntry], int]:
    """Return a page of an instance's history in its order, to be read one entry after the other, and how long it is."""
    of_instance = {"instance_id_": instance_id}
    places = _WRITTEN if tx.reading.execute(_WITHOUT_PLACE, of_instance).first() is None else _COUNTED
    total = tx.reading.execute(places.length, of_instance).scalar() or 0
    stretch = {**of_instance, "start_": offset, "end_": offset + limit}
    rows = [(id_, offset - int(place)) for id_, place in tx.reading.execute(places.stretch, stretch)]
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
