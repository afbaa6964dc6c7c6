"""What a foreign library decides for one text: patterns and formats.

`jsonschema_rs` matches patterns with an engine that never backtracks, in ECMA's notation. It is given one text at a
time, whose cost is known beforehand: it could not be stopped.
"""

from collections.abc import Callable
from typing import Any

from bpm.metering import Meter

from .errors import SchemaError

Leaf = Callable[[Any], bool]

SIZES = ((10_000, 25, 4), (100_000, 400, 1), (1_000_000, 5_000, 0.125), (10_000_000, 25_000, 0.015))
"""For patterns whose machine takes so many bytes: the steps to compile it, and characters matched in one step."""
CHARACTERS_PER_STEP = 32
DIGITS_PER_STEP = 100


def leaf(keyword: dict[str, Any], size_limit: int | None = None) -> Leaf:
    """Return the test of one keyword; raises `ValueError` when it can't be used."""
    import jsonschema_rs  # 5 MB, which few installations need

    options = jsonschema_rs.RegexOptions(size_limit=size_limit)
    return jsonschema_rs.validator_for(keyword, pattern_options=options, validate_formats=True, offline=True).is_valid


class Pattern:
    """A regular expression and what it costs."""

    def __init__(self, source: str, meter: Meter) -> None:
        """Compile it; raises `SchemaError`, and `OverBudget` when a schema has too many large ones."""
        self.source = source
        for size, steps, characters in SIZES:
            meter.charge(steps)
            try:
                self._matches = leaf({"pattern": source}, size)
            except ValueError:
                continue
            self._characters = characters
            return
        raise SchemaError(
            f'is not a JSON Schema: "{source[:200]}" is not a "regex" that can be matched in linear time: leave out '
            "look-around, back-references and very large repetitions"
        )

    def matches(self, text: str, meter: Meter) -> bool:
        """Whether the pattern occurs in a text."""
        meter.charge(1 + int(len(text) / self._characters))
        return self._matches(text)


def digit_steps(value: object) -> int:
    """Return how many steps it takes to look at every digit of a number."""
    return 1 + (value.bit_length() // DIGITS_PER_STEP if isinstance(value, int) else 0)


class Decided:
    """A keyword on one text that the library decides, such as `format`."""

    def __init__(self, keyword: dict[str, Any]) -> None:
        """Take the keyword as a schema of its own."""
        self._is_valid = leaf(keyword)

    def holds(self, value: object, meter: Meter) -> bool:
        """Whether a text satisfies it."""
        if isinstance(value, str):
            meter.charge(1 + len(value) // CHARACTERS_PER_STEP)
        return self._is_valid(value)
