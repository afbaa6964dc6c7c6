"""Ranges as values: `[1..10]`, `(1..10]`, `(> 5)` (DMN 1.5, 10.3.2.7)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from bpm.metering import Meter

from .errors import Unsuitable
from .values import compare, describe, same

MAX_END = 1_000
"""How many characters a text may have that is an end of a range."""
COMPARISONS: Mapping[str, Callable[[Any], tuple[Any, Any, bool, bool]]] = {
    "<": lambda value: (None, value, False, False),
    "<=": lambda value: (None, value, False, True),
    ">": lambda value: (value, None, False, False),
    ">=": lambda value: (value, None, True, False),
    "=": lambda value: (value, value, True, True),
    "!=": lambda value: (value, value, False, False),
}
"""Low and high end of each comparison as a range, and whether they belong to it."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A range; an end that is None is open for ever.

    `form` is `..` or the comparison it was written as: DMN does not hold `(< 10)` equal to `(null..10)`.
    """

    low: Any
    high: Any
    includes_low: bool
    includes_high: bool
    form: str = ".."
    description: ClassVar[str] = "a range"

    def contains(self, value: Any, meter: Meter) -> bool:
        """Whether a value lies inside; raises Unsuitable when it has no order with the ends."""
        if self.form in ("=", "!="):
            return same(self.low, value, meter) is (self.form == "=")
        if self.low is not None and not compare(">=" if self.includes_low else ">", value, self.low, meter):
            return False
        return self.high is None or compare("<=" if self.includes_high else "<", value, self.high, meter)

    def member(self, name: Any) -> Any:
        """A property by its name; raises KeyError where there is none."""
        return {
            "start": self.low,
            "end": self.high,
            "start included": self.includes_low,
            "end included": self.includes_high,
        }[name]

    def written(self, write: Callable[[Any], str]) -> str:
        """The range as FEEL's text; `write` writes an end."""
        if self.form != "..":
            return f"({self.form} {write(self.high if self.low is None else self.low)})"
        opening, closing = "[" if self.includes_low else "(", "]" if self.includes_high else ")"
        return f"{opening}{write(self.low)}..{write(self.high)}{closing}"


def interval(low: Any, high: Any, includes_low: bool, includes_high: bool, meter: Meter) -> Interval:
    """The range between two ends that have an order; raises Unsuitable otherwise."""
    if low is None and high is None:
        raise Unsuitable("a range needs an end")
    if any(isinstance(end, str) and len(end) > MAX_END for end in (low, high)):
        raise Unsuitable(f"an end of a range has at most {MAX_END} characters")
    if not compare("<=", high if low is None else low, low if high is None else high, meter):
        raise Unsuitable("a range starts at its lower end")
    return Interval(low, high, includes_low and low is not None, includes_high and high is not None)


def compared(operator: str, value: Any) -> Interval:
    """The range that a comparison is: `(> 5)`."""
    if value is None or isinstance(value, Mapping | list) or (isinstance(value, str) and len(value) > MAX_END):
        raise Unsuitable(f"{describe(value)} is no end of a range, or too long for one")
    return Interval(*COMPARISONS[operator](value), operator)
