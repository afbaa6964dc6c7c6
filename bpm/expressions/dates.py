"""FEEL's dates, times and durations; they leave an expression as ISO 8601 text (DMN 1.3, 10.3.4)."""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, cast
from zoneinfo import ZoneInfo, available_timezones

from bpm.number import Number, exact

from .errors import EvaluationError, ExpressionError, Unsuitable

DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)
TEXT_LIMIT = 64
MAX_MONTHS = 12 * (timedelta.max.days // 365)
"""As long as the longest duration in days; unbounded, a few products make a number that takes seconds to multiply."""
_ANY_DAY = date(2000, 1, 1)
_MICROSECOND = timedelta(microseconds=1)

CLOCK = "now()"
"""The scope's key under which a caller may give the time as an aware datetime; no name can equal it."""


@dataclass(frozen=True, order=True, slots=True)
class Months:
    """A duration in whole months, which has no fixed number of days."""

    count: int

    def __post_init__(self) -> None:
        """Refuse more months than other durations have days for; raises EvaluationError."""
        if abs(self.count) > MAX_MONTHS:
            raise EvaluationError("a duration grew beyond the representable")


def now(scope: Mapping[str, Any]) -> datetime:
    """The time of the scope's clock, else of the machine."""
    try:
        return scope[CLOCK]
    except KeyError:
        return datetime.now(UTC)


def describe(value: Any) -> str:
    """The name of a temporal value's type."""
    if isinstance(value, timedelta | Months):
        return "a duration"
    if isinstance(value, datetime):
        return "a date and time"
    return "a date" if isinstance(value, date) else "a time" if isinstance(value, time) else "an unknown value"


def to_date(value: Any) -> date:
    """A date from ISO text or from a date and time."""
    if isinstance(value, date):
        return value.date() if isinstance(value, datetime) else value
    try:
        return date.fromisoformat(_text(value))
    except ValueError as error:
        raise Unsuitable("date() needs YYYY-MM-DD") from error


def from_parts(year: Any, month: Any, day: Any) -> date:
    """A date from three whole numbers."""
    try:
        return date(year, month, day)
    except (ValueError, TypeError, OverflowError) as error:
        raise Unsuitable("date() needs a year, a month and a day that exist") from error


def time_from_parts(hour: Any, minute: Any, second: Any) -> time:
    """A time of day from three whole numbers."""
    try:
        return time(hour, minute, second)
    except (ValueError, TypeError) as error:
        raise Unsuitable("time() needs an hour, a minute and a second that exist") from error


def to_time(value: Any) -> time:
    """A time of day from ISO text or from a date and time."""
    if isinstance(value, datetime | time):
        return value.timetz() if isinstance(value, datetime) else value
    try:
        text, zone = _zone(_text(value))
        return time.fromisoformat(text).replace(tzinfo=zone) if zone else time.fromisoformat(text)
    except ValueError as error:
        raise Unsuitable("time() needs hh:mm:ss") from error


def to_datetime(value: Any) -> datetime:
    """A date and time from ISO text; a date alone means its midnight."""
    if isinstance(value, date):
        return value if isinstance(value, datetime) else datetime.combine(value, time())
    try:
        text, zone = _zone(_text(value))
        return datetime.fromisoformat(text).replace(tzinfo=zone) if zone else datetime.fromisoformat(text)
    except ValueError as error:
        raise Unsuitable("date and time() needs YYYY-MM-DDThh:mm:ss") from error


def _zone(text: str) -> tuple[str, ZoneInfo | None]:
    """The text without its `@Europe/Berlin`, and that zone; raises ValueError for a zone that does not exist."""
    local, mark, name = text.partition("@")
    if mark and name not in _zone_names():
        raise ValueError(name)
    return local, _zone_named(name) if mark else None


@cache
def _zone_names() -> frozenset[str]:
    """Every zone there is: to look for another one on the disk takes longer than to evaluate an expression."""
    return frozenset(available_timezones())


@cache
def _zone_named(name: str) -> ZoneInfo:
    """One of these zones, read from the disk once."""
    return ZoneInfo(name)


def months_between(start: date, end: date) -> Months:
    """The whole months from one date to another, negative backwards."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and end.day < start.day:
        months -= 1
    if months < 0 and end.day > start.day:
        months += 1
    return Months(months)


def function_for(text: str, column: int) -> str:
    """The name of the function that reads FEEL's `@"…"`; raises ExpressionError when none does."""
    is_duration = text.startswith(("P", "-P"))
    name = "duration" if is_duration else "date and time" if "T" in text else "time" if ":" in text else "date"
    try:
        _READERS[name](text)
    except (EvaluationError, Unsuitable) as error:
        raise ExpressionError(f'@"{text}" is no date, time or duration: {error}', column) from error
    return name


def combine(day: Any, clock: Any) -> datetime:
    """A date and time from its two parts."""
    return datetime.combine(to_date(day), to_time(clock))


def to_duration(value: Any) -> timedelta | Months:
    """A duration from ISO text: years and months, or weeks, days and time, not both."""
    if isinstance(value, timedelta | Months):
        return value
    match = DURATION.fullmatch(_text(value))
    given = {name: amount for name, amount in (match.groupdict() if match else {}).items() if amount}
    sign = -1 if given.pop("sign", "") else 1
    is_months = "years" in given or "months" in given
    months = int(given.pop("years", 0)) * 12 + int(given.pop("months", 0))
    if not is_months and not given:
        raise Unsuitable("duration() needs ISO 8601 such as P1DT2H or P3M")
    if months and given:
        raise Unsuitable("a duration has either years and months, or days and time")
    if not given:
        return Months(sign * months)
    try:
        return sign * timedelta(**{name: float(amount) for name, amount in given.items()})
    except OverflowError as error:
        raise EvaluationError("a duration grew beyond the representable") from error


def add(left: Any, right: Any) -> Any:
    """Move a date or time by a duration, or add two durations; raises Unsuitable otherwise."""
    if isinstance(left, timedelta | Months) and not isinstance(right, timedelta | Months):
        left, right = right, left
    if isinstance(right, Months):
        if isinstance(left, Months):
            return Months(left.count + right.count)
        if isinstance(left, date):
            return _add_months(left, right.count)
    elif isinstance(right, timedelta):
        if type(left) is date and right % timedelta(days=1):
            left = datetime.combine(left, time())
        if isinstance(left, date | timedelta):
            return left + right
        if isinstance(left, time):  # round the clock; any day will do
            return (datetime.combine(_ANY_DAY, left) + right % timedelta(days=1)).timetz()
    raise Unsuitable("only numbers, two texts, or a date and a duration can be added")


def subtract(left: Any, right: Any) -> Any:
    """The duration between two dates or times, or a date moved back by a duration."""
    if isinstance(right, timedelta):
        return add(left, -right)
    if isinstance(right, Months):
        return add(left, Months(-right.count))
    left, right = _comparable(left, right)
    if isinstance(left, date) and type(left) is type(right):
        try:
            return left - right
        except TypeError as error:
            raise Unsuitable("a time with a zone cannot be subtracted from one without") from error
    raise Unsuitable("only numbers, dates and durations can be subtracted")


def _comparable(left: Any, right: Any) -> tuple[Any, Any]:
    """Two times on one day; a date beside a date and time as its midnight, UTC if that has a zone."""
    if isinstance(left, time) and isinstance(right, time):
        return datetime.combine(_ANY_DAY, left), datetime.combine(_ANY_DAY, right)
    if type(left) is date and isinstance(right, datetime):
        return _midnight(left, right), right
    if type(right) is date and isinstance(left, datetime):
        return left, _midnight(right, left)
    return left, right


def _midnight(day: date, beside: datetime) -> datetime:
    return datetime.combine(day, time(tzinfo=UTC if beside.tzinfo else None))


def multiply(duration: timedelta | Months, factor: float | Decimal) -> timedelta | Months:
    """A duration taken so many times; months are cut to whole ones."""
    if isinstance(duration, Months):
        return Months(int(duration.count * exact(factor)))
    return duration * factor if isinstance(factor, int) else timedelta(microseconds=_times(duration, factor))


def _times(duration: timedelta, factor: float | Decimal) -> int:
    """The microseconds of a duration taken so many times."""
    return round(Number(duration // _MICROSECOND) * exact(factor))


def divide(duration: Any, divisor: Any) -> Any:
    """A part of a duration, or how often another one of its kind goes into it."""
    if isinstance(duration, Months):
        parts = Number(duration.count) / (divisor.count if isinstance(divisor, Months) else divisor)
        return parts if isinstance(divisor, Months) else Months(int(parts))
    if isinstance(divisor, timedelta):
        return Number(duration // _MICROSECOND) / (divisor // _MICROSECOND)
    return duration / divisor if isinstance(divisor, int) else multiply(duration, Number(1) / divisor)


def member(value: Any, name: str) -> Any:
    """FEEL's properties of a date or time, such as `year`; raises KeyError for an unknown one."""
    if name == "weekday" and isinstance(value, date):
        return value.isoweekday()
    if name in ("year", "month", "day") and isinstance(value, date):
        return getattr(value, name)
    if name in ("hour", "minute", "second") and isinstance(value, datetime | time):
        return getattr(value, name)
    if isinstance(value, timedelta | Months):
        return _parts(value)[name]
    raise KeyError(name)


def _parts(value: timedelta | Months) -> Mapping[str, int]:
    """The properties of a duration, each with its sign."""
    if isinstance(value, Months):
        sign, count = (-1, -value.count) if value.count < 0 else (1, value.count)
        return {"years": sign * (count // 12), "months": sign * (count % 12)}
    sign, value = (-1, -value) if value < timedelta() else (1, value)
    hours, rest = divmod(value.seconds, 3600)
    parts = {"days": value.days, "hours": hours, "minutes": rest // 60, "seconds": rest % 60}
    return {name: sign * part for name, part in parts.items()}


def to_json(value: Any) -> Any:
    """`value` with every date, time and duration in it as ISO 8601 text."""
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Months):
        years, months = divmod(abs(value.count), 12)
        parts = [f"{years}Y"] * bool(years) + [f"{months}M"] * bool(months or not years)
        return ("-" if value.count < 0 else "") + "P" + "".join(parts)
    if isinstance(value, timedelta):
        return _iso_duration(value)
    if isinstance(value, list):
        return [to_json(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in cast("dict[str, Any]", value).items()}
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > TEXT_LIMIT:
        raise Unsuitable("dates, times and durations are made from short ISO 8601 text")
    return value


def _add_months(start: date, months: int) -> date:
    """The same day so many months later, or that month's last day if it is shorter."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise EvaluationError("a date grew beyond the representable")
    return start.replace(year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]))


def _iso_duration(value: timedelta) -> str:
    sign, value = ("-", -value) if value < timedelta() else ("", value)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{value.microseconds:06}".rstrip("0") if value.microseconds else ""
    clock = "".join(
        f"{amount}{unit}" for amount, unit in ((hours, "H"), (minutes, "M"), (f"{seconds}{fraction}", "S"))
        if str(amount) != "0"
    )  # fmt: skip
    days = f"{value.days}D" if value.days else ""
    return f"{sign}P{days}" + (f"T{clock}" if clock or not days else "") + ("" if clock or days else "0S")


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "date": to_date,
    "time": to_time,
    "date and time": to_datetime,
    "duration": to_duration,
}
