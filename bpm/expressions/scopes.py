"""What names mean while a loop's body or a filter's condition is evaluated, and how long it may take."""

from collections.abc import Mapping
from typing import Any, cast

from .errors import EvaluationError

MAX_STEPS = 10_000
TEXT_PER_STEP = 64


class Meter:
    """Counts the turns of all loops of one evaluation, and the size of what they collect."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_STEPS

    def turn(self) -> None:
        """Count one turn; raises EvaluationError when there were too many."""
        self.left -= 1
        if self.left < 0:
            raise EvaluationError(f"the loops take more than {MAX_STEPS} turns, or collect too much")

    def collect(self, value: Any) -> None:
        """Count a collected value by its size, so that results cannot grow by repetition."""
        if isinstance(value, str):
            self.left -= len(value) // TEXT_PER_STEP
        elif isinstance(value, list):
            for item in cast("list[Any]", value):
                self.turn()
                self.collect(item)
        elif isinstance(value, Mapping):
            for item in cast("Mapping[str, Any]", value).values():
                self.turn()
                self.collect(item)


class Frame(dict[str, Any]):
    """The scope inside a loop: its variable, then the element's own names, then the names outside."""

    __slots__ = ("element", "meter", "outer")

    def __init__(self, outer: Mapping[str, Any]) -> None:
        super().__init__()
        self.outer = outer
        self.element: Any = None
        self.meter = outer.meter if isinstance(outer, Frame) else Meter()

    def __missing__(self, name: str) -> Any:
        element = self.element
        if isinstance(element, Mapping) and name in element:
            return cast("Mapping[str, Any]", element)[name]
        return self.outer[name]
