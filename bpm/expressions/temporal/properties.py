"""The properties of dates, times and durations (DMN 1.5, table 65)."""

from collections.abc import Callable, Mapping
from typing import Any

from .dates import CivilDate
from .durations import ExactDuration, Months
from .moments import DateTime
from .ordered import DAY, HOUR, MINUTE, NANOSECONDS
from .times import Time
from .zones import Region


def _time_offset(value: Time | DateTime) -> ExactDuration | None:
    return None if value.offset is None else ExactDuration(value.offset * NANOSECONDS)


def _timezone(value: Time) -> str | None:
    return value.zone.name if isinstance(value.zone, Region) else None


def _parts(total: int, larger: int, unit: int) -> int:
    """How many units are in a duration without its larger ones, with its sign."""
    count = (abs(total) % larger if larger else abs(total)) // unit
    return -count if total < 0 else count


_OF_DATE: Mapping[str, Callable[[Any], Any]] = {
    "year": lambda value: value.year,
    "month": lambda value: value.month,
    "day": lambda value: value.day,
    "weekday": lambda value: value.weekday,
}
_OF_CLOCK: Mapping[str, Callable[[Any], Any]] = {
    "hour": lambda value: value.nanoseconds // HOUR,
    "minute": lambda value: value.nanoseconds % HOUR // MINUTE,
    "second": lambda value: value.nanoseconds % MINUTE // NANOSECONDS,
    "timezone": _timezone,
}
PROPERTIES: Mapping[type, Mapping[str, Callable[[Any], Any]]] = {
    CivilDate: _OF_DATE,
    Time: {**_OF_CLOCK, "time offset": _time_offset},
    DateTime: {
        **{name: (lambda value, read=read: read(value.date)) for name, read in _OF_DATE.items()},
        **{name: (lambda value, read=read: read(value.time)) for name, read in _OF_CLOCK.items()},
        "time offset": _time_offset,
    },
    Months: {
        "years": lambda value: _parts(value.count, 0, 12),
        "months": lambda value: _parts(value.count, 12, 1),
    },
    ExactDuration: {
        "days": lambda value: _parts(value.nanoseconds, 0, DAY),
        "hours": lambda value: _parts(value.nanoseconds, DAY, HOUR),
        "minutes": lambda value: _parts(value.nanoseconds, HOUR, MINUTE),
        "seconds": lambda value: _parts(value.nanoseconds, MINUTE, NANOSECONDS),
    },
}


def member(value: Any, name: Any) -> Any:
    """A property by its name; raises KeyError where there is none."""
    return PROPERTIES[type(value)][name](value)
