"""Keywords about a value as a whole, about numbers and about texts."""

import operator
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from bpm.canonical import canonical
from bpm.metering import Meter
from bpm.number import Number, is_multiple
from bpm.shown import shown

from ..check import Keyword, SchemaCheck
from ..leaves import Decided, Pattern, digit_steps
from ..sentences import counted

Numeric = int | float | Number


def is_number(value: object) -> bool:
    """Whether a value is a number, which true and false are not."""
    return isinstance(value, int | float | Number) and not isinstance(value, bool)


TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "number": is_number,
    "integer": lambda value: is_number(value) and (isinstance(value, int) or value.is_integer()),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}


class Type(Keyword):
    """`type`: one of the types of that name; a draft 4 `integer` is written without decimals."""

    def __init__(self, names: str | Sequence[str], is_draft4: bool) -> None:
        self.names = [names] if isinstance(names, str) else sorted(names)
        self.tests = [_whole if name == "integer" and is_draft4 else TYPES[name] for name in self.names]

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether the value is of one of the types."""
        return any(test(value) for test in self.tests)

    def sentence(self, value: object, check: SchemaCheck) -> str:
        """Name the types."""
        listed = ", ".join(f'"{name}"' for name in self.names)
        return f"{shown(value)} is not of type{'' if len(self.names) == 1 else 's'} {listed}"


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


class Enum(Keyword):
    """`enum` and `const`: equal to one of these."""

    def __init__(self, values: Sequence[Any], meter: Meter, is_const: bool) -> None:
        self.values = values
        self.is_const = is_const
        self.known = {canonical(value, meter) for value in values}
        self.longest = max(map(len, self.known), default=0)

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether the value is one of them."""
        if isinstance(value, str) and len(value) > self.longest:
            return False
        return canonical(value, check.meter) in self.known

    def sentence(self, value: object, check: SchemaCheck) -> str:
        """List the first of them."""
        if self.is_const:
            return f"{shown(self.values[0])} was expected"
        listed = [shown(each, 40) for each in self.values[:10]]
        if len(self.values) > len(listed):
            return f"{shown(value)} is not one of {', '.join(listed)} or {len(self.values) - len(listed)} others"
        *most, last = listed or ["nothing"]
        return f"{shown(value)} is not one of {', '.join(most)}{' or ' if most else ''}{last}"


class Bound(Keyword):
    """`minimum`, `maximum` and their exclusive forms."""

    WORDS: ClassVar[dict[str, tuple[Callable[[Any, Any], bool], str]]] = {
        "minimum": (operator.ge, "less than the minimum"),
        "maximum": (operator.le, "greater than the maximum"),
        "exclusiveMinimum": (operator.gt, "less than or equal to the minimum"),
        "exclusiveMaximum": (operator.lt, "greater than or equal to the maximum"),
    }

    def __init__(self, name: str, limit: Numeric) -> None:
        self.limit = limit
        self.compare, self.words = self.WORDS[name]

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether a number is within it."""
        return not is_number(value) or self.compare(value, self.limit)

    def sentence(self, value: object, check: SchemaCheck) -> str:
        """Name the limit."""
        return f"{shown(value)} is {self.words} of {shown(self.limit)}"


class MultipleOf(Keyword):
    """`multipleOf`."""

    def __init__(self, divisor: Numeric) -> None:
        self.divisor = divisor

    def holds(self, value: Any, check: SchemaCheck) -> bool:
        """Whether a number is a multiple, in decimals as they are written."""
        if not is_number(value):
            return True
        check.meter.charge(digit_steps(value))
        return is_multiple(value, self.divisor)

    def sentence(self, value: object, check: SchemaCheck) -> str:
        """Name the divisor."""
        return f"{shown(value)} is not a multiple of {shown(self.divisor)}"


class Length(Keyword):
    """`minLength`, `minItems`, `minProperties` and the same with `max`."""

    def __init__(self, kind: type, limit: float, is_least: bool) -> None:
        self.kind = kind
        self.limit = int(limit)
        self.is_least = is_least

    def holds(self, value: Any, check: SchemaCheck) -> bool:
        """Whether a text, list or object has as many characters, items or properties."""
        if not isinstance(value, self.kind):
            return True
        return len(value) >= self.limit if self.is_least else len(value) <= self.limit

    def sentence(self, value: object, check: SchemaCheck) -> str:
        """Name the limit."""
        if self.kind is str:
            return f"{shown(value)} is {'short' if self.is_least else 'long'}er than {counted(self.limit, 'character')}"
        noun = "item" if self.kind is list else "property"
        return f"{shown(value)} has {'less' if self.is_least else 'more'} than {counted(self.limit, noun)}"


class Matches(Keyword):
    """`pattern`."""

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = pattern

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether the pattern occurs in a text."""
        return not isinstance(value, str) or self.pattern.matches(value, check.meter)

    def sentence(self, value: object, check: SchemaCheck) -> str:
        """Show the pattern."""
        return f'{shown(value)} does not match "{self.pattern.source}"'


class Format(Keyword):
    """`format`, and `contentEncoding` and `contentMediaType` of the drafts 6 and 7."""

    SENTENCES: ClassVar[dict[str, str]] = {
        "format": '{} is not a "{}"',
        "contentEncoding": '{} is not compliant with "{}" content encoding',
        "contentMediaType": '{} is not compliant with "{}" media type',
    }

    def __init__(self, name: str, keyword: dict[str, Any]) -> None:
        self.name = name
        self.format = str(keyword[name])
        self.decided = Decided(keyword)

    def holds(self, value: object, check: SchemaCheck) -> bool:
        """Whether a text is written in that way."""
        return not isinstance(value, str) or self.decided.holds(value, check.meter)

    def sentence(self, value: object, check: SchemaCheck) -> str:
        """Name the format."""
        return self.SENTENCES[self.name].format(shown(value), self.format)
