"""Arithmetic with dates, times and durations (DMN 1.5, tables 55 and 56)."""

from fractions import Fraction
from typing import Any

from ..errors import Unsuitable
from .dates import CivilDate
from .durations import ExactDuration, Months
from .moments import DateTime
from .ordered import DAY
from .times import Time
from .zones import Offset

_UTC = Offset(0)


def add(left: Any, right: Any) -> Any:
    """Move a date or time by a duration, or add two durations of one kind; raises Unsuitable otherwise."""
    if isinstance(left, ExactDuration | Months) and not isinstance(right, ExactDuration | Months):
        left, right = right, left
    if isinstance(right, Months):
        return _add_months(left, right.count)
    if isinstance(right, ExactDuration):
        return _add_nanoseconds(left, right.nanoseconds)
    raise _unsuitable("added")


def _add_months(value: Any, count: int) -> Any:
    if isinstance(value, Months):
        return Months(value.count + count)
    if isinstance(value, CivilDate):
        return value.later_by_months(count)
    if isinstance(value, DateTime):
        return DateTime(value.date.later_by_months(count), value.time)
    raise _unsuitable("added")


def _add_nanoseconds(value: Any, nanoseconds: int) -> Any:
    """A date is its midnight, and stays a date; a time goes round the clock."""
    if isinstance(value, ExactDuration):
        return ExactDuration(value.nanoseconds + nanoseconds)
    if isinstance(value, CivilDate):
        return CivilDate.at((value.position * DAY + nanoseconds) // DAY)
    if isinstance(value, DateTime):
        return DateTime.at(value.position + nanoseconds, value.time.zone)
    if isinstance(value, Time):
        return Time((value.nanoseconds + nanoseconds) % DAY, value.zone)
    raise _unsuitable("added")


def subtract(left: Any, right: Any) -> Any:
    """The duration between two dates or times, or a date moved back by a duration."""
    if isinstance(right, ExactDuration):
        return add(left, ExactDuration(-right.nanoseconds))
    if isinstance(right, Months):
        return add(left, Months(-right.count))
    if isinstance(left, CivilDate) and isinstance(right, CivilDate):
        return ExactDuration((left.position - right.position) * DAY)
    if isinstance(left, Time) and isinstance(right, Time):
        return _between(left, right)
    if isinstance(left, CivilDate | DateTime) and isinstance(right, CivilDate | DateTime):
        return _between(_moment(left), _moment(right))
    raise _unsuitable("subtracted")


def _moment(value: CivilDate | DateTime) -> DateTime:
    """A date beside a date and time is its midnight in UTC."""
    return value if isinstance(value, DateTime) else DateTime(value, Time(0, _UTC))


def _between(left: Time | DateTime, right: Time | DateTime) -> ExactDuration:
    if left.is_zoned != right.is_zoned:
        raise Unsuitable("a time with a zone cannot be subtracted from one without")
    return ExactDuration(left.position - right.position)


def multiply(duration: ExactDuration | Months, factor: Any) -> ExactDuration | Months:
    """A duration taken so many times, cut to whole months or nanoseconds."""
    return _scaled(duration, Fraction(str(factor)))


def divide(duration: ExactDuration | Months, divisor: Any) -> ExactDuration | Months:
    """A part of a duration, cut to whole months or nanoseconds."""
    return _scaled(duration, 1 / Fraction(str(divisor)))


def _scaled(duration: ExactDuration | Months, factor: Fraction) -> ExactDuration | Months:
    if isinstance(duration, Months):
        return Months(int(duration.count * factor))
    return ExactDuration(int(duration.nanoseconds * factor))


def _unsuitable(verb: str) -> Unsuitable:
    return Unsuitable(f"only numbers, two texts, or dates, times and durations that fit can be {verb}")
