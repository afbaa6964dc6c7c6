"""The table of processes that run jobs, each with its signs of life."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, update
from sqlmodel import Field

from bpm.store import Row, Transaction, UtcDateTime
from bpm.store.records import Records
from bpm.store.rows import Integer64

KEPT = timedelta(days=1)
"""For how long a worker that was killed is remembered, by the clock of the next one that starts."""


class WorkerPresence(Row, table=True):
    """A process that runs jobs. `beats` grows while it lives, whatever its clock says; `beat_at` is for people."""

    id: str = Field(primary_key=True)
    host: str
    pid: int = Field(sa_type=Integer64)
    beats: int = Field(sa_type=Integer64)
    beat_at: datetime = Field(sa_type=UtcDateTime)


class WorkerRow(NamedTuple):
    """A process that runs, or ran, jobs; see `WorkerPresence`."""

    id: str
    host: str
    pid: int
    beats: int
    beat_at: datetime


WORKERS = WorkerPresence.table()

_ROWS = Records(WorkerRow, WORKERS)
_ALL = _ROWS.select.order_by(WORKERS.c.beat_at)
_ONE = WORKERS.c.id == bindparam("id_")
_BEAT = update(WORKERS).where(_ONE).values(beats=WORKERS.c.beats + 1, beat_at=bindparam("now_"))
_REMOVE = delete(WORKERS).where(_ONE)
_FORGET = delete(WORKERS).where(WORKERS.c.beat_at < bindparam("before_"))


def write_beat(tx: Transaction, row: WorkerRow) -> None:
    """Count one more sign of life; the first one writes the row and forgets workers that ended long ago."""
    changed = tx.connection.execute(_BEAT, {"id_": row.id, "now_": row.beat_at})
    if changed.rowcount == 0:
        tx.connection.execute(_FORGET, {"before_": row.beat_at - KEPT})
        tx.connection.execute(insert(WORKERS), row._asdict())


def remove_worker(tx: Transaction, worker_id: str) -> None:
    """Forget a worker that ends in good order."""
    tx.connection.execute(_REMOVE, {"id_": worker_id})


def worker_rows(tx: Transaction) -> list[WorkerRow]:
    """Return every worker that has not ended in good order, the one that wrote last at the end."""
    return _ROWS.all(tx.connection, _ALL)
