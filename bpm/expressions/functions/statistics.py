"""Functions on the numbers of a list, and on a number alone, that ask for more than arithmetic."""

import math
from itertools import groupby
from typing import Any

from bpm.metering import Meter

from ..errors import Unsuitable
from .arguments import number, spread, whole
from .registry import function

COMPARISONS_PER_STEP = 8


def _numbers(arguments: tuple[Any, ...], meter: Meter) -> list[int | float]:
    items = spread(arguments)
    meter.charge(len(items) * len(items).bit_length() // COMPARISONS_PER_STEP)
    return sorted(number(item) for item in items)


@function("median")
def median(value: Any, *more: Any, meter: Meter) -> int | float | None:
    """The middle one, or the mean of the two in the middle; null for an empty list."""
    items = _numbers((value, *more), meter)
    middle, is_odd = divmod(len(items), 2)
    if not items:
        return None
    return items[middle] if is_odd else (items[middle - 1] + items[middle]) / 2


@function("mode")
def mode(value: Any, *more: Any, meter: Meter) -> list[int | float]:
    """The most frequent ones, the least first."""
    runs = [(item, len(list(equal))) for item, equal in groupby(_numbers((value, *more), meter))]
    most = max((count for _, count in runs), default=0)
    return [item for item, count in runs if count == most]


@function("stddev")
def standard_deviation(value: Any, *more: Any, meter: Meter) -> float:
    """The standard deviation of a sample, which takes two numbers at least."""
    items = _numbers((value, *more), meter)
    if len(items) < 2:
        raise Unsuitable("stddev() needs two numbers at least")
    mean = sum(items) / len(items)
    return math.sqrt(sum((item - mean) ** 2 for item in items) / (len(items) - 1))


@function("sqrt")
def square_root(value: Any) -> float:
    """The square root of a number that is not negative."""
    if number(value) < 0:
        raise Unsuitable("a negative number has no square root")
    return math.sqrt(value)


@function("exp")
def exponential(value: Any) -> float:
    """Euler's number to that power."""
    return math.exp(number(value))


@function("log")
def logarithm(value: Any) -> float:
    """The natural logarithm of a positive number."""
    if number(value) <= 0:
        raise Unsuitable("only a positive number has a logarithm")
    return math.log(value)


@function("even", is_condition=True)
def is_even(value: Any) -> bool:
    """Whether a whole number is even."""
    return whole(value) % 2 == 0


@function("odd", is_condition=True)
def is_odd(value: Any) -> bool:
    """Whether a whole number is odd."""
    return whole(value) % 2 == 1
