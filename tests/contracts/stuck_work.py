"""What holds on either database when a unit of work does not end: it is given up, and harms nobody else."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from bpm.errors import TookTooLong
from bpm.store import Database, Transaction, watchdog
from bpm.testing import until
from tests.contracts.database import SAMPLES, WriterSample, count, insert, words

LIMIT = 1.5
"""Seconds that a unit of work may take in these tests."""
PATIENCE = 0.2
"""Seconds that it may go on after each interrupt."""
READS = 5
"""More than there are threads for reading."""
GUARD = 60
"""Seconds after which a test fails instead of waiting on."""


class Sleeper:
    """Work that waits inside C, where no exception reaches it, until the test lets it go on."""

    def __init__(self) -> None:
        """Be asleep once the work has begun."""
        self._woken = threading.Event()
        self.failures: list[str] = []
        self.has_ended = threading.Event()

    def sleep(self) -> None:
        """Wait."""
        self._woken.wait()

    def wake(self) -> None:
        """Let the work go on."""
        self._woken.set()

    def attempt(self, work: Callable[[], object]) -> None:
        """Do something after waking, whatever is raised on the way, and note whether it failed."""
        while True:
            try:
                work()
            except BaseException as error:
                if type(error).__name__ == "TimeLimitExceeded":  # the interrupts that came while it slept
                    continue
                self.failures.append(type(error).__name__)
            return

    def working(self, *late: Callable[[Transaction], object]) -> Callable[[Transaction], None]:
        """Return work that inserts a row, sleeps, and then tries further things one after the other."""

        def work(tx: Transaction) -> None:
            try:
                insert("lost")(tx)
                open_cursor = tx.connection.execute(select(SAMPLES.c.word))
                open_cursor.fetchone()
                self.attempt(self.sleep)
                for attempted in late:
                    self.attempt(lambda attempted=attempted: attempted(tx))
            finally:
                self.has_ended.set()

        return work


def use_session(tx: Transaction) -> None:
    """Add a row through a session that is made late."""
    session = tx.session(None)
    session.add(WriterSample(word="late"))
    session.flush()


def begin_anew(tx: Transaction) -> None:
    """Roll back, as SQLAlchemy asks after a lost connection, then write and commit on a new one."""
    connection = tx._connection  # pyright: ignore[reportPrivateUsage] what a handler may do as well
    connection.rollback()
    connection.execute(SAMPLES.insert(), {"word": "late"})
    connection.commit()


@pytest.fixture
def sleeper() -> Iterator[Sleeper]:
    """One that is woken at the end of the test, whatever happened."""
    sleeping = Sleeper()
    yield sleeping
    sleeping.wake()


class StuckWorkContract:
    """Inherit it and offer the fixture `database`, started, whose work may take `LIMIT` seconds."""

    @pytest.fixture(autouse=True)
    def impatience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the watchdog give up sooner."""
        monkeypatch.setattr(watchdog, "PATIENCE_SECONDS", PATIENCE)

    async def test_a_unit_is_given_up_as_soon_as_there_is_a_thread(
        self, database: Database, sleeper: Sleeper, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where the machine has none to take over, the watchdog waits for one: it must not end itself."""
        tried = threading.Semaphore(0)
        start = threading.Thread.start

        def refused(thread: threading.Thread) -> None:
            if thread.name != "bpm-writer":
                return start(thread)
            tried.release()
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as crowded:
            crowded.setattr(threading.Thread, "start", refused)
            stuck = asyncio.create_task(database.write(sleeper.working()))
            for _ in range(2):
                assert await asyncio.to_thread(tried.acquire, timeout=GUARD)
            assert not database.abandoned.alive
        with pytest.raises(TookTooLong):
            await asyncio.wait_for(stuck, GUARD)
        async with asyncio.timeout(GUARD):
            assert await database.write(insert("a")) == "a"
        assert await database.read(words) == ["a"]

    async def test_others_are_written_while_a_unit_sleeps(self, database: Database, sleeper: Sleeper) -> None:
        """Its neighbours in the group are committed once; nothing of it is stored, now or when it wakes."""
        async with asyncio.timeout(GUARD):
            late = [insert("late"), use_session, begin_anew]
            results = await asyncio.gather(
                database.write(insert("a")),
                database.write(sleeper.working(*late)),
                database.write(insert("b")),
                return_exceptions=True,
            )
            assert (results[0], results[2]) == ("a", "b")
            assert isinstance(results[1], TookTooLong)
            assert "nothing of it was stored" in str(results[1])
            await database.write(insert("c"))
        assert len(database.abandoned.alive) == 1
        assert await database.read(words) == ["a", "b", "c"]
        sleeper.wake()
        await until(lambda: not database.abandoned.alive, seconds=GUARD)
        assert len(sleeper.failures) == len(late), sleeper.failures
        assert await database.write(words) == ["a", "b", "c"]

    async def test_others_are_read_while_reads_sleep(self, database: Database, sleeper: Sleeper) -> None:
        """Those beside them are answered, and what they had open is closed."""
        await database.write(insert("a"))

        def read(tx: Transaction) -> int:
            tx.reading.execute(select(SAMPLES.c.word)).fetchone()
            sleeper.attempt(sleeper.sleep)
            return count(tx)

        async with asyncio.timeout(GUARD):
            reads = [database.read(work) for _ in range(READS) for work in (count, read)]
            results = await asyncio.gather(*reads, return_exceptions=True)
        assert results[0::2] == [1] * READS
        assert {type(result) for result in results[1::2]} == {TookTooLong}
        with database.readers.gate.shut(GUARD) as is_empty:
            assert is_empty
        sleeper.wake()
        await until(lambda: not database.abandoned.alive, seconds=GUARD)

    async def test_only_so_many_threads_are_left_behind(self, database: Database, sleeper: Sleeper) -> None:
        """A further one is waited for, and the process says so."""
        most = database.abandoned.most = 2

        def read(tx: Transaction) -> None:
            sleeper.attempt(sleeper.sleep)

        asked = [asyncio.ensure_future(database.read(read)) for _ in range(most + 1)]
        await until(lambda: sum(task.done() for task in asked) == most, seconds=GUARD)
        assert database.abandoned.is_full
        assert len(database.abandoned.alive) == most
        sleeper.wake()
        async with asyncio.timeout(GUARD):
            results = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(result, TookTooLong) for result in results) >= most
        await until(lambda: not database.abandoned.alive, seconds=GUARD)
        assert await database.read(count) == 0

    async def test_a_database_stops_beside_a_unit_that_sleeps(self, database: Database, sleeper: Sleeper) -> None:
        """It is not waited for longer than until it is given up."""
        asked = asyncio.ensure_future(database.write(sleeper.working()))
        await asyncio.sleep(0)
        async with asyncio.timeout(GUARD):
            await database.stop()
            with pytest.raises(TookTooLong):
                await asked
        assert not sleeper.has_ended.is_set()
        sleeper.wake()
        await until(lambda: not database.abandoned.alive, seconds=GUARD)

    async def test_what_is_interrupted_beside_an_open_cursor_is_undone(self, database: Database) -> None:
        """The neighbours in its group stay."""
        release = threading.Event()

        def spin(tx: Transaction) -> None:
            insert("lost")(tx)
            cursor = tx.connection.execute(select(SAMPLES.c.word))
            cursor.fetchone()
            while not release.is_set():
                pass

        async with asyncio.timeout(GUARD):
            units = (database.write(insert("a")), database.write(spin), database.write(insert("b")))
            results = await asyncio.gather(*units, return_exceptions=True)
        release.set()
        assert [type(result) for result in results] == [str, TookTooLong, str]
        assert await database.read(words) == ["a", "b"]
        assert not database.abandoned.alive
