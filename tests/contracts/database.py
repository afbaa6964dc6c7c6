"""What the product relies on, whichever database it stands on."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

import pytest
from sqlalchemy import ColumnElement, Table, bindparam, column, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Field

from bpm.errors import Fenced, NotFound, Overloaded
from bpm.store import Database, JsonColumn, Row, Transaction, UtcDateTime
from bpm.store.upsert import insert_new
from bpm.store.writer import MAX_WAITING_BYTES, MAX_WAITING_UNITS


class WriterSample(Row, table=True):
    """A row with a unique word."""

    id: int = Field(default=None, primary_key=True)
    word: str = Field(unique=True)
    mood: str = "calm"


class ValueSample(Row, table=True):
    """A row with every type of column; one that is known already is left out."""

    __table_args__ = {"info": {"on_conflict": "nothing"}}  # noqa: RUF012 SQLAlchemy's word

    key: str = Field(primary_key=True)
    whole: int | None = None
    part: float | None = None
    yes: bool = False
    at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    json_: object = Field(default=None, sa_type=JsonColumn, nullable=True)
    raw: bytes | None = None


SAMPLES: Table = WriterSample.table()
VALUES: Table = ValueSample.table()
RENAME = update(SAMPLES).where(SAMPLES.c.word == bindparam("old")).values(word=bindparam("new"))
REWRITE = update(VALUES).where(VALUES.c.key == bindparam("key_")).values(json_=bindparam("new"))
REMOVE = delete(SAMPLES).where(SAMPLES.c.word == bindparam("old"))


def insert(word: str) -> Callable[[Transaction], str]:
    """Return work that inserts a row and returns its word."""

    def work(tx: Transaction) -> str:
        tx.connection.execute(SAMPLES.insert(), {"word": word})
        return word

    return work


def words(tx: Transaction) -> list[str]:
    """Return every word, in order."""
    return sorted(tx.connection.execute(select(SAMPLES.c.word)).scalars())


def count(tx: Transaction) -> int:
    """Return the number of rows."""
    return tx.connection.execute(select(func.count()).select_from(SAMPLES)).scalar_one()


class DatabaseContract:
    """Inherit it and offer the fixture `database`, started, with the tables above."""

    async def test_a_write_is_read_by_whoever_asks_next(self, database: Database) -> None:
        """What was written is seen by every read that begins after the write returned."""
        for number in range(20):
            await database.write(insert(f"w{number}"))
            assert await database.read(count) == number + 1

    async def test_a_failure_that_a_unit_keeps_to_itself_undoes_nobody(self, database: Database) -> None:
        """On PostgreSQL a failed statement spoils the transaction, and the commit did not say that it undid it."""

        def silent(tx: Transaction) -> None:
            with contextlib.suppress(DBAPIError):
                tx.connection.execute(text("SELECT no_such_column"))

        answers = await asyncio.gather(database.write(insert("a")), database.write(silent), return_exceptions=True)
        assert answers[0] == "a"
        assert await database.read(words) == ["a"]

    async def test_a_failing_unit_leaves_the_others_of_its_group(self, database: Database) -> None:
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

    async def test_a_group_remembers_until_somebody_changes_it(self, database: Database) -> None:
        """Units of one group see what the first looked up until one forgets or is undone; the next looks anew."""
        looked_up: list[str] = []

        def look(tx: Transaction) -> str:
            def find() -> str:
                looked_up.append("found")
                return f"look {len(looked_up)}"

            return tx.remembered("key", find)

        def undo(tx: Transaction) -> bool:
            before = look(tx)
            with contextlib.suppress(RuntimeError), tx.savepoint():
                insert("undone")(tx)
                raise RuntimeError("no")
            return look(tx) != before

        work: tuple[Callable[[Transaction], Any], ...] = (look, look, lambda tx: tx.forget(), look)
        first, second, _, fourth = await asyncio.gather(*(database.write(unit) for unit in work))
        assert (first, second, fourth) == ("look 1", "look 1", "look 2")
        assert await database.write(look) == "look 3"
        assert await database.write(undo)

    async def test_a_statement_that_fails_leaves_the_others_of_its_group(self, database: Database) -> None:
        """A violated constraint costs only its own unit."""
        await database.write(insert("taken"))
        results = await asyncio.gather(
            *(database.write(insert(word)) for word in ("a", "taken", "b")), return_exceptions=True
        )
        assert [type(result) for result in results] == [str, IntegrityError, str]
        assert await database.read(words) == ["a", "b", "taken"]

    async def test_a_look_up_that_fails_leaves_the_others_of_its_group(self, database: Database) -> None:
        """A refused statement costs only its own unit, although one that changes nothing opens no savepoint."""

        def look(tx: Transaction) -> None:
            with contextlib.suppress(DBAPIError), tx.savepoint():
                tx.reading.execute(text("SELECT * FROM nowhere"))

        units = (insert("a"), look, insert("b"), look)
        await asyncio.gather(*(database.write(unit) for unit in units))
        assert await database.read(words) == ["a", "b"]

    async def test_a_read_that_fails_leaves_the_others(self, database: Database) -> None:
        """Reads that are answered together fail alone."""
        await database.write(insert("a"))

        def ask(name: str) -> Callable[[Transaction], object]:
            return lambda tx: tx.connection.execute(
                select(cast("ColumnElement[Any]", column(name))).select_from(SAMPLES)
            ).scalar_one()

        results = await asyncio.gather(
            *(database.read(ask(name)) for name in ("word", "nothing", "mood")), return_exceptions=True
        )
        assert [results[0], results[2]] == ["a", "calm"]
        assert isinstance(results[1], Exception)

    async def test_a_reader_does_not_write(self, database: Database) -> None:
        """Work given to `read` leaves nothing behind, whatever it tries."""
        await asyncio.gather(database.read(insert("a")), return_exceptions=True)
        assert await database.read(words) == []

    async def test_appended_rows_that_collide_fail_alone(self, database: Database) -> None:
        """Of appended rows, only the one that violates a constraint is refused."""
        await database.write(insert("taken"))
        results = await asyncio.gather(
            *(database.append((SAMPLES, {"word": word})) for word in ("a", "taken", "b")), return_exceptions=True
        )
        assert [type(result) for result in results] == [type(None), IntegrityError, type(None)]
        assert await database.read(words) == ["a", "b", "taken"]

    async def test_appended_rows_may_set_different_columns(self, database: Database) -> None:
        """Rows of one table in one group need not set the same columns."""
        rows = ({"word": "a"}, {"id": 70, "word": "b"}, {"word": "c"}, {"word": "d", "id": 90})
        await asyncio.gather(*(database.append((SAMPLES, row)) for row in rows))
        assert await database.read(words) == ["a", "b", "c", "d"]

    @pytest.mark.parametrize("bad", [{"word": "\ud800"}, {"id": 2**70, "word": "x"}, {"word": object()}, {}])
    async def test_a_row_that_can_not_be_stored_fails_alone(self, database: Database, bad: dict[str, object]) -> None:
        """A value that the database does not take costs nobody else of its group anything."""
        rows = ({"word": "a"}, bad, {"word": "b"})
        results = await asyncio.gather(*(database.append((SAMPLES, row)) for row in rows), return_exceptions=True)
        assert [isinstance(result, Exception) for result in results] == [False, True, False]
        assert await database.read(words) == ["a", "b"]

    async def test_a_unit_with_colliding_appended_rows_is_undone_whole(self, database: Database) -> None:
        """Rows that a unit appends succeed or fail together with what else it did."""
        await database.write(insert("taken"))

        def both(tx: Transaction) -> None:
            insert("direct")(tx)
            tx.append(SAMPLES, {"word": "taken"})

        with pytest.raises(IntegrityError):
            await database.write(both)
        assert await database.read(words) == ["taken"]

    async def test_columns_that_are_left_out_have_their_defaults(self, database: Database) -> None:
        """An appended row need not name what its class has a default for."""
        await database.append((SAMPLES, {"word": "a"}), (SAMPLES, {"word": "b", "mood": "sad"}))
        moods = select(SAMPLES.c.mood).order_by(SAMPLES.c.word)
        assert await database.read(lambda tx: list(tx.connection.execute(moods).scalars())) == ["calm", "sad"]

    async def test_many_appended_rows_arrive_whole(self, database: Database) -> None:
        """However many rows a group appends, each is inserted once."""
        await asyncio.gather(*(database.append((SAMPLES, {"word": f"w{number}"})) for number in range(999)))
        assert await database.read(count) == 999

    async def test_rows_of_a_table_that_ignores_conflicts_are_inserted_once(self, database: Database) -> None:
        """Appending what a unique index has already changes nothing and fails nobody."""
        await database.append((VALUES, {"key": "a", "whole": 1}))
        results = await asyncio.gather(
            database.append((VALUES, {"key": "a", "whole": 2}), (VALUES, {"key": "b", "whole": 3})),
            database.append((VALUES, {"key": "b", "whole": 4})),
        )
        statement = select(VALUES.c.key, VALUES.c.whole).order_by(VALUES.c.key)
        rows = await database.read(lambda tx: tx.connection.execute(statement).all())
        assert [tuple(row) for row in rows] == [("a", 1), ("b", 3)]
        assert results == [None, None]

    async def test_inserting_what_is_known_changes_no_row(self, database: Database) -> None:
        """`insert_new` tells by its row count whether the row was new."""

        def insert_twice(tx: Transaction) -> list[int]:
            statement = insert_new(tx.connection, SAMPLES)
            return [tx.connection.execute(statement, {"word": "a"}).rowcount for _ in range(2)]

        assert await database.write(insert_twice) == [1, 0]

    async def test_changes_of_a_group_are_fenced_one_by_one(self, database: Database) -> None:
        """A unit whose change finds no row is undone whole; the others of its group stand."""
        await database.write(lambda tx: [insert(word)(tx) for word in ("a", "b")])

        def rename(old: str) -> Callable[[Transaction], None]:
            def work(tx: Transaction) -> None:
                tx.append(SAMPLES, {"word": f"beside {old}"})
                tx.change(RENAME, {"old": old, "new": f"new {old}"})

            return work

        renames = (database.write(rename(old)) for old in ("a", "gone", "b"))
        results = await asyncio.gather(*renames, return_exceptions=True)
        assert [type(result) for result in results] == [type(None), Fenced, type(None)]
        assert await database.read(words) == ["beside a", "beside b", "new a", "new b"]

    async def test_of_two_units_that_change_the_same_row_one_is_fenced(self, database: Database) -> None:
        """Within one group as well, a row is changed once."""
        await database.write(insert("a"))

        def rename(new: str) -> Callable[[Transaction], None]:
            return lambda tx: tx.change(RENAME, {"old": "a", "new": new})

        results = await asyncio.gather(*(database.write(rename(new)) for new in "xyz"), return_exceptions=True)
        assert [type(result) for result in results].count(Fenced) == 2
        assert await database.read(words) == ["x"]

    async def test_many_changes_each_find_their_row(self, database: Database) -> None:
        """Hundreds of changes by one statement, and removals beside them, each change the row they name."""
        await asyncio.gather(*(database.append((SAMPLES, {"word": f"w{number}"})) for number in range(300)))

        def change(number: int) -> Callable[[Transaction], None]:
            def work(tx: Transaction) -> None:
                if number % 3:
                    tx.change(RENAME, {"old": f"w{number}", "new": f"n{number}"})
                else:
                    tx.change(REMOVE, {"old": f"w{number}"})

            return work

        await asyncio.gather(*(database.write(change(number)) for number in range(300)))
        assert await database.read(words) == sorted(f"n{number}" for number in range(300) if number % 3)

    async def test_many_changes_keep_lists_apart(self, database: Database) -> None:
        """Lists that are values, written by one statement for many rows, come back as they went."""
        written = {f"k{number}": [f"{number}"] for number in range(40)}
        await asyncio.gather(*(database.append((VALUES, {"key": key})) for key in written))

        def rewrite(key: str, new: list[str]) -> Callable[[Transaction], None]:
            return lambda tx: tx.change(REWRITE, {"key_": key, "new": new})

        await asyncio.gather(*(database.write(rewrite(key, new)) for key, new in written.items()))
        found = await database.read(lambda tx: tx.connection.execute(select(VALUES.c.key, VALUES.c.json_)).all())
        assert {row.key: row.json_ for row in found} == written

    async def test_a_savepoint_takes_back_rows_callbacks_and_statements(self, database: Database) -> None:
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

    async def test_savepoints_inside_one_another(self, database: Database) -> None:
        """Each undoes what was done inside it and nothing else, wherever the first change stands."""

        def attempt(tx: Transaction, word: str, inside: Callable[[], object] = str) -> None:
            with contextlib.suppress(ValueError), tx.savepoint():
                inside()
                insert(word)(tx)
                raise ValueError

        def kept(tx: Transaction, *words: str) -> None:
            with tx.savepoint():
                for word in words:
                    insert(word)(tx)

        def work(tx: Transaction) -> None:
            attempt(tx, "lost 1", lambda: kept(tx, "lost 2"))
            with tx.savepoint():
                with tx.savepoint():
                    attempt(tx, "lost 3")
                    kept(tx, "a")
                    attempt(tx, "lost 4")
                kept(tx, "b")
                insert("c")(tx)
                attempt(tx, "lost 5", lambda: kept(tx, "lost 6"))
            with contextlib.suppress(ValueError), tx.savepoint():
                with tx.savepoint():
                    insert("lost 7")(tx)
                insert("lost 8")(tx)
                kept(tx, "lost 9")
                raise ValueError
            insert("d")(tx)

        await database.write(work)
        assert await database.read(words) == ["a", "b", "c", "d"]

    async def test_an_object_changed_inside_a_savepoint_is_changed_back(self, database: Database) -> None:
        """That holds for one that was loaded before the savepoint began, too."""

        def work(tx: Transaction) -> None:
            row = WriterSample(word="before")
            tx.session(None).add(row)
            tx.flush()
            with contextlib.suppress(ValueError), tx.savepoint():
                row.word = "changed"
                with tx.savepoint():
                    row.word = "changed again"
                raise ValueError

        await database.write(work)
        assert await database.read(words) == ["before"]

    async def test_rows_that_know_their_number(self, database: Database) -> None:
        """Numbers taken ahead are each given once, also in later groups and after the newest row is gone."""

        def numbered(tx: Transaction) -> int:
            number = tx.number(SAMPLES)
            tx.append(SAMPLES, {"id": number, "word": f"number {number}"})
            return number

        given = await asyncio.gather(*(database.write(numbered) for _ in range(5)))
        await database.write(lambda tx: tx.connection.execute(SAMPLES.delete().where(SAMPLES.c.id != max(given))))
        more = await asyncio.gather(*(database.write(numbered) for _ in range(200)))
        assert len({*given, *more}) == 205
        assert min(more) > max(given)
        assert await database.read(lambda tx: len(tx.connection.execute(SAMPLES.select()).all())) == 201

    async def test_a_savepoint_outlives_a_refused_statement(self, database: Database) -> None:
        """After a statement that was refused inside a savepoint the unit goes on."""

        def work(tx: Transaction) -> str:
            insert("a")(tx)
            try:
                with tx.savepoint():
                    insert("a")(tx)
            except IntegrityError:
                return insert("b")(tx)
            return "never"

        assert await database.write(work) == "b"
        assert await database.read(words) == ["a", "b"]

    async def test_a_flush_that_fails_leaves_the_others_of_its_group(self, database: Database) -> None:
        """Objects that violate a constraint cost nobody else of the group anything."""
        await database.write(insert("taken"))

        def collide(tx: Transaction) -> None:
            tx.session(None).add(WriterSample(word="taken"))

        results = await asyncio.gather(
            database.write(insert("a")), database.write(collide), database.write(insert("b")), return_exceptions=True
        )
        assert [type(result) for result in results] == [str, IntegrityError, str]
        assert await database.read(words) == ["a", "b", "taken"]

    async def test_a_unit_goes_on_after_a_flush_that_failed(self, database: Database) -> None:
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

    async def test_callbacks_of_a_failed_unit_are_not_called(self, database: Database) -> None:
        """What was to be done after the commit is not done without one."""
        called: list[int] = []

        def work(tx: Transaction) -> None:
            tx.after_commit(lambda: called.append(1))
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await database.write(work)
        await database.write(insert("later"))
        assert called == []

    async def test_callbacks_run_in_the_event_loop_after_the_commit(self, database: Database) -> None:
        """What is called back finds the rows committed, before the writer's caller goes on."""
        found: list[asyncio.AbstractEventLoop] = []

        def work(tx: Transaction) -> None:
            insert("a")(tx)
            tx.after_commit(lambda: found.append(asyncio.get_running_loop()))

        await database.write(work)
        assert found == [asyncio.get_running_loop()]

    async def test_many_writers_at_once_all_commit(self, database: Database) -> None:
        """A thousand concurrent writes each return after their commit, in far fewer commits."""
        await asyncio.gather(*(database.write(insert(f"w{number}")) for number in range(1000)))
        assert await database.read(count) == 1000

    async def test_a_cancelled_caller_does_not_cancel_the_commit(self, database: Database) -> None:
        """A client that goes away leaves its write standing."""
        task = asyncio.create_task(database.write(insert("a")))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await database.write(insert("b"))
        assert await database.read(words) == ["a", "b"]

    async def test_a_full_queue_refuses_at_once(self, database: Database) -> None:
        """Beyond the bound on units or bytes the caller is told to come again, instead of waiting for ever."""
        with pytest.raises(Overloaded):
            await database.write(insert("a"), size=MAX_WAITING_BYTES + 1)
        results = await asyncio.gather(
            *(database.write(insert(f"w{number}")) for number in range(MAX_WAITING_UNITS + 50)), return_exceptions=True
        )
        assert sum(isinstance(result, Overloaded) for result in results) == 50
        assert database.waiting == 0

    async def test_values_come_back_as_they_went(self, database: Database) -> None:
        """Moments, JSON, bytes and numbers are read as they were written, to the microsecond and the last bit."""
        moment = datetime(2026, 3, 29, 2, 30, 0, 123457, tzinfo=timezone(timedelta(hours=5, minutes=30)))
        json = {"text": "\x00 \U0001f600", "whole": 12345678901234567890123, "list": [None, True, 0.1]}
        row = {
            "key": "k",
            "whole": 2**63 - 1,
            "part": 0.1,
            "yes": True,
            "at": moment,
            "json_": json,
            "raw": b"\x00\xff",
        }
        await database.append((VALUES, row))
        await database.write(lambda tx: tx.connection.execute(VALUES.insert(), {**row, "key": "l"}))
        for key in "kl":
            statement = select(VALUES).where(VALUES.c.key == key)
            found = await database.read(lambda tx, s=statement: dict(tx.connection.execute(s).mappings().one()))
            assert found == {**row, "key": key}
            assert found["at"].utcoffset() == timedelta(0)
            assert found["at"].tzinfo == UTC

    async def test_what_a_unit_raises_on_purpose_is_told(self, database: Database) -> None:
        """An error of the product reaches the caller as it was raised, from a write as from a read."""

        def refuse(_tx: Transaction) -> None:
            raise NotFound("nothing here")

        for way in (database.write, database.read):
            with pytest.raises(NotFound, match="nothing here"):
                await way(refuse)

    async def test_a_connection_that_lay_idle_is_as_good_as_new(self, database: Database) -> None:
        """After a pause longer than a connection is trusted unasked, writing and reading go on."""
        await database.write(insert("a"))
        await asyncio.sleep(1.1)
        await database.write(insert("b"))
        assert await database.read(words) == ["a", "b"]
