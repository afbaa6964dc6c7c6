"""Functions as values: `function(a, b) a + b`, business knowledge models, and the built-in ones by their names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from bpm.metering import Meter

from .errors import EvaluationError, Unsuitable
from .kinds import ANY, Kind, converted
from .values import describe

MAX_CALLS = 64
"""How deep functions may call each other, and themselves."""
STEPS_PER_CALL = 4


@dataclass(frozen=True, slots=True)
class FunctionValue:
    """A function: the names and types of its parameters, and what it does with as many values."""

    parameters: tuple[str, ...]
    run: Callable[[Sequence[Any], Meter], Any]
    kinds: tuple[Kind, ...] = ()
    result: Kind = ANY
    description: ClassVar[str] = "a function"

    def arranged(self, values: Sequence[Any], names: Sequence[str], meter: Meter) -> Sequence[Any]:
        """The values in the order of the parameters, `names` saying which each is for; raises Unsuitable."""
        if len(values) != len(self.parameters) or (names and set(names) != set(self.parameters)):
            raise Unsuitable(f"a function of {len(self.parameters)} parameters is called with other arguments")
        given = dict(zip(names, values, strict=True)) if names else {}
        ordered = [given[name] for name in self.parameters] if names else values
        if not self.kinds:
            return ordered
        return [converted(value, kind, meter) for value, kind in zip(ordered, self.kinds, strict=True)]


def invoke(function: Any, values: Sequence[Any], meter: Meter, names: Sequence[str] = ()) -> Any:
    """Call a function; raises Unsuitable for anything else, and for other arguments than it takes."""
    if not isinstance(function, FunctionValue):
        raise Unsuitable(f"only a function can be called, not {describe(function)}")
    meter.charge(STEPS_PER_CALL + len(values))
    if meter.depth >= MAX_CALLS:
        raise EvaluationError(f"functions call each other more than {MAX_CALLS} deep")
    meter.depth += 1
    try:
        return converted(function.run(function.arranged(values, names, meter), meter), function.result, meter)
    finally:
        meter.depth -= 1
