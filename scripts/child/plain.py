"""Library functions that are written in Python, given values of the library's own kinds only.

Such a function calls methods of whatever it gets, keeps it in caches, or asks for its class. With an object of a
script's own class it would do all that on the script's behalf, behind the guards.
"""

import decimal
import fractions
import functools
from collections.abc import Callable, Iterable
from types import NoneType
from typing import Any, cast

from scripts.child.attributes import MEMBERS

NUMBERS = (int, float, decimal.Decimal, fractions.Fraction)

CARRIERS = (BaseException, functools.partial, property)
"""Kinds whose instances can carry functions of a script under any name, as named tuples can: a library function that
calls `text.translate(table)` would call the script and hand it the table."""


def is_plain(value: Any) -> bool:
    """Tell whether a value is of a kind that scripts are given, and neither a class, a function nor their own."""
    kind: type[object] = type(cast("object", value))
    return kind in (NoneType, bool) or (kind in MEMBERS and not issubclass(kind, CARRIERS))


def plain(function: Callable[..., Any], callback: tuple[int, str] | None = None) -> Callable[..., Any]:
    """Return a function that refuses other arguments; `callback` is where it takes a function: place and name."""

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        for place in (*enumerate(args), *kwargs.items()):
            if callback is None or place[0] not in callback or not callable(place[1]):
                _check(function, place[1])
        return function(*args, **kwargs)

    return checked


def numeric(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of `statistics` that takes numbers, and iterables of numbers, only."""

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        return function(*map(_numbers, args), **{name: _numbers(value) for name, value in kwargs.items()})

    return checked


def _numbers(value: Any) -> Any:
    if value is None or isinstance(value, (str, *NUMBERS)):
        return value
    numbers = list(cast("Iterable[Any]", value))
    for number in numbers:
        if not isinstance(number, NUMBERS):
            raise TypeError(f"statistics takes numbers, not a value of type {type(number).__name__}")
    return numbers


def _check(function: Callable[..., Any], value: Any) -> None:
    if not is_plain(value):
        kind = "a class" if isinstance(value, type) else f"a value of type {type(value).__name__}"
        raise TypeError(f"{function.__name__}() cannot take {kind} in scripts")
