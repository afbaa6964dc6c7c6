"""What the rest of the product asks of a database, whichever one it is."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Engine, Table

from bpm.store.entrance import Entrance
from bpm.store.faults import Diagnose
from bpm.store.readers import Readers
from bpm.store.transaction import Transaction
from bpm.store.writer import Append, GroupWriter

T = TypeVar("T")


class Database(ABC):
    """Writes in groups, reads beside them.

    `write` returns only when the work is on disk; `append` is the shortest way for rows that nothing reads
    back; `read` sees everything whose `write` has returned.
    """

    dsn: str | None = None
    """The server's address for connections of one's own; an embedded database has none."""

    def __init__(
        self, writing: Engine, reading: Engine, diagnose: Diagnose, entrance: Entrance, reading_threads: int
    ) -> None:
        """Take two engines without a pool, what their errors mean, and how a thread enters work on them."""
        self._writing = writing
        self._reading = reading
        self._diagnose = diagnose
        self._writer = GroupWriter(writing.connect, diagnose, entrance)
        self._readers = Readers(reading.connect, diagnose, entrance, reading_threads)
        self.facts: Mapping[str, str] = {}
        """Which database this is and how it keeps its promise, once started: for health and for people."""

    async def start(self) -> None:
        """Check durability, bring the schema up to date and open for work.

        Raises `Misconfigured` when the database can't keep the promise of `docs/store.md`.
        """
        await self._prepare()
        self._writer.start()
        self._readers.start()

    async def stop(self) -> None:
        """Finish what is queued and close."""
        await self._writer.stop()
        await self._readers.stop()

    async def write(self, work: Callable[[Transaction], T], size: int = 0) -> T:
        """Run `work` in the next group commit; `size` is its weight in bytes.

        Raises what `work` raised, `Overloaded` or `StorageUnavailable`.
        """
        return await self._writer.run(work, size)

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

        Raises what `work` raised, `Overloaded` or `StorageUnavailable`.
        """
        return await self._readers.run(work)

    def is_outage(self, error: BaseException) -> bool:
        """Tell a database that is away, full or held by others from a mistake in a statement.

        Inside a unit of work such an error must be let through: the writer knows what to do.
        """
        return self._diagnose(error) is not None

    @property
    def waiting(self) -> int:
        """Units of work that wait for the writer, for health and metrics."""
        return self._writer.waiting_units

    @abstractmethod
    async def _prepare(self) -> None:
        """Check durability and bring the schema up to date; raises `Misconfigured`."""
