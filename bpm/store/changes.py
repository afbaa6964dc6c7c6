"""Counters that tell every process that something changed: bumped with the change, watched from memory."""

from typing import Any

from sqlalchemy import bindparam, select, update
from sqlmodel import Field

from bpm.store.rows import Row
from bpm.store.transaction import Transaction


class ChangeCounter(Row, table=True):
    """How often the things of a topic have changed."""

    topic: str = Field(primary_key=True)
    version: int


_COUNTERS = ChangeCounter.table()
_BUMP = update(_COUNTERS).where(_COUNTERS.c.topic == bindparam("name")).values(version=_COUNTERS.c.version + 1)
_ALL = select(_COUNTERS.c.topic, _COUNTERS.c.version)


def bump(tx: Transaction, topic: str) -> None:
    """Count a change of `topic`, in the transaction that makes it."""
    if not tx.connection.execute(_BUMP, {"name": topic}).rowcount:
        tx.connection.execute(_COUNTERS.insert(), {"topic": topic, "version": 1})


def versions(tx: Transaction) -> dict[str, int]:
    """Return the version of every topic that ever changed."""
    rows: Any = tx.connection.execute(_ALL)
    return {topic: version for topic, version in rows}  # noqa: C416 rows are tuples of a result
