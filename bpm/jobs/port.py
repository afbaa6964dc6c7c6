"""What the rest of the product asks of a job engine, whichever one it is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bpm.store import Transaction


@dataclass(frozen=True, slots=True)
class Job:
    """A wake-up token: which row of which kind to look at, at which of its attempts, and when."""

    kind: str
    ref: str
    attempt: int
    due_at: datetime


class JobKind(Protocol):
    """One kind of work: knows its open rows, and how to do one."""

    name: str

    def pending(self, tx: Transaction, limit: int) -> Sequence[Job]:
        """Return tokens for open rows, the earliest due first; none may be forgotten for ever."""
        ...

    async def run(self, job: Job) -> None:
        """Do the work, fenced by the attempt: a late or second run finds the row changed and does nothing."""
        ...


class JobQueue(ABC):
    """Takes tokens in transactions and runs them when they are due."""

    @abstractmethod
    def enqueue(self, tx: Transaction, *jobs: Job) -> None:
        """Ask for jobs in the transaction that writes the rows they are about."""

    @abstractmethod
    def remember(self, *jobs: Job) -> None:
        """Take tokens whose rows are on disk already; called in the event loop."""

    @abstractmethod
    async def start(self, *kinds: JobKind) -> None:
        """Take up everything that is open, then run what becomes due."""

    @abstractmethod
    async def drain(self, seconds: float) -> None:
        """Begin nothing more and wait for what runs, at most so long; what is cut off stays open."""

    @property
    @abstractmethod
    def depth(self) -> int:
        """Tokens known to this process that have not begun."""

    @property
    @abstractmethod
    def running(self) -> int:
        """Jobs running in this process."""

    @property
    @abstractmethod
    def alive(self) -> bool:
        """Whether jobs are being begun when they are due."""
