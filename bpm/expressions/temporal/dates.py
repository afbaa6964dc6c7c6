"""Dates of the Gregorian calendar, continued into the past, and the count of their days."""

from dataclasses import dataclass
from typing import Self

from ..errors import EvaluationError
from .durations import MAX_YEARS
from .ordered import Ordered

DAYS_OF_400_YEARS = 146_097
DAYS_BEFORE_1970 = 719_468
"""From the first of March of the year 0, where the counting starts so that a leap day comes last."""
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_leap(year: int) -> bool:
    """Whether February has 29 days."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    """How many days a month has."""
    return 29 if month == 2 and is_leap(year) else _LENGTHS[month - 1]


@dataclass(frozen=True, slots=True, eq=False)
class CivilDate(Ordered):
    """A day of the calendar."""

    year: int
    month: int
    day: int

    def __post_init__(self) -> None:
        """Refuse a day that does not exist; raises ValueError, or EvaluationError beyond the last year."""
        if abs(self.year) > MAX_YEARS:
            raise EvaluationError("a date grew beyond the representable")
        if not 1 <= self.month <= 12 or not 1 <= self.day <= days_in_month(self.year, self.month):
            raise ValueError("there is no such day")

    @classmethod
    def at(cls, position: int) -> Self:
        """The day that is so many after 1970-01-01."""
        cycle, day = divmod(position + DAYS_BEFORE_1970, DAYS_OF_400_YEARS)
        year = (day - day // 1460 + day // 36_524 - day // (DAYS_OF_400_YEARS - 1)) // 365
        day -= 365 * year + year // 4 - year // 100
        month = (5 * day + 2) // 153
        day -= (153 * month + 2) // 5
        month = month + 3 if month < 10 else month - 9
        return cls(year + 400 * cycle + (month <= 2), month, day + 1)

    @property
    def position(self) -> int:
        """The days since 1970-01-01."""
        cycle, year = divmod(self.year - (self.month <= 2), 400)
        day = (153 * (self.month - 3 if self.month > 2 else self.month + 9) + 2) // 5 + self.day - 1
        return cycle * DAYS_OF_400_YEARS + 365 * year + year // 4 - year // 100 + day - DAYS_BEFORE_1970

    @property
    def weekday(self) -> int:
        """The day of the week, Monday being 1."""
        return (self.position + 3) % 7 + 1

    @property
    def day_of_year(self) -> int:
        """The number of the day in its year, from 1."""
        return self.position - CivilDate(self.year, 1, 1).position + 1

    @property
    def week(self) -> int:
        """The number of its week by ISO 8601, where a week belongs to the year of its Thursday."""
        return (CivilDate.at(self.position + 4 - self.weekday).day_of_year - 1) // 7 + 1

    @property
    def last_of_month(self) -> "CivilDate":
        """The last day of its month."""
        return CivilDate(self.year, self.month, days_in_month(self.year, self.month))

    def later_by_months(self, count: int) -> "CivilDate":
        """The same day so many months later, or that month's last day if it is shorter."""
        year, month = divmod(self.year * 12 + self.month - 1 + count, 12)
        return CivilDate(year, month + 1, min(self.day, days_in_month(year, month + 1)))
