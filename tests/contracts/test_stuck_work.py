"""On both databases a unit of work that does not end harms nobody else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, text, update
from sqlmodel import Session

from bpm.errors import StorageUnavailable, TookTooLong
from bpm.settings import Settings
from bpm.store import Database, Transaction, open_database
from bpm.store.postgres import open_connection
from bpm.testing import until
from tests.contracts.database import SAMPLES, WriterSample, insert, words
from tests.contracts.stuck_work import GUARD, LIMIT, Sleeper, StuckWorkContract, sleeper

pytestmark = pytest.mark.anyio

__all__ = ["sleeper"]


def endless(tx: Transaction) -> None:
    """Insert rows without end."""
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT 'w' || x, 'calm' FROM n"
    tx.connection.execute(text(f"INSERT INTO writer_sample (word, mood) {numbers}"))


def execute_again(_tx: Transaction, connection: Connection) -> None:
    """Insert a row on a connection that was asked for before."""
    connection.execute(SAMPLES.insert(), {"word": "late"})


def flush_again(tx: Transaction, connection: Connection) -> None:
    """Insert a row through a session, in a savepoint."""
    with Session(connection) as session, session.begin_nested():
        session.add(WriterSample(word="late"))


@pytest.mark.embedded
class TestSqlite(StuckWorkContract):
    """The embedded one."""

    @pytest.fixture
    async def database(self, tmp_path: Path) -> AsyncIterator[Database]:
        """A started database on a file."""
        database = open_database(Settings(data_dir=tmp_path, handler_seconds=LIMIT))
        await database.start()
        yield database
        await database.stop()

    async def test_a_change_that_is_interrupted_takes_nobody_with_it(self, database: Database) -> None:
        """SQLite undoes the whole transaction then: what others had written in it is written again."""
        async with asyncio.timeout(GUARD):
            asked = (insert("a"), endless, insert("b"))
            answers = await asyncio.gather(*map(database.write, asked), return_exceptions=True)
        assert (answers[0], answers[2]) == ("a", "b")
        assert isinstance(answers[1], TookTooLong)
        assert await database.read(words) == ["a", "b"]

    @pytest.mark.parametrize("go_on", [execute_again, flush_again])
    async def test_what_goes_on_after_it_was_interrupted_writes_nothing(
        self, database: Database, go_on: Callable[[Transaction, Connection], None]
    ) -> None:
        """A handler that keeps its connection and swallows the error would write outside of any transaction."""
        swallower = Sleeper()

        def swallowing(tx: Transaction) -> None:
            connection = tx.connection
            with suppress(BaseException):
                endless(tx)
            swallower.attempt(lambda: go_on(tx, connection))

        async with asyncio.timeout(GUARD):
            asked = (insert("a"), swallowing, insert("b"))
            answers = await asyncio.gather(*map(database.write, asked), return_exceptions=True)
        assert (answers[0], answers[2]) == ("a", "b")
        assert isinstance(answers[1], TookTooLong)
        assert swallower.failures == ["TransactionLost"]
        assert await database.read(words) == ["a", "b"]


class TestPostgres(StuckWorkContract):
    """The distributed one."""

    @pytest.fixture
    async def database(self, tmp_path: Path, postgres_url: str) -> AsyncIterator[Database]:
        """A started database on a server."""
        database = open_database(Settings(data_dir=tmp_path, database_url=postgres_url, handler_seconds=LIMIT))
        await database.start()
        yield database
        await database.stop()

    async def test_what_was_committed_before_the_sleeper_stays(
        self, database: Database, sleeper: Sleeper, postgres_url: str
    ) -> None:
        """A group that met another's lock is committed one by one; the units before are not run again."""
        await database.write(insert("locked"))
        runs: list[str] = []

        def counted(tx: Transaction) -> str:
            runs.append("a")
            return insert("a")(tx)

        def change(tx: Transaction) -> None:
            tx.connection.execute(text("SET LOCAL lock_timeout = '20ms'"))
            tx.connection.execute(update(SAMPLES).where(SAMPLES.c.word == "locked").values(mood="changed"))

        other = await open_connection(postgres_url)
        try:
            async with asyncio.timeout(GUARD), other.transaction():
                await other.execute("UPDATE writer_sample SET mood = 'held' WHERE word = 'locked'")
                units = (database.write(counted), database.write(change), database.write(sleeper.working()))
                results = await asyncio.gather(*units, return_exceptions=True)
        finally:
            await other.close()
        assert [type(result) for result in results] == [str, StorageUnavailable, TookTooLong]
        assert runs == ["a", "a"]
        assert await database.read(words) == ["a", "locked"]
        sleeper.wake()
        await until(lambda: not database.abandoned.alive, seconds=GUARD)
