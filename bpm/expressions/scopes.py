"""What names mean while a loop's body or a filter's condition is evaluated, and how long it may take."""

import time
from collections.abc import Mapping
from typing import Any, cast

from .errors import EvaluationError
from .values import size

MAX_STEPS = 10_000
MAX_SECONDS = 0.5
SIZE_PER_STEP = 64


class Meter:
    """Counts the turns of all loops of one evaluation, their time, and the size of what they collect."""

    __slots__ = ("deadline", "left")

    def __init__(self) -> None:
        self.left = MAX_STEPS
        self.deadline = time.thread_time() + MAX_SECONDS

    def turn(self) -> None:
        """Count one turn; raises EvaluationError when there were too many, or when they took too long."""
        self.left -= 1
        if self.left < 0:
            raise EvaluationError(f"the loops take more than {MAX_STEPS} turns, or collect too much")
        if time.thread_time() > self.deadline:
            raise EvaluationError(f"the loops take more than {MAX_SECONDS} s of processor time")

    def collect(self, value: Any) -> None:
        """Count a collected value by its size, so that results cannot grow by repetition."""
        self.left -= size(value) // SIZE_PER_STEP


class Frame(dict[str, Any]):
    """The scope inside a loop: its variable, then the element's own names, then the names outside."""

    __slots__ = ("element", "meter", "outer")

    def __init__(self, outer: Mapping[str, Any]) -> None:
        super().__init__()
        self.outer = outer
        self.element: Any = None
        self.meter = outer.meter if isinstance(outer, Frame) else Meter()

    def look_at(self, element: Any) -> None:
        """See an element by its own names, and as a whole as `item` unless it has such a name."""
        self.element = element
        if isinstance(element, Mapping) and "item" in element:
            self.pop("item", None)
        else:
            self["item"] = element

    def __missing__(self, name: str) -> Any:
        element = self.element
        if isinstance(element, Mapping) and name in element:
            return cast("Mapping[str, Any]", element)[name]
        return self.outer[name]
