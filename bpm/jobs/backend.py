"""The backend of PgQueuer: what differs between SQLite and PostgreSQL."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from pgqueuer.ports import RepositoryPort
from sqlalchemy import Table

from bpm.jobs.crashes import CrashTracker
from bpm.jobs.interface import Backlog, Job
from bpm.store import Transaction

PUT_OFF_LATE = timedelta(seconds=1)
"""After which a job is tried again that could not even be put off, as the database was away."""


class JobBackend(ABC):
    """A table of tokens, and PgQueuer's way to it."""

    lease: ClassVar[timedelta]
    """A running job whose process has not been heard of for so long is given to another."""
    poll: ClassVar[timedelta]
    """How often the table is looked at without having been woken."""

    deaths: CrashTracker
    """What is known of jobs whose process died."""

    @abstractmethod
    async def prepare(self) -> None:
        """Create the table, or bring it up to date."""

    @abstractmethod
    def own(self) -> None:
        """Become the one process that may work, where only one may; raises `Misconfigured`."""

    @abstractmethod
    def disown(self) -> None:
        """Let another process become it."""

    @abstractmethod
    async def open(self) -> RepositoryPort:
        """Return what PgQueuer's `QueueManager` works on, until `close`."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of what `open` took; it may have failed half-way."""

    @abstractmethod
    def row(self, job: Job, delay: timedelta) -> tuple[Table, Mapping[str, Any]]:
        """Return the row of a token that is due after `delay`."""

    @abstractmethod
    def wake(self) -> None:
        """Tell this process's worker that there is something new."""

    @abstractmethod
    def cancel(self, tx: Transaction, keys: Sequence[str]) -> None:
        """Delete tokens that wait."""

    @abstractmethod
    def release(self, tx: Transaction, key: str) -> None:
        """Let there be another token of this name beside the one that runs."""

    @abstractmethod
    def waiting(self, tx: Transaction) -> int:
        """Count the tokens that wait."""

    @abstractmethod
    def backlog(self, tx: Transaction) -> dict[str, Backlog]:
        """See `JobQueue.backlog`."""

    @abstractmethod
    async def prune(self, running: Collection[str]) -> None:
        """Throw away what the engine notes about finished jobs, and take back those that nobody runs any more.

        `running` are the keys of those that run in this process.
        """
