"""How points and ranges lie to each other (DMN 1.5, table 78)."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from bpm.metering import Meter

from .. import temporal
from ..errors import Unsuitable
from ..intervals import Interval, interval
from ..values import compare, describe, same
from .arguments import text
from .numbers import to_number
from .registry import function

_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)")
_END = re.compile(r'(@|[a-z ]+\()?\s*"((?:[^"\\]|\\.)*)"\s*\)?')
_READERS: Mapping[str, Callable[[Any], Any]] = {
    "date(": temporal.to_date,
    "time(": temporal.to_time,
    "date and time(": temporal.to_datetime,
    "duration(": temporal.to_duration,
}


@function("range", is_temporal=True)
def to_range(value: Any, *, meter: Meter) -> Interval:
    """The range that a text such as `[1..10]` is, whose ends are numbers, texts, dates, times or durations."""
    written = text(value).strip()
    first, _, second = (end.strip() for end in written[1:-1].partition(".."))
    if not first or not second or written[0] not in "[(]" or written[-1] not in "])[":
        raise Unsuitable("range() needs a text such as [1..10]")
    low, high = _end(first), _end(second)
    if low is None or high is None:
        raise Unsuitable("a range of range() has two ends")
    return interval(low, high, written[0] == "[", written[-1] == "]", meter)


def _end(written: str) -> Any:
    if _NUMBER.fullmatch(written):
        return to_number(written)
    match = _END.fullmatch(written)
    if match is None or ((match[1] or "@") != "@" and not written.endswith(")")):
        raise Unsuitable("an end of range() is a number, a text, a date, a time or a duration")
    if not match[1]:
        return match[2]
    return temporal.literal(match[2]) if match[1] == "@" else _READERS[match[1]](match[2])


def _range(value: Any) -> Interval:
    """A range with two ends, or a point as the range of it alone."""
    if isinstance(value, Interval):
        if value.low is None or value.high is None:
            raise Unsuitable("the range is open at an end")
        return value
    if value is None:
        raise Unsuitable(f"a point or a range is needed, not {describe(value)}")
    return Interval(value, value, True, True)


def _precedes(left: Any, left_is_in: bool, right: Any, right_is_in: bool, meter: Meter) -> bool:
    """Whether an upper end lies before a lower end, with no point in both."""
    return compare("<", left, right, meter) or (not (left_is_in and right_is_in) and same(left, right, meter))


@function("before", is_condition=True)
def before(first: Any, second: Any, *, meter: Meter) -> bool:
    """Whether the first ends before the second starts."""
    one, two = _range(first), _range(second)
    return _precedes(one.high, one.includes_high, two.low, two.includes_low, meter)


@function("after", is_condition=True)
def after(first: Any, second: Any, *, meter: Meter) -> bool:
    """Whether the first starts after the second ends."""
    return before(second, first, meter=meter)


@function("meets", is_condition=True)
def meets(first: Any, second: Any, *, meter: Meter) -> bool:
    """Whether the first ends with the point that the second starts with."""
    one, two = _range(first), _range(second)
    return one.includes_high and two.includes_low and same(one.high, two.low, meter)


@function("met by", is_condition=True)
def met_by(first: Any, second: Any, *, meter: Meter) -> bool:
    """Whether the first starts with the point that the second ends with."""
    return meets(second, first, meter=meter)


@function("overlaps", is_condition=True)
def overlaps(first: Any, second: Any, *, meter: Meter) -> bool:
    """Whether both have a point in common."""
    return not before(first, second, meter=meter) and not before(second, first, meter=meter)


@function("overlaps before", is_condition=True)
def overlaps_before(first: Any, second: Any, *, meter: Meter) -> bool:
    """Whether the first starts before the second and ends inside of it."""
    one, two = _range(first), _range(second)
    return (
        _starts_earlier(one, two, meter) and overlaps(first, second, meter=meter) and not _ends_later(one, two, meter)
    )


@function("overlaps after", is_condition=True)
def overlaps_after(first: Any, second: Any, *, meter: Meter) -> bool:
    """Whether the first starts inside of the second and ends after it."""
    return overlaps_before(second, first, meter=meter)


def _starts_earlier(one: Interval, two: Interval, meter: Meter) -> bool:
    is_wider = one.includes_low and not two.includes_low and same(one.low, two.low, meter)
    return is_wider or compare("<", one.low, two.low, meter)


def _ends_later(one: Interval, two: Interval, meter: Meter) -> bool:
    is_wider = one.includes_high and not two.includes_high and same(one.high, two.high, meter)
    return is_wider or compare(">", one.high, two.high, meter)


@function("includes", is_condition=True)
def includes(outer: Any, inner: Any, *, meter: Meter) -> bool:
    """Whether everything of the second lies in the first."""
    one, two = _range(outer), _range(inner)
    return not _starts_earlier(two, one, meter) and not _ends_later(two, one, meter)


@function("during", is_condition=True)
def during(inner: Any, outer: Any, *, meter: Meter) -> bool:
    """Whether everything of the first lies in the second."""
    return includes(outer, inner, meter=meter)


@function("starts", is_condition=True)
def starts(inner: Any, outer: Any, *, meter: Meter) -> bool:
    """Whether the first starts as the second does, and ends inside of it."""
    one, two = _range(inner), _range(outer)
    is_start = one.includes_low == two.includes_low and same(one.low, two.low, meter)
    return is_start and not _ends_later(one, two, meter)


@function("started by", is_condition=True)
def started_by(outer: Any, inner: Any, *, meter: Meter) -> bool:
    """Whether the second starts as the first does, and ends inside of it."""
    return starts(inner, outer, meter=meter)


@function("finishes", is_condition=True)
def finishes(inner: Any, outer: Any, *, meter: Meter) -> bool:
    """Whether the first ends as the second does, and starts inside of it."""
    one, two = _range(inner), _range(outer)
    is_end = one.includes_high == two.includes_high and same(one.high, two.high, meter)
    return is_end and not _starts_earlier(one, two, meter)


@function("finished by", is_condition=True)
def finished_by(outer: Any, inner: Any, *, meter: Meter) -> bool:
    """Whether the second ends as the first does, and starts inside of it."""
    return finishes(inner, outer, meter=meter)


@function("coincides", is_condition=True)
def coincides(first: Any, second: Any, *, meter: Meter) -> bool:
    """Whether both are the same points."""
    one, two = _range(first), _range(second)
    ends = (one.includes_low, one.includes_high) == (two.includes_low, two.includes_high)
    return ends and same(one.low, two.low, meter) and same(one.high, two.high, meter)
