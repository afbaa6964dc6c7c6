"""The table of functions, filled by the decorator `function`."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from bpm.metering import Meter

from ..values import extent

ANY_NUMBER = 99
CallableT = TypeVar("CallableT", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class BuiltinFunction:
    """How to call a function: with `least` to `most` arguments.

    `is_condition`: its result is true or false; `takes_null`: a missing argument reaches it as null;
    `reads_scope`: it is called with the scope and its arguments; `is_temporal`: its result is not yet JSON;
    `takes_function`: an argument may be a function; `is_cheap`: its cost does not depend on how large its arguments
    are; `steps`: what a call costs at least;
    `takes_meter`: it charges what it does beyond reading each argument once.
    """

    call: Callable[..., Any]
    least: int
    most: int
    is_condition: bool = False
    takes_null: bool = False
    reads_scope: bool = False
    is_temporal: bool = False
    takes_function: bool = False
    is_cheap: bool = False
    steps: int = 2
    takes_meter: bool = False

    def invoke(self, meter: Meter, *arguments: Any) -> Any:
        """Call it, and charge what it costs."""
        meter.charge(self.steps if self.is_cheap else self.steps + sum(map(extent, arguments)))
        result = self.call(*arguments, meter=meter) if self.takes_meter else self.call(*arguments)
        if not self.is_cheap:
            meter.charge(extent(result))
        return result

    @property
    def arity(self) -> str:
        """How many arguments it takes, in words."""
        if self.most == ANY_NUMBER:
            return f"{self.least} or more"
        return str(self.least) if self.least == self.most else f"{self.least} to {self.most}"


FUNCTIONS: dict[str, BuiltinFunction] = {}


def function(*names: str, **traits: Any) -> Callable[[CallableT], CallableT]:
    """Register the function beneath under `names`; its signature says how many arguments it takes.

    A call is charged the size of its arguments and of its result; one that does more takes a `meter` by name.
    """

    def register(call: CallableT) -> CallableT:
        hidden = ("meter", "scope") if traits.get("reads_scope") else ("meter",)
        parameters = [each for name, each in inspect.signature(call).parameters.items() if name not in hidden]
        takes_meter = "meter" in inspect.signature(call).parameters
        named = [each for each in parameters if each.kind is not each.VAR_POSITIONAL]
        least = sum(each.default is each.empty for each in named)
        most = len(named) if len(named) == len(parameters) else ANY_NUMBER
        for name in names:
            FUNCTIONS[name] = BuiltinFunction(call, least, most, **traits, takes_meter=takes_meter)
        return call

    return register


PATTERNS = ("matches", "replace")


def nearest_function(name: str) -> str:
    """The sentence for a call of an unknown function."""
    if name in PATTERNS:
        return f"{name}() is not evaluated: a regular expression can run for hours; use contains() or a script"
    near = get_close_matches(name, FUNCTIONS, n=1)
    return f"there is no function {name}()" + (f"; did you mean {near[0]}()?" if near else "")
