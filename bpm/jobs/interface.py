"""The interface of a job engine: jobs, kinds of work, and the queue."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Table

from bpm.errors import Poisoned
from bpm.store import Transaction

NOBODY = 0
"""Stands where no organisation does, and takes turns as one."""


@dataclass(frozen=True, slots=True)
class Job:
    """A wake-up token: which row of which kind to look at, at which of its attempts, and when.

    Organisations take turns, however much each has to do. A job that is being run does not say whose it is: its row
    does.
    """

    kind: str
    ref: str
    attempt: int
    due_at: datetime
    organization_id: int = field(compare=False)

    @property
    def key(self) -> str:
        """The token's name; there is never a second one with it."""
        return f"{self.kind}:{self.ref}:{self.attempt}"

    @staticmethod
    def named(key: str, due_at: datetime) -> "Job":
        """Return the job whose key this is, which runs or is taken back: nobody's in particular."""
        kind, _, rest = key.partition(":")
        ref, _, attempt = rest.rpartition(":")
        return Job(kind, ref, int(attempt), due_at, NOBODY)


@dataclass(frozen=True, slots=True)
class Backlog:
    """Jobs of one kind that are due and have not begun: how many, and for how long the oldest of them."""

    count: int
    oldest_seconds: float


class JobKind(Protocol):
    """One kind of work: knows its open rows, and how to do one."""

    name: str

    def pending(self, tx: Transaction, limit: int) -> Sequence[Job]:
        """Return tokens for open rows that have none (`lacks_token`), the earliest due first."""
        ...

    async def run(self, job: Job) -> None:
        """Do the work, fenced by the attempt: a late or second run finds the row changed and does nothing.

        What this raises could not be recorded in the row; the token is put off and tried again.
        """
        ...

    async def give_up(self, job: Job, error: Poisoned) -> None:
        """Settle the row as failed for good, without doing its work: it ended the process several times."""
        ...


class JobQueue(ABC):
    """Takes tokens in transactions and runs them when they are due."""

    @abstractmethod
    async def prepare(self) -> None:
        """Create what tokens are kept in; after this, jobs can be asked for."""

    @abstractmethod
    def enqueue(self, tx: Transaction, *jobs: Job) -> None:
        """Ask for jobs in the transaction that writes the rows they are about."""

    @abstractmethod
    def tokens(self, *jobs: Job) -> list[tuple[Table, Mapping[str, Any]]]:
        """Return the rows that ask for jobs, for `Database.append`; call `wake` once they are on disk."""

    @abstractmethod
    def wake(self) -> None:
        """Look for work now rather than soon; called in the event loop."""

    @abstractmethod
    def cancel(self, tx: Transaction, *jobs: Job) -> None:
        """Take back what has not begun."""

    @abstractmethod
    def release(self, tx: Transaction, job: Job) -> None:
        """Give up the token of a job that runs and is about to end without having done its work.

        From this transaction's commit on the row lacks a token, so that whoever lets the row go on may ask for it.
        """

    @abstractmethod
    async def start(self, *kinds: JobKind) -> None:
        """Begin to run what is due, and to look for open rows without a token."""

    @abstractmethod
    async def drain(self, seconds: float) -> None:
        """Begin nothing more and wait for what runs, at most so long; what is cut off stays open."""

    @abstractmethod
    def waiting(self, tx: Transaction) -> int:
        """Return how many tokens have not begun."""

    @abstractmethod
    def backlog(self, tx: Transaction) -> dict[str, Backlog]:
        """Return what is due and has not begun, by the kind of job."""

    @property
    @abstractmethod
    def running(self) -> int:
        """Jobs running in this process."""

    @property
    @abstractmethod
    def alive(self) -> bool:
        """Whether jobs are being begun when they are due."""
