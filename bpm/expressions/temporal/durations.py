"""Durations: in days and time, which are exact, and in months, which have no fixed number of days."""

from dataclasses import dataclass

from ..errors import EvaluationError
from .ordered import DAY, Ordered

MAX_YEARS = 999_999_999
MAX_MONTHS = 12 * MAX_YEARS
MAX_NANOSECONDS = 2 * 366 * MAX_YEARS * DAY
"""As long as there are dates; unbounded, a few products make a number that takes seconds to multiply."""


@dataclass(frozen=True, slots=True, eq=False)
class ExactDuration(Ordered):
    """A duration in days and time."""

    nanoseconds: int

    def __post_init__(self) -> None:
        """Refuse what is longer than from the first date to the last; raises EvaluationError."""
        if abs(self.nanoseconds) > MAX_NANOSECONDS:
            raise EvaluationError("a duration grew beyond the representable")

    @property
    def position(self) -> int:
        """Its nanoseconds."""
        return self.nanoseconds


@dataclass(frozen=True, slots=True, eq=False)
class Months(Ordered):
    """A duration in whole months."""

    count: int

    def __post_init__(self) -> None:
        """Refuse more months than there are years for; raises EvaluationError."""
        if abs(self.count) > MAX_MONTHS:
            raise EvaluationError("a duration grew beyond the representable")

    @property
    def position(self) -> int:
        """Its months."""
        return self.count
