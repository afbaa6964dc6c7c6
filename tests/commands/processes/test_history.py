"""The history of an instance: a row a step, read by pages of entries, on both databases."""

import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bpm.process.history_tables import HISTORY, MOST_BYTES, MOST_ENTRIES, append_history, history_of
from bpm.process.rows import HistoryEntry
from bpm.settings import Settings
from bpm.store import Database, Transaction, open_database

pytestmark = pytest.mark.anyio

MOMENT = datetime(2026, 5, 1, 12, 30, 15, 123456, UTC)
INSTANCE = 7


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.embedded), "postgres"])
async def store(request: pytest.FixtureRequest, settings: Settings, tables: None) -> AsyncIterator[Database]:
    """A database with all tables."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    database = open_database(settings.model_copy(update={"database_url": url}))
    await database.start()
    yield database
    await database.stop()


def entry(number: int, values: dict[str, Any] | None = None) -> HistoryEntry:
    flows = [f"f{number}"] if number % 3 == 0 else []
    moment = MOMENT + timedelta(seconds=number)
    return HistoryEntry(f"e{number}", "completed", moment, number, values or {}, flows)


async def write(store: Database, *steps: Sequence[HistoryEntry], instance: int = INSTANCE) -> None:
    for step in steps:
        await store.write(lambda tx, step=step: append_history(tx, instance, step))


async def page(store: Database, limit: int, offset: int) -> tuple[list[HistoryEntry], int]:
    def read(tx: Transaction) -> tuple[list[HistoryEntry], int]:
        entries, total = history_of(tx, INSTANCE, limit, offset)
        return list(entries), total

    return await store.read(read)


async def sizes(store: Database) -> list[int]:
    def read(tx: Transaction) -> list[int]:
        return list(tx.reading.execute(HISTORY.select().order_by(HISTORY.c.id)).scalars("entry_count"))

    return await store.read(read)


async def test_a_step_is_a_row_and_pages_are_of_entries(store: Database) -> None:
    """Wherever a page begins and ends, it holds the entries that stand there, and says how many there are."""
    shapes = random.Random(5)  # noqa: S311 a repeatable sample
    lengths = [shapes.randint(1, 9) for _ in range(12)]
    numbers = iter(range(sum(lengths)))
    steps = [[entry(next(numbers), {"n": 1} if shapes.random() < 0.3 else None) for _ in range(n)] for n in lengths]
    await write(store, *steps, [])
    await write(store, [entry(1)], instance=INSTANCE + 1)
    everything = [one for step in steps for one in step]
    for _ in range(60):
        limit, offset = shapes.randint(1, 20), shapes.randint(0, len(everything) + 3)
        assert await page(store, limit, offset) == (everything[offset : offset + limit], len(everything))
    assert await sizes(store) == [*lengths, 1]


async def test_rows_from_before_are_steps_of_one_entry(store: Database) -> None:
    """They stand in the same table, without what came later."""
    old = {"instance_id": INSTANCE, **entry(0)._asdict()}
    await store.write(lambda tx: tx.append(HISTORY, old))
    await write(store, [entry(1), entry(2)])
    assert await page(store, 9, 0) == ([entry(0), entry(1), entry(2)], 3)
    assert await sizes(store) == [1, 2]


async def test_a_row_is_bounded(store: Database) -> None:
    """Many entries, or large values, of one step take several rows: what a page does not show is not read."""
    await write(store, [entry(number) for number in range(2 * MOST_ENTRIES + 1)])
    assert await sizes(store) == [MOST_ENTRIES, MOST_ENTRIES, 1]
    large = {"text": "x" * (MOST_BYTES // 2)}
    await write(store, [entry(0), entry(1, large), entry(2, large), entry(3, {"text": "x" * 2 * MOST_BYTES}), entry(4)])
    assert (await sizes(store))[3:] == [2, 1, 1, 1]
