"""What the operators do with values. Types never mix: 1 is not "1", and true is not 1."""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation, Overflow
from typing import Any, cast

from bpm.metering import Meter
from bpm.number import CONTEXT, PRECISION, Number, NumberError, check_range, exact, floored_remainder

from . import temporal
from .errors import EvaluationError, Unsuitable

MAX_BITS = 1024
MAX_TEXT = 1_048_576
MAX_LIST = 10_000
MAX_SIZE = 16 * MAX_TEXT
SIZE_OF_NODE = 8

CHARACTERS_PER_STEP = 64
NODES_PER_STEP = 3
STEPS_PER_CONTAINER = 2
BITS_PER_STEP = 64
STEPS_PER_DECIMAL = 1
LONG_PART = 128

NUMBERS = frozenset({int, float, Decimal, Number})
ORDERED = frozenset({*NUMBERS, str, *temporal.TEMPORAL})
ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def describe(value: Any) -> str:
    """The name of a value's type as error messages say it; never the value itself."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float | Decimal):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, Mapping):
        return "an object"
    return getattr(value, "description", "") or temporal.describe(value)


def same(left: Any, right: Any, meter: Meter) -> bool:
    """Whether two values are equal; values of different types never are, 1 and 1.0 are both numbers."""
    kind = left.__class__
    if kind is type(right) and kind is not list and kind is not dict:
        if kind is str:
            meter.charge(min(len(left), len(right)) // CHARACTERS_PER_STEP)
        return left == right
    if kind in NUMBERS and type(right) in NUMBERS:
        return left == right
    if isinstance(left, list) and isinstance(right, list):
        ours, theirs = cast("list[Any]", left), cast("list[Any]", right)
        meter.charge(STEPS_PER_CONTAINER)
        return len(ours) == len(theirs) and _all_same(ours, theirs, meter)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        here, there = cast("Mapping[str, Any]", left), cast("Mapping[str, Any]", right)
        meter.charge(STEPS_PER_CONTAINER + len(here))
        return here.keys() == there.keys() and _all_same(here.values(), [there[key] for key in here], meter)
    return False


def _all_same(left: Iterable[Any], right: Iterable[Any], meter: Meter) -> bool:
    for ours, theirs in zip(left, right, strict=True):
        meter.charge(1)
        if not same(ours, theirs, meter):
            return False
    return True


def compare(symbol: str, left: Any, right: Any, meter: Meter) -> bool:
    """Order two numbers, two texts or two times; raises Unsuitable for anything else."""
    kind = left.__class__
    if kind is str:
        meter.charge(len(left) // CHARACTERS_PER_STEP)
    if (kind is type(right) and kind in ORDERED) or (kind in NUMBERS and type(right) in NUMBERS):
        try:
            return ORDERINGS[symbol](left, right)
        except TypeError as error:
            raise Unsuitable("a time with a zone cannot be compared with one without") from error
    raise Unsuitable(f"{describe(left)} cannot be compared with {describe(right)} by {symbol}")


def holds(container: Any, element: Any, meter: Meter) -> bool:
    """Whether a list has an equal element, a text has that part, or an object has that key."""
    if isinstance(container, list):
        return any(_equals(cast("list[Any]", container), element, meter))
    if isinstance(container, str) and isinstance(element, str):
        meter.charge(searching(container, element))
        return element in container
    if isinstance(element, str) and isinstance(container, Mapping):
        return element in container
    raise Unsuitable(f"{describe(container)} cannot contain {describe(element)}")


def _equals(items: list[Any], element: Any, meter: Meter) -> Iterator[bool]:
    for item in items:
        meter.charge(1)
        yield same(item, element, meter)


def searching(text: str, part: str) -> int:
    """How many steps it takes to look for a part of a text, which may nearly occur everywhere in it."""
    return len(text) * (1 + min(len(part), LONG_PART) // 16) // CHARACTERS_PER_STEP


def writing(value: Any) -> int:
    """How many steps it takes to write a number, whose cost grows with the square of its digits."""
    return (value.bit_length() // BITS_PER_STEP) ** 2 // 200 if isinstance(value, int) else 0


def extent(value: Any) -> int:
    """How many steps it takes to read a value once, what is inside of its elements not counted."""
    if isinstance(value, str):
        return len(value) // CHARACTERS_PER_STEP
    if isinstance(value, list | dict):
        return len(cast("list[Any]", value))
    if isinstance(value, int):
        return value.bit_length() // BITS_PER_STEP
    return STEPS_PER_DECIMAL if isinstance(value, Decimal) else 0


def is_empty(value: Any) -> bool:
    """JUEL's `empty`: null, or a text, list or object with nothing in it."""
    return value is None or (isinstance(value, str | list | Mapping) and len(cast("str", value)) == 0)


def bounded(value: Any) -> Any:
    """Return `value` unless it is a number, text or list larger than an expression may produce."""
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise EvaluationError(f"a number grew beyond {MAX_BITS} bits")
    elif isinstance(value, float | Decimal):
        return _number(value)
    elif isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise EvaluationError(f"a text grew beyond {MAX_TEXT} characters")
    elif isinstance(value, list) and len(cast("list[Any]", value)) > MAX_LIST:
        raise EvaluationError(f"a list grew beyond {MAX_LIST} elements")
    return cast("Any", value)


