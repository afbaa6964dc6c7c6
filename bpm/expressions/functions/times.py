"""Functions on dates, times and durations."""

from collections.abc import Mapping
from typing import Any

from .. import temporal
from ..temporal import CivilDate, DateTime, ExactDuration, Months, Time
from .arguments import ABSENT, whole
from .registry import function

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@function("date", is_temporal=True, steps=8)
def to_date(value: Any, month: Any = None, day: Any = None) -> CivilDate:
    """A date from ISO text, from a date and time, or from year, month and day."""
    if month is None and day is None:
        return temporal.to_date(value)
    return temporal.date_from_parts(value, month, day)


@function("time", is_temporal=True, steps=8)
def to_time(value: Any, minute: Any = None, second: Any = None, offset: Any = None) -> Time:
    """A time of day from ISO text, from a date and time, or from hour, minute, second and distance from UTC."""
    if minute is None and second is None and offset is None:
        return temporal.to_time(value)
    return temporal.time_from_parts(value, minute, second, offset)


@function("date and time", is_temporal=True, steps=8)
def date_and_time(value: Any, clock: Any = ABSENT) -> DateTime:
    """A date and time from ISO text, or from a date and a time."""
    return temporal.to_datetime(value) if clock is ABSENT else temporal.combine(value, clock)


@function("duration", is_temporal=True, steps=8)
def duration(value: Any) -> ExactDuration | Months:
    """A duration from ISO text such as P1DT2H or P3M."""
    return temporal.to_duration(value)


@function("years and months duration", is_temporal=True, steps=8)
def months_between(start: Any, end: Any) -> Months:
    """The whole months from one date to another, negative backwards."""
    first, last = temporal.to_date(start), temporal.to_date(end)
    months = (last.year - first.year) * 12 + last.month - first.month
    if months > 0 and last.day < first.day:
        months -= 1
    if months < 0 and last.day > first.day:
        months += 1
    return Months(months)


@function("day of year")
def day_of_year(value: Any) -> int:
    """The number of a date's day in its year, from 1."""
    return _day(value).day_of_year


@function("day of week")
def day_of_week(value: Any) -> str:
    """The English name of a date's day."""
    return DAYS[_day(value).weekday - 1]


@function("month of year")
def month_of_year(value: Any) -> str:
    """The English name of a date's month."""
    return MONTHS[_day(value).month - 1]


@function("week of year")
def week_of_year(value: Any) -> int:
    """The number of a date's week by ISO 8601."""
    return _day(value).week


@function("last day of month", is_temporal=True, steps=8)
def last_day_of_month(value: Any) -> CivilDate:
    """The last day of a date's month."""
    return _day(value).last_of_month


@function("cycle", steps=10)
def cycle(repetitions: Any, interval: Any = None) -> str:
    """The repeating interval of a timer: `cycle(duration("PT1H"))` for ever, `cycle(3, duration("PT1H"))` thrice."""
    if interval is None:
        return f"R/{_interval(repetitions)}"
    return f"R{'' if repetitions is None else whole(repetitions)}/{_interval(interval)}"


@function("now", reads_scope=True, is_temporal=True, steps=8)
def now(scope: Mapping[str, Any]) -> DateTime:
    """The date and time of the scope's clock."""
    return temporal.now(scope)


@function("today", reads_scope=True, is_temporal=True, steps=8)
def today(scope: Mapping[str, Any]) -> CivilDate:
    """The date of the scope's clock."""
    return temporal.now(scope).date


def _day(value: Any) -> CivilDate:
    """The date of a date and time, or of ISO text of either."""
    return temporal.to_datetime(value).date


def _interval(value: Any) -> str:
    """A duration as text, or the text that is given."""
    return value if isinstance(value, str) else temporal.to_text(temporal.to_duration(value))
