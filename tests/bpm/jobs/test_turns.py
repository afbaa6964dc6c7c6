"""Organisations take turns: by their places in an order, and by a column that older stores lack."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bpm.jobs import Job
from bpm.jobs.factory import open_jobs
from bpm.jobs.turns import FURTHEST, MAX_QUEUES, PER_SECOND, Turns
from bpm.settings import Settings
from bpm.store import Database, Transaction
from bpm.testing import Clock

NOON = datetime(2027, 1, 1, 12, tzinfo=UTC)
OLD = text("""
    CREATE TABLE pgqueuer (
        id INTEGER PRIMARY KEY, dedupe_key TEXT NOT NULL UNIQUE, entrypoint TEXT NOT NULL, status TEXT NOT NULL,
        created FLOAT NOT NULL, execute_after FLOAT NOT NULL, attempts INTEGER NOT NULL
    )
""")
WHOSE = text("SELECT organization_id FROM pgqueuer ORDER BY id")


def test_what_stands_behind_much_of_its_own_comes_later() -> None:
    """Ten seconds of work put off its own organisation's next job by ten seconds, and nobody else's."""
    turns = Turns()
    for _ in range(10 * PER_SECOND):
        turns.place(1, NOON, NOON)
    assert turns.place(1, NOON, NOON) == timedelta(seconds=10)
    assert turns.place(2, NOON, NOON) == timedelta()
    assert turns.place(1, NOON + timedelta(seconds=4), NOON + timedelta(seconds=4)) > timedelta(seconds=6)
    assert turns.place(1, NOON + timedelta(hours=2), NOON + timedelta(hours=2)) == timedelta()


def test_timers_count_by_their_seconds() -> None:
    """What is due at the end of the year keeps nothing waiting that is due before."""
    turns, late = Turns(), NOON + timedelta(days=300)
    for _ in range(5 * PER_SECOND):
        turns.place(1, late, NOON)
    assert turns.place(1, late, NOON) == timedelta(seconds=5)
    assert turns.place(1, late - timedelta(seconds=1), NOON) == timedelta()
    assert turns.place(1, NOON, NOON) == timedelta()


def test_places_and_memory_are_bounded() -> None:
    """Nobody is put off without end, and not every second is remembered."""
    turns = Turns()
    places = [turns.place(1, NOON, NOON) for _ in range(int(FURTHEST.total_seconds()) * PER_SECOND + 2)]
    assert max(places) == FURTHEST
    for second in range(MAX_QUEUES + 10):
        turns.place(2, NOON + timedelta(seconds=second + 1), NOON)
    assert turns.place(1, NOON, NOON) == timedelta()


@pytest.mark.anyio
async def test_tokens_of_older_stores_get_the_column(database: Database, tmp_path: Path) -> None:
    """They are nobody's in particular."""

    def go_back(tx: Transaction) -> None:
        tx.connection.execute(text("DROP TABLE IF EXISTS pgqueuer"))
        tx.connection.execute(OLD)

    await database.write(go_back)
    clock = Clock()
    jobs = open_jobs(database, Settings(data_dir=tmp_path), clock)
    await jobs.prepare()
    await jobs.prepare()
    asked = [Job("note", "a", 0, clock(), 0), Job("note", "b", 0, clock(), 7)]
    await database.write(lambda tx: jobs.enqueue(tx, *asked))
    assert await database.read(lambda tx: list(tx.connection.execute(WHOSE).scalars())) == [0, 7]
