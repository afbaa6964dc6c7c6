"""Rounding, on the number as it is written (DMN 1.3, 10.3.4.5)."""

import decimal
from typing import Any

from bpm.metering import Meter
from bpm.number import Number, rounded

from ..errors import Unsuitable
from ..values import writing
from .arguments import number, place
from .registry import function

LONGEST = 300
SCALES = range(-6111, 6177)
"""The numbers of decimals that FEEL has, of which most are beyond every number's."""
STEPS = 10


def _rounded(value: Any, digits: Any, rule: str, meter: Meter) -> int | Number:
    """The number rounded by a rule to so many decimals."""
    places = place(digits)
    if places not in SCALES:
        raise Unsuitable(f"a number is rounded to {SCALES[0]} to {SCALES[-1]} decimals")
    places = max(min(places, LONGEST), -LONGEST)
    meter.charge(STEPS + writing(value) + abs(places) // 8)
    return rounded(number(value), places, rule)


@function("round", "decimal")
def to_decimals(value: Any, digits: Any = 0, *, meter: Meter) -> int | Number:
    """Rounded half to even, as FEEL's decimal() does."""
    return _rounded(value, digits, decimal.ROUND_HALF_EVEN, meter)


@function("floor")
def floor(value: Any, digits: Any = 0, *, meter: Meter) -> int | Number:
    """Rounded down, towards negative infinity."""
    return _rounded(value, digits, decimal.ROUND_FLOOR, meter)


@function("ceiling")
def ceiling(value: Any, digits: Any = 0, *, meter: Meter) -> int | Number:
    """Rounded up, towards positive infinity."""
    return _rounded(value, digits, decimal.ROUND_CEILING, meter)


@function("round up")
def round_up(value: Any, digits: Any = 0, *, meter: Meter) -> int | Number:
    """Rounded away from zero."""
    return _rounded(value, digits, decimal.ROUND_UP, meter)


@function("round down")
def round_down(value: Any, digits: Any = 0, *, meter: Meter) -> int | Number:
    """Rounded towards zero."""
    return _rounded(value, digits, decimal.ROUND_DOWN, meter)


@function("round half up")
def round_half_up(value: Any, digits: Any = 0, *, meter: Meter) -> int | Number:
    """Rounded to the nearest, a half away from zero."""
    return _rounded(value, digits, decimal.ROUND_HALF_UP, meter)


@function("round half down")
def round_half_down(value: Any, digits: Any = 0, *, meter: Meter) -> int | Number:
    """Rounded to the nearest, a half towards zero."""
    return _rounded(value, digits, decimal.ROUND_HALF_DOWN, meter)
