"""The history of an instance: a row a step, read by pages of entries, on both databases."""

import random
import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bpm.process.history_tables import HISTORY, MOST_BYTES, MOST_ENTRIES, append_history, history_of
from bpm.process.rows import HistoryEntry
from bpm.settings import Settings
from bpm.store import Database, Transaction, open_database
from bpm.testing import running_app
from tests.commands.playing import deploy, instances, start
from tests.commands.statements import statements

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
    def append(tx: Transaction, step: Sequence[HistoryEntry]) -> None:
        _, before = history_of(tx, instance, 1, 0)
        append_history(tx, instance, before, step)

    for step in steps:
        await store.write(partial(append, step=step))


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


async def test_rows_without_a_place_stand_where_they_were_written(store: Database) -> None:
    """A version that knew no places, one entry a row, may have written them while this one was already there."""
    other = {"instance_id": INSTANCE, **entry(2)._asdict()}
    await write(store, [entry(0), entry(1)])
    await store.write(lambda tx: tx.append(HISTORY, other))
    await store.write(lambda tx: append_history(tx, INSTANCE, 2, [entry(3), entry(4)]))
    everything = [entry(number) for number in range(5)]
    assert await page(store, 9, 0) == (everything, 5)
    assert [await page(store, 2, offset) for offset in (0, 2, 4)] == [
        (everything[offset : offset + 2], 5) for offset in (0, 2, 4)
    ]
    assert await sizes(store) == [2, 1, 2]


async def test_a_row_is_bounded(store: Database) -> None:
    """Many entries, or large values, of one step take several rows: what a page does not show is not read."""
    await write(store, [entry(number) for number in range(2 * MOST_ENTRIES + 1)])
    assert await sizes(store) == [MOST_ENTRIES, MOST_ENTRIES, 1]
    large = {"text": "x" * (MOST_BYTES // 2)}
    await write(store, [entry(0), entry(1, large), entry(2, large), entry(3, {"text": "x" * 2 * MOST_BYTES}), entry(4)])
    assert (await sizes(store))[3:] == [2, 1, 1, 1]


async def fill(store: Database, steps: int) -> None:
    """Write a history of so many steps with two entries each, interleaved with that of another instance."""
    second = [{**entry(1)._asdict(), "at": entry(1).at.isoformat()}]
    both = {**entry(0)._asdict(), "entry_count": 2, "more": second}
    rows = [
        (HISTORY, {**both, "instance_id": instance, "entries_before": 2 * step})
        for step in range(steps)
        for instance in (INSTANCE, INSTANCE + 1)
    ]
    for first in range(0, len(rows), 2000):
        await store.append(*rows[first : first + 2000])


PLACES = (0, 0.5, 0.99)
"""Where the pages of a long history begin that are asked for, as a share of it."""


@pytest.mark.embedded
async def test_a_page_costs_the_same_however_long_the_history_is(settings: Settings, tables: None) -> None:
    """Counted in SQLite's own steps, at the beginning, in the middle and near the end."""
    store = open_database(settings)
    await store.start()

    def steps(tx: Transaction, offset: int) -> int:
        assert tx.driver is not None
        made = count()
        tx.driver.set_progress_handler(lambda: next(made) < 0, 1)
        try:
            entries, _ = history_of(tx, INSTANCE, 10, offset)
            assert len(list(entries)) == 10
        finally:
            tx.driver.set_progress_handler(None, 0)
        return next(made)

    costs: list[int] = []
    for more, length in ((1_000, 1_000), (19_000, 20_000)):
        if more != length:
            await store.write(lambda tx: tx.connection.execute(HISTORY.delete()))
        await fill(store, length)
        costs += [await store.read(partial(steps, offset=int(2 * length * share))) for share in PLACES]
    await store.stop()
    assert max(costs) < 2 * min(costs)


async def test_postgresql_finds_a_page_by_its_index(settings: Settings, postgres_url: str) -> None:
    """No statement of a page reads more rows than the page has."""
    store = open_database(settings.model_copy(update={"database_url": postgres_url}))
    await store.start()
    await fill(store, 3_000)
    await store.write(lambda tx: tx.connection.exec_driver_sql("ANALYZE"))

    def explain(tx: Transaction) -> list[str]:
        with statements(tx.connection) as seen:
            history_of(tx, INSTANCE, 10, 3_000)
        how = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) "
        return ["\n".join(tx.connection.exec_driver_sql(how + sql, given).scalars()) for sql, given in seen]

    plans = await store.read(explain)
    await store.stop()
    assert len(plans) == 3
    for plan in plans:
        assert "ix_process_history_entry_place" in plan
        assert "Seq Scan" not in plan
        assert max(int(found) for found in re.findall(r"actual rows=(\d+)", plan)) <= 10, plan


WATCHER = "start s; user t; end e\ns -> t -> e"
STUMBLING = "start s; and f; xor x; end d; manual m; user t; end e\ns -> f -> x\nx -> d if 1 = 2; f -> m -> t -> e"
"""One branch fails, and the other goes on from there in the same step."""


async def test_a_step_goes_on_where_the_one_before_ended(tmp_path: Path) -> None:
    """Also when something began in its middle by an event of the instance, which was written for that."""
    async with running_app(tmp_path) as app:
        await deploy(app, WATCHER, "watcher", triggerEvents=["process.incident"])
        await deploy(app, STUMBLING)
        begun = await start(app)
        assert len(await instances(app, "watcher", 1, "WAITING")) == 1
        task = next(task["waitId"] for task in begun["currentTasks"] if task["elementId"] == "t")
        await app.cmd("CompleteUserTaskCommand", instanceId=begun["instanceId"], waitId=task, variables={})
        history = (await app.cmd("GetProcessInstanceHistoryQuery", instanceId=begun["instanceId"]))["items"]
        rows = await app.app.database.read(lambda tx: tx.connection.execute(HISTORY.select()).mappings().all())
    assert [entry["elementId"] for entry in history] == ["s", "f", "x", "m", "t", "t", "e"]
    places = [(row["entries_before"], row["entry_count"]) for row in rows if row["instance_id"] == begun["instanceId"]]
    assert places == [(0, 5), (5, 2)]
