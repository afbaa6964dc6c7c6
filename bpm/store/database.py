"""What the rest of the product asks of a database, whichever one it is."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Engine, Table, event
from sqlalchemy.exc import DBAPIError

from bpm.errors import Misconfigured
from bpm.metrics import Metric
from bpm.store.abandoned_threads import AbandonedThreads
from bpm.store.append import Append
from bpm.store.faults import Diagnose
from bpm.store.handler_names import HandlerNames
from bpm.store.migrate import upgrade
from bpm.store.preload import ROUNDS, PreloadRequired
from bpm.store.readers import Readers
from bpm.store.sync_runner import SyncRunner, run_sync
from bpm.store.transaction import Transaction
from bpm.store.watchdog import HeldThread, Watchdog
from bpm.store.writer import WRITER, GroupWriter
from bpm.threads import beside_loop

T = TypeVar("T")

APPLICATION = "bpm"
"""What connections of servers and workers call themselves, where a database knows names of its clients."""


class Database(ABC):
    """Writes in groups, reads beside them.

    `write` returns only when the work is on disk; `append` is the shortest way for rows that nothing reads
    back; `read` sees everything whose `write` has returned.
    """

    dsn: str | None = None
    """The server's address for connections of one's own; an embedded database has none."""

    def __init__(
        self,
        writing: Engine,
        reading: Engine,
        maintenance: Engine,
        diagnose: Diagnose,
        sync_runner: SyncRunner,
        *,
        reading_threads: int,
        optimistic: bool,
        work_seconds: float,
    ) -> None:
        """Take engines without a pool, what their errors mean, how a thread enters work on them, and its limit."""
        self.maintenance = maintenance
        """For work beside the groups that may take long: migrations, checks, copies (`sync_runner.run_sync`)."""
        self.facts: Mapping[str, str] = {}
        """Which database this is and how it keeps its promise, once it was checked: for health and for people."""
        self._engines = (writing, reading)
        self._diagnose = diagnose
        self.abandoned = AbandonedThreads()
        """The threads whose work did not end, and that others have taken over from."""
        for engine in self._engines:
            event.listen(engine, "checkout", self.abandoned.refuse_connection)
        self.handler_names = HandlerNames()
        self._watchdog = Watchdog(work_seconds, self.abandoned, self.handler_names)
        self._writer = GroupWriter(writing.connect, diagnose, sync_runner, self._watchdog, optimistic=optimistic)
        self.readers = Readers(reading.connect, diagnose, sync_runner, self._watchdog, reading_threads)

    async def start(self) -> None:
        """Check durability, bring the schema up to date and open for work.

        Raises `Misconfigured` when the database can't keep the promise of `docs/explanation/store.md`.
        """
        await self.check()
        await self.upgrade()
        for engine in self._engines:
            await run_sync(partial(_connect_once, engine), engine)
        self._writer.start()
        self.readers.start()
        self._watchdog.start()

    async def check(self) -> None:
        """Reach the database and fill `facts`; raises `Misconfigured`."""
        with self._usable():
            await self._reach()
            self.facts = await run_sync(self._examine, self.maintenance)

    async def upgrade(self) -> None:
        """Bring the schema up to date; raises `Misconfigured`."""
        with self._usable():
            await run_sync(self._upgrade, self.maintenance)

    async def stop(self) -> None:
        """Finish what is queued and close."""
        await self._writer.stop()
        await self.readers.stop()
        self._watchdog.stop()

    async def write(self, work: Callable[[Transaction], T], size: int = 0) -> T:
        """Run `work` in the next group commit; `size` is its weight in bytes.

        Raises what `work` raised, `Overloaded` or `StorageUnavailable`. Work that needs something large which is
        not in memory is undone and run again once that has been made ready; see `bpm.store.preload`.
        """
        return await _prepared(work, lambda unit: self._writer.run(unit, size))

    async def append(
        self,
        *rows: tuple[Table, Mapping[str, Any]],
        size: int = 0,
        then: Callable[[], object] | None = None,
    ) -> None:
        """Insert rows, then call `then` in the event loop once they are on disk."""
        await self._writer.run(Append(rows, then), size)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` against a snapshot; it must not write.

        Raises what `work` raised, `Overloaded` or `StorageUnavailable`. Something large is made ready as in `write`.
        """
        return await _prepared(work, self.readers.run)

    def is_outage(self, error: BaseException) -> bool:
        """Tell a database that is away, full or held by others from a mistake in a statement.

        Inside a unit of work such an error must be let through: the writer knows what to do.
        """
        return self._diagnose(error) is not None

    @property
    def waiting(self) -> int:
        """Units of work that wait for the writer, for health and metrics."""
        return self._writer.waiting_units

    @property
    def held(self) -> HeldThread | None:
        """What the writer is at, if it works: others wait for it."""
        return self._watchdog.held(WRITER)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What writer and watchdog have counted."""
        return self._writer.batches, self._writer.commits, self.abandoned.ended

    @property
    @abstractmethod
    def name(self) -> str:
        """What people call it: a file, or a server."""

    @abstractmethod
    async def _reach(self) -> None:
        """Make sure that a connection can be opened; raises `Misconfigured`."""

    @abstractmethod
    def _examine(self) -> Mapping[str, str]:
        """Return the facts; raises `Misconfigured` when they do not allow to keep the promise."""

    def _upgrade(self) -> None:
        """Run the missing migrations."""
        upgrade(self.maintenance)

    @contextmanager
    def _usable(self) -> Generator[None]:
        try:
            yield
        except DBAPIError as error:
            raise Misconfigured(f"{self.name} can't be used as the database: {error.orig}") from error


def _connect_once(engine: Engine) -> None:
    """Let SQLAlchemy prepare the engine before threads share it.

    It does so at the first connection under a lock that belongs to the event loop which takes it first; a second
    thread's loop would wait there for ever.
    """
    engine.connect().close()


async def _prepared(work: Callable[[Transaction], T], run: Callable[[Callable[[Transaction], T]], Awaitable[T]]) -> T:
    """Run a unit, and again each time that something large has been made ready for it."""
    for _ in range(ROUNDS):
        try:
            return await run(partial(_with_preparation, work))
        except PreloadRequired as needed:
            await beside_loop(needed.size, needed.prepare, needed.organization_id)
    return await run(work)


def _with_preparation(work: Callable[[Transaction], T], tx: Transaction) -> T:
    tx.can_be_put_off = True
    return work(tx)
