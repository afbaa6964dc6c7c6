"""Dates, times and durations from ISO 8601 text, and from their parts."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from ..errors import EvaluationError, ExpressionError, Unsuitable
from .dates import CivilDate
from .durations import ExactDuration, Months
from .moments import DateTime
from .ordered import DAY, HOUR, MINUTE, NANOSECONDS
from .times import Time
from .zones import Offset, Region, Zone

TEXT_LIMIT = 100
_DATE = r"(?P<year>-?(?:\d{4}|[1-9]\d{4,8}))-(?P<month>\d\d)-(?P<day>\d\d)"
_TIME = (
    r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9})\d*)?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d(?::\d\d)?|@\S+)?"
)
DATE = re.compile(_DATE, re.ASCII)
TIME = re.compile(_TIME, re.ASCII)
MOMENT = re.compile(f"{_DATE}(?:T{_TIME})?", re.ASCII)
DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)(?:\.(?P<fraction>\d{0,9})\d*)?S)?)?",
    re.ASCII,
)
MONTHS = re.compile(r"(?P<sign>-?)P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?", re.ASCII)


def to_date(value: Any) -> CivilDate:
    """A date from ISO text or from a date and time."""
    if isinstance(value, CivilDate | DateTime):
        return value.date if isinstance(value, DateTime) else value
    match = DATE.fullmatch(_text(value))
    try:
        return _date(match or _refuse())
    except ValueError as error:
        raise Unsuitable("date() needs YYYY-MM-DD") from error


def date_from_parts(year: Any, month: Any, day: Any) -> CivilDate:
    """A date from three whole numbers."""
    try:
        return CivilDate(_whole(year), _whole(month), _whole(day))
    except (ValueError, EvaluationError) as error:
        raise Unsuitable("date() needs a year, a month and a day that exist") from error


def to_time(value: Any) -> Time:
    """A time of day from ISO text or from a date and time; of a date alone its midnight in UTC."""
    if isinstance(value, DateTime | Time):
        return value.time if isinstance(value, DateTime) else value
    if isinstance(value, CivilDate):
        return Time(0, Offset(0))
    match = TIME.fullmatch(_text(value))
    try:
        return Time(*_clock(match or _refuse()))
    except ValueError as error:
        raise Unsuitable("time() needs hh:mm:ss") from error


def time_from_parts(hour: Any, minute: Any, second: Any, offset: Any = None) -> Time:
    """A time of day from three numbers, and its distance from UTC as a duration."""
    try:
        hours, minutes = _whole(hour), _whole(minute)
        if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= second < 60):
            _refuse()
        nanoseconds = hours * HOUR + minutes * MINUTE + int(Decimal(str(second)) * NANOSECONDS)
        return Time(nanoseconds, None if offset is None else Offset(offset.nanoseconds // NANOSECONDS))
    except (ValueError, TypeError, AttributeError) as error:
        raise Unsuitable("time() needs an hour, a minute and a second that exist") from error


def to_datetime(value: Any) -> DateTime:
    """A date and time from ISO text; a date alone means its midnight."""
    if isinstance(value, CivilDate | DateTime):
        return value if isinstance(value, DateTime) else DateTime(value, Time(0))
    match = MOMENT.fullmatch(_text(value))
    try:
        return _moment(match or _refuse())
    except ValueError as error:
        raise Unsuitable("date and time() needs YYYY-MM-DDThh:mm:ss") from error


def combine(day: Any, clock: Any) -> DateTime:
    """A date and time from its two parts."""
    if not isinstance(day, CivilDate | DateTime) or not isinstance(clock, Time):
        day, clock = to_date(day), to_time(clock)
    return DateTime(to_date(day), clock)


def to_duration(value: Any) -> ExactDuration | Months:
    """A duration from ISO text: years and months, or weeks, days and time, not both."""
    if isinstance(value, ExactDuration | Months):
        return value
    text = _text(value)
    months = MONTHS.fullmatch(text)
    match = months or DURATION.fullmatch(text)
    given = _amounts(match) if match else {}
    if match is None or not given:
        raise Unsuitable("duration() needs ISO 8601 such as P1DT2H or P3M: years and months, or days and time")
    sign = -1 if match["sign"] else 1
    if months:
        return Months(sign * (given.get("years", 0) * 12 + given.get("months", 0)))
    fraction = int((match["fraction"] or "0").ljust(9, "0"))
    return ExactDuration(sign * (sum(amount * _UNITS[name] for name, amount in given.items()) + fraction))


def _amounts(match: re.Match[str]) -> dict[str, int]:
    """The parts that are given, but the sign and the fraction."""
    return {name: int(part) for name, part in match.groupdict().items() if part and name not in ("sign", "fraction")}


def literal(text: str) -> Any:
    """What FEEL's `@"…"` means, by the look of its text; raises Unsuitable when it is nothing."""
    return _READERS[_function_named(text)](text)


def function_for(text: str, column: int) -> str:
    """The name of the function that reads FEEL's `@"…"`; raises ExpressionError when none does."""
    name = _function_named(text)
    try:
        literal(text)
    except (EvaluationError, Unsuitable) as error:
        raise ExpressionError(f'@"{text}" is no date, time or duration: {error}', column) from error
    return name


def _function_named(text: str) -> str:
    if text.startswith(("P", "-P")):
        return "duration"
    local = text.partition("@")[0]
    return "date and time" if "T" in local else "time" if ":" in local else "date"


def _date(match: re.Match[str]) -> CivilDate:
    return CivilDate(int(match["year"]), int(match["month"]), int(match["day"]))


def _moment(match: re.Match[str]) -> DateTime:
    """24:00:00 is the midnight that ends the day."""
    day = _date(match)
    if match["hour"] is None:
        return DateTime(day, Time(0))
    nanoseconds, zone = _clock(match, DAY)
    return DateTime(CivilDate.at(day.position + nanoseconds // DAY), Time(nanoseconds % DAY, zone))


def _clock(match: re.Match[str], most: int = DAY - 1) -> tuple[int, Zone | None]:
    """The nanoseconds since midnight and the zone; raises ValueError for what no clock shows."""
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    nanoseconds = hour * HOUR + minute * MINUTE + second * NANOSECONDS + int((match["fraction"] or "0").ljust(9, "0"))
    if minute > 59 or second > 59 or nanoseconds > most:
        _refuse()
    return nanoseconds, _zone(match["zone"] or "")


def _zone(text: str) -> Zone | None:
    if not text or text == "Z":
        return Offset(0) if text else None
    if text.startswith("@"):
        return Region(text[1:])
    hours, minutes, *seconds = map(int, text[1:].split(":"))
    total = hours * 3600 + minutes * 60 + sum(seconds)
    return Offset(-total if text.startswith("-") else total)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > TEXT_LIMIT:
        raise Unsuitable("dates, times and durations are made from short ISO 8601 text")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or value != int(value):
        _refuse()
    return int(value)


def _refuse() -> Any:
    raise ValueError("not written so")


_UNITS = {"weeks": 7 * DAY, "days": DAY, "hours": HOUR, "minutes": MINUTE, "seconds": NANOSECONDS}
_READERS: Mapping[str, Callable[[Any], Any]] = {
    "date": to_date,
    "time": to_time,
    "date and time": to_datetime,
    "duration": to_duration,
}
