"""FEEL's arguments of built-in functions, and these functions as values."""

from collections.abc import Mapping
from typing import Any, cast

from bpm.metering import Meter

from .errors import Unsuitable
from .feel_lists import many
from .function_values import FunctionValue
from .functions import FUNCTIONS
from .functions.parameters import SIGNATURES
from .paths import Evaluator


def fitting(argument: Evaluator, kind: str) -> Evaluator:
    """An argument of a built-in function in FEEL: one value for a list, a list of one for a value."""
    if kind in ("Any", "function"):
        return argument
    if kind == "list":
        return lambda scope, meter: None if (value := argument(scope, meter)) is None else many(value)

    def single(scope: Mapping[str, Any], meter: Meter) -> Any:
        value = argument(scope, meter)
        if not isinstance(value, list):
            return value
        items = cast("list[Any]", value)
        if len(items) != 1:
            raise Unsuitable(f"a value of the type {kind} is needed, not a list")
        return items[0]

    return single


def built_in(name: str) -> FunctionValue:
    """A built-in function as a value."""
    function = FUNCTIONS[name]
    form = next(iter(SIGNATURES.get(name, ())), ())
    return FunctionValue(tuple(each for each, _ in form), lambda values, meter: function.invoke(meter, *values))
