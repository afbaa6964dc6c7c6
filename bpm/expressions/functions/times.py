"""Functions on dates, times and durations."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from .. import dates
from .arguments import whole
from .registry import function

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@function("date", is_temporal=True, steps=8)
def to_date(value: Any, month: Any = None, day: Any = None) -> date:
    """A date from ISO text, from a date and time, or from year, month and day."""
    return dates.to_date(value) if month is None else dates.from_parts(value, month, day)


@function("time", is_temporal=True, steps=8)
def to_time(value: Any, minute: Any = None, second: Any = None) -> time:
    """A time of day from ISO text, from a date and time, or from hour, minute and second."""
    return dates.to_time(value) if minute is None else dates.time_from_parts(value, minute, second)


@function("date and time", is_temporal=True, steps=8)
def date_and_time(value: Any, clock: Any = None) -> datetime:
    """A date and time from ISO text, or from a date and a time."""
    return dates.to_datetime(value) if clock is None else dates.combine(value, clock)


@function("duration", is_temporal=True, steps=8)
def duration(value: Any) -> timedelta | dates.Months:
    """A duration from ISO text such as P1DT2H or P3M."""
    return dates.to_duration(value)


@function("years and months duration", is_temporal=True, steps=8)
def months_between(start: Any, end: Any) -> dates.Months:
    """The whole months from one date to another."""
    return dates.months_between(dates.to_date(start), dates.to_date(end))


@function("day of year")
def day_of_year(value: Any) -> int:
    """The number of a date's day in its year, from 1."""
    return dates.to_date(value).timetuple().tm_yday


@function("day of week")
def day_of_week(value: Any) -> str:
    """The English name of a date's day."""
    return DAYS[dates.to_date(value).weekday()]


@function("month of year")
def month_of_year(value: Any) -> str:
    """The English name of a date's month."""
    return MONTHS[dates.to_date(value).month - 1]


@function("week of year")
def week_of_year(value: Any) -> int:
    """The number of a date's week by ISO 8601."""
    return dates.to_date(value).isocalendar().week


@function("last day of month", is_temporal=True, steps=8)
def last_day_of_month(value: Any) -> date:
    """The last day of a date's month."""
    day = dates.to_date(value)
    return day.replace(day=monthrange(day.year, day.month)[1])


@function("cycle", steps=10)
def cycle(repetitions: Any, interval: Any = None) -> str:
    """The repeating interval of a timer: `cycle(duration("PT1H"))` for ever, `cycle(3, duration("PT1H"))` thrice."""
    if interval is None:
        return f"R/{dates.to_json(repetitions)}"
    return f"R{'' if repetitions is None else whole(repetitions)}/{dates.to_json(interval)}"


@function("now", reads_clock=True, is_temporal=True, steps=8)
def now(scope: Mapping[str, Any]) -> datetime:
    """The date and time of the scope's clock."""
    return dates.now(scope)


@function("today", reads_clock=True, is_temporal=True, steps=8)
def today(scope: Mapping[str, Any]) -> date:
    """The date of the scope's clock."""
    return dates.now(scope).date()
