"""What a database's error means for the work that met it."""

from collections.abc import Callable
from enum import Enum, auto


class Fault(Enum):
    """An error that is no mistake of the statement, and passes by itself."""

    OUTAGE = auto()
    """The database is away, or its disk is full: the connection is of no more use."""
    CONTENTION = auto()
    """Another transaction was in the way: the same work alone, in a transaction of its own, may succeed."""


class TransactionLost(Exception):
    """SQLite has undone the open transaction by itself, with what others of its group had done in it.

    It does so when it runs out of memory or disk, or is interrupted, while it changes something.
    """


Diagnose = Callable[[BaseException], Fault | None]
"""Tells what kind of fault an error is; None is a mistake in a statement, or no error of the database at all."""
