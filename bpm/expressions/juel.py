"""What the operators of `${…}` do with a text beside a number or a truth value (Jakarta Expression Language, 1.8).

Only there: everywhere else 1 is not "1". A text that is no number stays a text, and equals none.
"""

from collections.abc import Mapping
from typing import Any

from bpm.metering import Meter

from . import values
from .errors import Unsuitable
from .functions.numbers import to_number
from .paths import Evaluator
from .values import NUMBERS


def same(left: Any, right: Any, meter: Meter) -> bool:
    """Whether two values are equal."""
    return values.same(*_comparable(left, right), meter)


def compare(symbol: str, left: Any, right: Any, meter: Meter) -> bool:
    """Order two values."""
    return values.compare(symbol, *_comparable(left, right), meter)


def calculate(symbol: str, left: Any, right: Any, meter: Meter) -> Any:
    """Apply an arithmetic operator: to numbers if both are, whether written as texts or not."""
    numbers = _as_number(left), _as_number(right)
    if all(type(each) in NUMBERS for each in numbers):
        left, right = numbers
    return values.calculate(symbol, left, right, meter)


def negate(value: Any, meter: Meter) -> Any:
    """A number with the other sign."""
    return values.negate(_as_number(value), meter)


def as_condition(part: Evaluator) -> Evaluator:
    """The same, a text as true or false."""

    def evaluate(scope: Mapping[str, Any], meter: Meter) -> Any:
        value = part(scope, meter)
        return _as_truth(value) if isinstance(value, str) else value

    return evaluate


def _comparable(left: Any, right: Any) -> tuple[Any, Any]:
    return _like(left, right), _like(right, left)


def _like(value: Any, other: Any) -> Any:
    """A text as the type of what it is compared with."""
    if not isinstance(value, str):
        return value
    if isinstance(other, bool):
        return _as_truth(value)
    return _as_number(value) if type(other) in NUMBERS else value


def _as_number(value: Any) -> Any:
    try:
        return to_number(value) if isinstance(value, str) else value
    except Unsuitable:
        return value


def _as_truth(text: str) -> bool:
    return text.lower() == "true"
