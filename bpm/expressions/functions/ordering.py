"""Sorting by a function of the modeller's own."""

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from ..errors import Unsuitable
from .arguments import elements
from .registry import function


@function("sort", takes_function=True)
def sort(items: Any, precedes: Any) -> list[Any]:
    """The list in the order of `function(a, b)`, which says whether `a` stands before `b`; equals keep theirs."""
    if not callable(precedes):
        raise Unsuitable("sort() needs a list and a function such as function(a, b) a < b")
    return sorted(elements(items), key=cmp_to_key(_comparison(precedes)))


def _comparison(precedes: Callable[[Any, Any], Any]) -> Callable[[Any, Any], int]:
    def compare(left: Any, right: Any) -> int:
        if precedes(left, right) is True:
            return -1
        return 1 if precedes(right, left) is True else 0

    return compare
