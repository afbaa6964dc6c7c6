"""Functions on numbers."""

import json
from typing import Any

from bpm.metering import Meter
from bpm.number import Number, NumberError, number_of

from .. import temporal, values
from ..errors import Unsuitable
from .arguments import number, spread, text
from .registry import function

LONGEST = 300


@function("number")
def to_number(value: Any, grouping: Any = None, decimal: Any = None) -> int | Number:
    """The number that a text is in JSON's notation, or with these marks between thousands and for decimals."""
    _check_marks(grouping, decimal)
    if grouping is not None:
        value = text(value).replace(text(grouping), "")
    if decimal is not None:
        value = text(value).replace(text(decimal), ".")
    if type(value) in values.NUMBERS:
        return value
    written = text(value).strip()
    if len(written) > LONGEST:
        raise Unsuitable("the text is too long for a number")
    try:
        return number(json.loads(written, parse_constant=_refuse, parse_float=number_of))
    except (ValueError, NumberError) as error:
        raise Unsuitable("the text is not a number") from error


@function("abs")
def absolute(value: Any) -> Any:
    """The number or duration without its sign."""
    if isinstance(value, temporal.Months):
        return temporal.Months(abs(value.count))
    if isinstance(value, temporal.ExactDuration):
        return temporal.ExactDuration(abs(value.nanoseconds))
    return abs(number(value))


@function("modulo")
def modulo(value: Any, divisor: Any) -> int | Number:
    """The remainder, with the divisor's sign."""
    return values.modulo(value, divisor)


@function("min")
def least(value: Any, *more: Any, meter: Meter) -> Any:
    """The least of a list or of the arguments; null for an empty list."""
    return _extreme("<", (value, *more), meter)


@function("max")
def greatest(value: Any, *more: Any, meter: Meter) -> Any:
    """The greatest of a list or of the arguments; null for an empty list."""
    return _extreme(">", (value, *more), meter)


@function("sum")
def total(value: Any, *more: Any, meter: Meter) -> Any:
    """The sum of a list or of the arguments; null for an empty list, as in FEEL."""
    items = spread((value, *more))
    result: Any = number(items[0]) if items else None
    for item in items[1:]:
        result = values.calculate("+", result, number(item), meter)
    return result


@function("product")
def product(value: Any, *more: Any, meter: Meter) -> Any:
    """The product of a list or of the arguments; null for an empty list, as in FEEL."""
    items = spread((value, *more))
    result: Any = number(items[0]) if items else None
    for item in items[1:]:
        result = values.calculate("*", result, item, meter)
    return result


@function("mean")
def mean(value: Any, *more: Any, meter: Meter) -> Any:
    """The average of a list or of the arguments; null for an empty list."""
    items = spread((value, *more))
    return values.divide(total(items, meter=meter), len(items)) if items else None


def _check_marks(grouping: Any, decimal: Any) -> None:
    """Refuse marks that FEEL does not have, or one for both; raises Unsuitable."""
    if grouping not in (None, " ", ",", ".") or decimal not in (None, ",", ".") or grouping == (decimal or "."):
        raise Unsuitable("thousands are set apart by a blank, comma or point, decimals by another of the last two")


def _refuse(name: str) -> None:
    raise ValueError(name)


def _extreme(symbol: str, arguments: tuple[Any, ...], meter: Meter) -> Any:
    items = spread(arguments)
    best = items[0] if items else None
    for item in items[1:]:
        if values.compare(symbol, item, best, meter):
            best = item
    return best