def _number(value: float | Decimal) -> Number:
    """Return a number as it leaves an expression: exact, and one that can be written as JSON."""
    number = value if isinstance(value, Number) else Number(exact(value))
    try:
        check_range(number)
    except NumberError as error:
        raise EvaluationError(f"a number grew beyond what can be written as JSON: {error}") from error
    return Number() if not number and number.adjusted() < -PRECISION else number


def size(value: Any, meter: Meter, limit: int = MAX_SIZE) -> int:
    """About how many characters a value has as JSON; raises EvaluationError beyond `limit`.

    A short expression can name a long value many times, which only shows when the result is written.
    """
    total = 0
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        total += SIZE_OF_NODE
        if isinstance(item, str):
            total += len(item)
        elif isinstance(item, list | Mapping):
            inner = cast("Mapping[str, Any]", item).values() if isinstance(item, Mapping) else cast("list[Any]", item)
            meter.charge(STEPS_PER_CONTAINER + len(inner) // NODES_PER_STEP)
            waiting += inner
        elif isinstance(item, int) and item.bit_length() > BITS_PER_STEP:
            total += item.bit_length() // 3
            meter.charge(writing(item))
        elif isinstance(item, Decimal):
            total += len(item.as_tuple().digits)
        if total > limit:
            raise EvaluationError(f"a value grew beyond {limit} characters")
    return total


def add(left: Any, right: Any) -> Any:
    """Add numbers, join texts, or move a date by a duration."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return left + right if type(left) is type(right) is int else CONTEXT.add(exact(left), exact(right))
    if type(left) is str and type(right) is str:
        return left + right
    return temporal.add(left, right)


def subtract(left: Any, right: Any) -> Any:
    """Subtract numbers, dates or durations."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return left - right if type(left) is type(right) is int else CONTEXT.subtract(exact(left), exact(right))
    return temporal.subtract(left, right)


def multiply(left: Any, right: Any) -> Any:
    """Multiply two numbers, or a duration by a number; a text is never repeated."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return left * right if type(left) is type(right) is int else CONTEXT.multiply(exact(left), exact(right))
    if type(left) in NUMBERS:
        left, right = right, left
    if type(right) in NUMBERS and isinstance(left, temporal.ExactDuration | temporal.Months):
        return temporal.multiply(left, right)
    raise _incalculable(left, right)


def divide(left: Any, right: Any) -> Any:
    """Divide two numbers, a duration by a number or by one of its kind; exact whole results stay integers."""
    if isinstance(left, temporal.ExactDuration | temporal.Months):
        if type(right) is type(left):
            return _quotient(left.position, right.position)
        if type(right) in NUMBERS:
            return temporal.divide(left, right)
    _demand_numbers(left, right)
    return _quotient(left, right)


def _quotient(left: Any, right: Any) -> int | Decimal:
    if right == 0:
        raise ZeroDivisionError
    if type(left) is type(right) is int and left % right == 0:
        return left // right
    return CONTEXT.divide(exact(left), exact(right))


def modulo(left: Any, right: Any) -> Any:
    """The remainder, with the divisor's sign as in FEEL."""
    _demand_numbers(left, right)
    if type(left) is type(right) is int:
        return left % right
    if right == 0:
        raise ZeroDivisionError
    return floored_remainder(exact(left), exact(right))


def power(left: Any, right: Any) -> Any:
    """Raise to a power; refused before computing when the result would be enormous."""
    _demand_numbers(left, right)
    if type(left) is int and type(right) is int and abs(left) > 1 and left.bit_length() * right > 2 * MAX_BITS:
        raise EvaluationError(f"a number grew beyond {MAX_BITS} bits")
    if type(left) is type(right) is int and right >= 0:
        return left**right
    return _power(exact(left), exact(right))


def _power(base: Decimal, exponent: Decimal) -> Decimal:
    if base < 0 and exponent != exponent.to_integral_value():
        raise Unsuitable("a negative number has no such power")
    if base == 0 and exponent < 0:
        raise ZeroDivisionError
    if not base and not exponent:
        return Decimal(1)
    result = CONTEXT.power(base, exponent)
    return result if exponent == exponent.to_integral_value() else result.normalize(CONTEXT)


def negate(value: Any, meter: Meter) -> Any:
    """The number or duration with its sign turned, every digit of a number kept."""
    if isinstance(value, Decimal):
        meter.charge(extent(value))
        return bounded(value.copy_negate())
    return calculate("*", value, -1, meter)


def _demand_numbers(left: Any, right: Any) -> None:
    if type(left) not in NUMBERS or type(right) not in NUMBERS:
        raise _incalculable(left, right)


def _incalculable(left: Any, right: Any) -> Unsuitable:
    return Unsuitable(f"cannot calculate with {describe(left)} and {describe(right)}")


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
    "**": power,
}


def calculate(symbol: str, left: Any, right: Any, meter: Meter) -> Any:
    """Apply an arithmetic operator; raises Unsuitable for wrong types, EvaluationError beyond the limits."""
    meter.charge(extent(left) + extent(right))
    try:
        return bounded(ARITHMETIC[symbol](left, right))
    except (ZeroDivisionError, InvalidOperation) as error:
        raise Unsuitable("division by zero") from error
    except (OverflowError, Overflow) as error:
        raise EvaluationError("a number or date grew beyond the representable") from error
