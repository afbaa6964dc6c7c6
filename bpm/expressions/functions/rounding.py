"""Rounding, on the number as it is written (DMN 1.3, 10.3.4.5)."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from bpm.metering import Meter

from ..errors import Unsuitable
from ..values import writing
from .arguments import number, whole
from .registry import function

LONGEST = 300
STEPS = 10


def _rounded(value: Any, digits: Any, rule: Callable[[Fraction], int], meter: Meter) -> int | float:
    """The number rounded by a rule to so many decimals."""
    places = whole(digits)
    if abs(places) > LONGEST:
        raise Unsuitable(f"a number has at most {LONGEST} decimals")
    meter.charge(STEPS + writing(value) + abs(places) // 8)
    shift = Fraction(10) ** places
    rounded = Fraction(rule(Fraction(repr(number(value))) * shift)) / shift
    return int(rounded) if rounded.denominator == 1 else float(rounded)


def _outward(value: Fraction) -> int:
    return math.ceil(value) if value > 0 else math.floor(value)


def _half_up(value: Fraction) -> int:
    return math.floor(abs(value) + Fraction(1, 2)) * (1 if value > 0 else -1)


def _half_down(value: Fraction) -> int:
    return math.ceil(abs(value) - Fraction(1, 2)) * (1 if value > 0 else -1)


@function("round", "decimal")
def to_decimals(value: Any, digits: Any = 0, *, meter: Meter) -> int | float:
    """Rounded half to even, as FEEL's decimal() does."""
    return _rounded(value, digits, round, meter)


@function("floor")
def floor(value: Any, digits: Any = 0, *, meter: Meter) -> int | float:
    """Rounded down, towards negative infinity."""
    return _rounded(value, digits, math.floor, meter)


@function("ceiling")
def ceiling(value: Any, digits: Any = 0, *, meter: Meter) -> int | float:
    """Rounded up, towards positive infinity."""
    return _rounded(value, digits, math.ceil, meter)


@function("round up")
def round_up(value: Any, digits: Any = 0, *, meter: Meter) -> int | float:
    """Rounded away from zero."""
    return _rounded(value, digits, _outward, meter)


@function("round down")
def round_down(value: Any, digits: Any = 0, *, meter: Meter) -> int | float:
    """Rounded towards zero."""
    return _rounded(value, digits, math.trunc, meter)


@function("round half up")
def round_half_up(value: Any, digits: Any = 0, *, meter: Meter) -> int | float:
    """Rounded to the nearest, a half away from zero."""
    return _rounded(value, digits, _half_up, meter)


@function("round half down")
def round_half_down(value: Any, digits: Any = 0, *, meter: Meter) -> int | float:
    """Rounded to the nearest, a half towards zero."""
    return _rounded(value, digits, _half_down, meter)
