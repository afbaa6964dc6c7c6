"""Whether two values are the very same."""

from typing import Any

from bpm.metering import Meter

from ..temporal import DateTime, Ordered, Time
from ..values import same
from .registry import function


@function("is", is_condition=True, takes_null=True)
def is_identical(first: Any, second: Any = None, *, meter: Meter) -> bool:
    """Whether both have the same type and value; times also the same zone as it is written."""
    if isinstance(first, Ordered) and type(first) is type(second):
        return _fields(first) == _fields(second)
    return same(first, second, meter)


def _fields(value: Any) -> Any:
    if isinstance(value, DateTime):
        return value.date.position, value.time.nanoseconds, value.time.zone
    return (value.nanoseconds, value.zone) if isinstance(value, Time) else value.position
