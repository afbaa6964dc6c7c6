"""The group writer: what is committed together, what fails alone."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Table, bindparam, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field

from bpm.errors import Fenced, Overloaded, StorageUnavailable
from bpm.settings import Settings
from bpm.store import Database, Row, Transaction, open_database
from bpm.store.writer import MAX_WAITING_BYTES, MAX_WAITING_UNITS

pytestmark = pytest.mark.anyio


class WriterSample(Row, table=True):
    """A row with a unique word."""

    id: int | None = Field(default=None, primary_key=True)
    word: str = Field(unique=True)
    mood: str = "calm"


SAMPLES: Table = WriterSample.table()


def insert(word: str):
    def work(tx: Transaction) -> str:
        tx.connection.execute(SAMPLES.insert(), {"word": word})
        return word

    return work


def words(tx: Transaction) -> list[str]:
    return list(tx.connection.execute(select(SAMPLES.c.word).order_by(SAMPLES.c.word)).scalars())


async def test_what_was_written_is_read_by_a_new_connection(database: Database, settings: Settings) -> None:
    """A returned write is in the file, for any process that opens it."""
    assert await database.write(insert("a")) == "a"
    with sqlite3.connect(settings.sqlite_path) as other:
        assert other.execute("SELECT word FROM writer_sample").fetchall() == [("a",)]


async def test_a_failing_unit_leaves_the_others_of_its_group(database: Database) -> None:
    """A unit that raises is undone alone; its neighbours in the same commit stay."""

    def fail(tx: Transaction) -> None:
        insert("lost")(tx)
        raise RuntimeError("no")

    results = await asyncio.gather(
        database.write(insert("a")), database.write(fail), database.write(insert("b")), return_exceptions=True
    )
    assert results[0] == "a"
    assert isinstance(results[1], RuntimeError)
    assert await database.read(words) == ["a", "b"]


async def test_appended_rows_that_collide_fail_alone(database: Database) -> None:
    """Of appended rows, only the one that violates a constraint is refused."""
    await database.write(insert("taken"))
    results = await asyncio.gather(
        *(database.append((SAMPLES, {"word": word})) for word in ("a", "taken", "b")), return_exceptions=True
    )
    assert [type(r) for r in results] == [type(None), IntegrityError, type(None)]
    assert await database.read(words) == ["a", "b", "taken"]


async def test_appended_rows_may_set_different_columns(database: Database) -> None:
    """Rows of one table in one group need not set the same columns."""
    rows = ({"word": "a"}, {"id": 7, "word": "b"}, {"word": "c"}, {"word": "d", "id": 9})
    await asyncio.gather(*(database.append((SAMPLES, row)) for row in rows))
    assert await database.read(words) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("bad", [{"word": "\ud800"}, {"id": 2**70, "word": "x"}, {"word": object()}, {}])
async def test_a_row_that_can_not_be_stored_fails_alone(database: Database, bad: dict[str, object]) -> None:
    """A value that the database does not take costs nobody else of its group anything."""
    rows = ({"word": "a"}, bad, {"word": "b"})
    results = await asyncio.gather(*(database.append((SAMPLES, row)) for row in rows), return_exceptions=True)
    assert [isinstance(result, Exception) for result in results] == [False, True, False]
    assert await database.read(words) == ["a", "b"]


async def test_a_unit_with_colliding_appended_rows_is_undone_whole(database: Database) -> None:
    """Rows that a unit appends succeed or fail together with what else it did."""
    await database.write(insert("taken"))

    def both(tx: Transaction) -> None:
        insert("direct")(tx)
        tx.append(SAMPLES, {"word": "taken"})

    with pytest.raises(IntegrityError):
        await database.write(both)
    assert await database.read(words) == ["taken"]


async def test_columns_that_are_left_out_have_their_defaults(database: Database) -> None:
    """An appended row need not name what its class has a default for."""
    await database.append((SAMPLES, {"word": "a"}), (SAMPLES, {"word": "b", "mood": "sad"}))
    moods = select(SAMPLES.c.mood).order_by(SAMPLES.c.word)
    assert await database.read(lambda tx: list(tx.connection.execute(moods).scalars())) == ["calm", "sad"]


RENAME = update(SAMPLES).where(SAMPLES.c.word == bindparam("old")).values(word=bindparam("new"))


async def test_changes_of_a_group_are_fenced_one_by_one(database: Database) -> None:
    """A unit whose change finds no row is undone whole; the others of its group stand."""
    await database.write(lambda tx: [insert(word)(tx) for word in ("a", "b")])

    def rename(old: str) -> Callable[[Transaction], None]:
        def work(tx: Transaction) -> None:
            tx.append(SAMPLES, {"word": f"beside {old}"})
            tx.change(RENAME, {"old": old, "new": f"new {old}"})

        return work

    results = await asyncio.gather(*(database.write(rename(old)) for old in ("a", "gone", "b")), return_exceptions=True)
    assert [type(r) for r in results] == [type(None), Fenced, type(None)]
    assert await database.read(words) == ["beside a", "beside b", "new a", "new b"]


async def test_a_savepoint_takes_back_rows_callbacks_and_statements(database: Database) -> None:
    """Everything done inside a savepoint that raises is undone, the rest of the unit is kept."""
    called: list[str] = []

    def work(tx: Transaction) -> None:
        insert("kept")(tx)
        tx.after_commit(lambda: called.append("kept"))
        try:
            with tx.savepoint():
                insert("lost")(tx)
                tx.append(SAMPLES, {"word": "lost too"})
                tx.session(None).add(WriterSample(word="lost as well"))
                tx.after_commit(lambda: called.append("lost"))
                raise ValueError
        except ValueError:
            pass

    await database.write(work)
    assert await database.read(words) == ["kept"]
    assert called == ["kept"]


async def test_a_flush_that_fails_leaves_the_others_of_its_group(database: Database) -> None:
    """Objects that violate a constraint cost nobody else of the group anything."""
    await database.write(insert("taken"))

    def collide(tx: Transaction) -> None:
        tx.session(None).add(WriterSample(word="taken"))

    results = await asyncio.gather(
        database.write(insert("a")), database.write(collide), database.write(insert("b")), return_exceptions=True
    )
    assert [type(r) for r in results] == [str, IntegrityError, str]
    assert await database.read(words) == ["a", "b", "taken"]


async def test_a_unit_goes_on_after_a_flush_that_failed(database: Database) -> None:
    """Whoever catches a failed flush keeps what was done before, and may use the session again."""

    def collide(tx: Transaction) -> None:
        session = tx.session(None)
        session.add(WriterSample(word="before"))
        session.flush()
        session.add(WriterSample(word="before"))
        with pytest.raises(IntegrityError):
            session.flush()
        session.add(WriterSample(word="after"))

    await database.write(collide)
    assert await database.read(words) == ["after", "before"]


async def test_callbacks_of_a_failed_unit_are_not_called(database: Database) -> None:
    """What was to be done after the commit is not done without one."""
    called: list[int] = []

    def work(tx: Transaction) -> None:
        tx.after_commit(lambda: called.append(1))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.write(work)
    await database.write(insert("later"))
    assert called == []


async def test_many_writers_at_once_all_commit(database: Database) -> None:
    """A thousand concurrent writes each return after their commit, in far fewer commits."""
    await asyncio.gather(*(database.write(insert(f"w{n}")) for n in range(1000)))
    assert await database.read(lambda tx: tx.connection.scalar(select(func.count()).select_from(SAMPLES))) == 1000


async def test_a_cancelled_caller_does_not_cancel_the_commit(database: Database) -> None:
    """A client that goes away leaves its write standing."""
    task = asyncio.create_task(database.write(insert("a")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await database.write(insert("b"))
    assert await database.read(words) == ["a", "b"]


async def test_a_full_queue_refuses_at_once(database: Database) -> None:
    """Beyond the bound on units or bytes the caller is told to come again, instead of waiting for ever."""
    with pytest.raises(Overloaded):
        await database.write(insert("a"), size=MAX_WAITING_BYTES + 1)
    results = await asyncio.gather(
        *(database.write(insert(f"w{n}")) for n in range(MAX_WAITING_UNITS + 50)), return_exceptions=True
    )
    assert sum(isinstance(r, Overloaded) for r in results) == 50
    assert database.waiting == 0


async def test_a_disk_that_is_full_refuses_and_recovers(database: Database) -> None:
    """When the file can't grow nothing is acknowledged; when it can again, writing goes on without a restart."""
    await database.write(insert("before"))

    def cap(pages: int):
        return lambda tx: tx.connection.exec_driver_sql(f"PRAGMA max_page_count={pages}").scalar()

    pages = await database.write(cap(1))
    with pytest.raises(StorageUnavailable):
        await database.write(insert("x" * 10_000_000))
    assert await database.write(insert("after")) == "after"
    assert "before" in await database.read(words)
    assert isinstance(pages, int)


async def test_a_second_process_that_holds_the_lock_is_waited_for(database: Database, settings: Settings) -> None:
    """A short foreign write delays ours and does not fail it."""
    other = sqlite3.connect(settings.sqlite_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    pending = asyncio.create_task(database.write(insert("a")))
    await asyncio.sleep(0.2)
    assert not pending.done()
    other.execute("COMMIT")
    other.close()
    assert await pending == "a"


async def test_a_folder_that_is_missing_is_created(tmp_path: Path) -> None:
    """A first start needs no preparation."""
    database = open_database(Settings(data_dir=tmp_path / "new" / "folder"))
    await database.start()
    await database.stop()
    assert (tmp_path / "new" / "folder" / "bpm.db").exists()
