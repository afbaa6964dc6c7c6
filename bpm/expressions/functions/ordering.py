"""Sorting by a function of the modeller's own."""

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from bpm.metering import Meter

from ..errors import Unsuitable
from ..function_values import FunctionValue, invoke
from .arguments import elements
from .registry import function


@function("sort", takes_function=True)
def sort(items: Any, precedes: Any, *, meter: Meter) -> list[Any]:
    """The list in the order of `function(a, b)`, which says whether `a` stands before `b`; equals keep theirs."""
    if not isinstance(precedes, FunctionValue):
        raise Unsuitable("sort() needs a list and a function such as function(a, b) a < b")
    return sorted(elements(items), key=cmp_to_key(_comparison(precedes, meter)))


def _comparison(precedes: FunctionValue, meter: Meter) -> Callable[[Any, Any], int]:
    def compare(left: Any, right: Any) -> int:
        if invoke(precedes, (left, right), meter) is True:
            return -1
        return 1 if invoke(precedes, (right, left), meter) is True else 0

    return compare
