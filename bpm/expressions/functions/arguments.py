"""What a function demands of its arguments; each demand raises Unsuitable when it is not met."""

from collections.abc import Mapping
from typing import Any, cast

from bpm.number import Number, exact

from ..errors import Unsuitable
from ..values import NUMBERS, describe

ABSENT: Any = object()
"""The default of an argument that may be left out, where null would mean something else."""


def text(value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise Unsuitable(f"text is needed, not {describe(value)}")
    return value


def number(value: Any) -> int | Number:
    """A number, exact."""
    if type(value) not in NUMBERS:
        raise Unsuitable(f"a number is needed, not {describe(value)}")
    return value if isinstance(value, int | Number) else Number(exact(value))


def whole(value: Any) -> int:
    """A whole number, also when written with decimals as in 2.0."""
    given = number(value)
    if isinstance(given, Number) and not given.is_integer():
        raise Unsuitable("a whole number is needed")
    return int(given)


def place(value: Any) -> int:
    """A position or a length, from which decimals are cut."""
    return int(number(value))


def boolean(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Unsuitable(f"true or false is needed, not {describe(value)}")
    return value


def elements(value: Any) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise Unsuitable(f"a list is needed, not {describe(value)}")
    return cast("list[Any]", value)


def record(value: Any) -> Mapping[str, Any]:
    """An object."""
    if not isinstance(value, Mapping):
        raise Unsuitable(f"an object is needed, not {describe(value)}")
    return cast("Mapping[str, Any]", value)


def spread(arguments: tuple[Any, ...]) -> list[Any]:
    """The elements of `f(list)`, or the arguments of `f(a, b, c)`."""
    if len(arguments) == 1 and isinstance(arguments[0], list):
        return cast("list[Any]", arguments[0])
    return list(arguments)


def span(size: int, start: Any, length: Any) -> slice:
    """The part of `size` elements from `start`, counted from 1 or negative from the end."""
    first = place(start)
    if first == 0:
        raise Unsuitable("positions count from 1")
    begin = first - 1 if first > 0 else max(size + first, 0)
    return slice(begin, None if length is None else begin + max(place(length), 0))
