"""What the web edge keeps: the row by which it tries whether the database can be written."""

from datetime import datetime

from sqlalchemy import insert, update
from sqlmodel import Field

from bpm.store import Row, Transaction, UtcDateTime


class ReadinessProbe(Row, table=True):
    """The one row that every readiness check writes."""

    id: int | None = Field(default=None, primary_key=True)
    written_at: datetime = Field(sa_type=UtcDateTime)


PROBES = ReadinessProbe.table()


def write_probe(tx: Transaction, now: datetime) -> None:
    """Write the row; raises what the database raises when it can't be written."""
    changed = tx.connection.execute(update(PROBES).where(PROBES.c.id == 1).values(written_at=now))
    if changed.rowcount == 0:
        tx.connection.execute(insert(PROBES).values(id=1, written_at=now))
