"""Functions on dates, times and durations."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from .. import dates
from .registry import function


@function("date", is_temporal=True)
def to_date(value: Any, month: Any = None, day: Any = None) -> date:
    """A date from ISO text, from a date and time, or from year, month and day."""
    return dates.to_date(value) if month is None else dates.from_parts(value, month, day)


@function("time", is_temporal=True)
def to_time(value: Any) -> time:
    """A time of day from ISO text or from a date and time."""
    return dates.to_time(value)


@function("date and time", is_temporal=True)
def date_and_time(value: Any, clock: Any = None) -> datetime:
    """A date and time from ISO text, or from a date and a time."""
    return dates.to_datetime(value) if clock is None else dates.combine(value, clock)


@function("duration", is_temporal=True)
def duration(value: Any) -> timedelta | dates.Months:
    """A duration from ISO text such as P1DT2H or P3M."""
    return dates.to_duration(value)


@function("now", reads_clock=True, is_temporal=True)
def now(scope: Mapping[str, Any]) -> datetime:
    """The date and time of the scope's clock."""
    return dates.now(scope)


@function("today", reads_clock=True, is_temporal=True)
def today(scope: Mapping[str, Any]) -> date:
    """The date of the scope's clock."""
    return dates.now(scope).date()
