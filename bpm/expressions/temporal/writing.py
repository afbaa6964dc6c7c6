"""Dates, times and durations as text."""

from typing import Any

from .dates import CivilDate
from .durations import ExactDuration, Months
from .moments import DateTime
from .ordered import DAY, HOUR, MINUTE, NANOSECONDS, Ordered
from .times import Time
from .zones import Offset, Region


def describe(value: Any) -> str:
    """The name of a temporal value's type."""
    if isinstance(value, ExactDuration | Months):
        return "a duration"
    if isinstance(value, DateTime):
        return "a date and time"
    return "a date" if isinstance(value, CivilDate) else "a time" if isinstance(value, Time) else "an unknown value"


def to_json(value: Ordered) -> str:
    """ISO 8601 text; a moment in a region shows its distance from UTC."""
    if isinstance(value, DateTime) and isinstance(value.time.zone, Region):
        return to_text(DateTime(value.date, Time(value.time.nanoseconds, Offset(value.offset or 0))))
    return to_text(value)


def to_text(value: Ordered) -> str:
    """FEEL's own text, which keeps the name of a region."""
    match value:
        case CivilDate():
            sign = "-" if value.year < 0 else ""
            return f"{sign}{abs(value.year):04}-{value.month:02}-{value.day:02}"
        case Time():
            return _clock(value)
        case DateTime():
            return f"{to_text(value.date)}T{_clock(value.time)}"
        case Months():
            return _months(value.count)
        case ExactDuration():
            return _duration(value.nanoseconds)
        case _:
            raise TypeError(f"{type(value).__name__} is not temporal")


def _clock(value: Time) -> str:
    left = value.nanoseconds
    shown = f"{left // HOUR:02}:{left % HOUR // MINUTE:02}:{left % MINUTE // NANOSECONDS:02}"
    return shown + _fraction(left % NANOSECONDS) + _zone(value)


def _zone(value: Time) -> str:
    if value.zone is None:
        return ""
    if isinstance(value.zone, Region):
        return f"@{value.zone.name}"
    minutes, seconds = divmod(abs(value.zone.seconds), 60)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if value.zone.seconds < 0 else "+"
    return f"{sign}{hours:02}:{minutes:02}" + (f":{seconds:02}" if seconds else "")


def _fraction(nanoseconds: int) -> str:
    return f".{nanoseconds:09}".rstrip("0") if nanoseconds else ""


def _months(count: int) -> str:
    years, months = divmod(abs(count), 12)
    parts = [f"{years}Y"] * bool(years) + [f"{months}M"] * bool(months or not years)
    return ("-" if count < 0 else "") + "P" + "".join(parts)


def _duration(total: int) -> str:
    if not total:
        return "PT0S"
    days, rest = divmod(abs(total), DAY)
    hours, minutes, seconds = rest // HOUR, rest % HOUR // MINUTE, rest % MINUTE // NANOSECONDS
    written = f"{seconds}{_fraction(rest % NANOSECONDS)}"
    parts = ((str(hours), "H"), (str(minutes), "M"), (written, "S"))
    clock = "".join(f"{amount}{unit}" for amount, unit in parts if amount != "0")
    return ("-" if total < 0 else "") + "P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
