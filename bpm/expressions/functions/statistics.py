"""Functions on the numbers of a list, and on a number alone, that ask for more than arithmetic."""

from itertools import groupby
from typing import Any

from bpm.metering import Meter
from bpm.number import CONTEXT, Number

from ..errors import Unsuitable
from ..values import calculate
from .arguments import number, spread, whole
from .registry import function

COMPARISONS_PER_STEP = 8


def _numbers(arguments: tuple[Any, ...], meter: Meter) -> list[int | Number]:
    items = spread(arguments)
    meter.charge(len(items) * len(items).bit_length() // COMPARISONS_PER_STEP)
    return sorted(number(item) for item in items)


@function("median")
def median(value: Any, *more: Any, meter: Meter) -> int | Number | None:
    """The middle one, or the mean of the two in the middle; null for an empty list."""
    items = _numbers((value, *more), meter)
    middle, is_odd = divmod(len(items), 2)
    if not items:
        return None
    if is_odd:
        return items[middle]
    return calculate("/", calculate("+", items[middle - 1], items[middle], meter), 2, meter)


@function("mode")
def mode(value: Any, *more: Any, meter: Meter) -> list[int | Number]:
    """The most frequent ones, the least first."""
    runs = [(item, len(list(equal))) for item, equal in groupby(_numbers((value, *more), meter))]
    most = max((count for _, count in runs), default=0)
    return [item for item, count in runs if count == most]


@function("stddev")
def standard_deviation(value: Any, *more: Any, meter: Meter) -> Number:
    """The standard deviation of a sample, which takes two numbers at least."""
    items = _numbers((value, *more), meter)
    if len(items) < 2:
        raise Unsuitable("stddev() needs two numbers at least")
    numbers = [Number(item) for item in items]
    mean = sum(numbers, Number()) / len(items)
    variance = sum(((item - mean) * (item - mean) for item in numbers), Number()) / (len(items) - 1)
    return Number(CONTEXT.sqrt(variance))


@function("sqrt")
def square_root(value: Any) -> Number:
    """The square root of a number that is not negative."""
    if number(value) < 0:
        raise Unsuitable("a negative number has no square root")
    return Number(CONTEXT.sqrt(number(value)))


@function("exp")
def exponential(value: Any) -> Number:
    """Euler's number to that power."""
    return Number(CONTEXT.exp(number(value)))


@function("log")
def logarithm(value: Any) -> Number:
    """The natural logarithm of a positive number."""
    if number(value) <= 0:
        raise Unsuitable("only a positive number has a logarithm")
    return Number(CONTEXT.ln(number(value)))


@function("even", is_condition=True)
def is_even(value: Any) -> bool:
    """Whether a whole number is even."""
    return whole(value) % 2 == 0


@function("odd", is_condition=True)
def is_odd(value: Any) -> bool:
    """Whether a whole number is odd."""
    return whole(value) % 2 == 1
