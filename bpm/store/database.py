"""What the rest of the product asks of a database, whichever one it is."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Table

from bpm.store.transaction import Transaction

T = TypeVar("T")


class Database(ABC):
    """Writes in groups, reads beside them.

    `write` returns only when the work is on disk; `append` is the shortest way for rows that nothing reads
    back; `read` sees everything whose `write` has returned.
    """

    @abstractmethod
    async def start(self) -> None:
        """Check durability, bring the schema up to date and open for work.

        Raises `Misconfigured` when the database can't keep the promise of `docs/durability.md`.
        """

    @abstractmethod
    async def stop(self) -> None:
        """Finish what is queued and close."""

    @abstractmethod
    async def write(self, work: Callable[[Transaction], T], size: int = 0) -> T:
        """Run `work` in the next group commit; `size` is its weight in bytes.

        Raises what `work` raised, `Overloaded` or `StorageUnavailable`.
        """

    @abstractmethod
    async def append(
        self,
        *rows: tuple[Table, Mapping[str, Any]],
        size: int = 0,
        then: Callable[[], object] | None = None,
    ) -> None:
        """Insert rows, then call `then` in the event loop once they are on disk."""

    @abstractmethod
    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` against a snapshot; it must not write."""

    @abstractmethod
    def is_outage(self, error: BaseException) -> bool:
        """Tell a database that is away, or a full disk, from a mistake in a statement."""

    @property
    @abstractmethod
    def waiting(self) -> int:
        """Units of work that wait for the writer, for health and metrics."""
