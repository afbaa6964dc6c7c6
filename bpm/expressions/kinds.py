"""FEEL's types: whether a value is of one, and how a value is made to fit one (DMN 1.5, 10.3.2.9.4)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from bpm.metering import Meter

from .errors import Unsuitable
from .intervals import Interval
from .temporal import CivilDate, DateTime, ExactDuration, Months, Offset, Time, combine
from .values import NUMBERS, describe

ENTRIES_PER_STEP = 4
"""Looking at the type of so many values is about the work of one operator."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type by its name; `test` tells whether a value that is not null is of it, and charges what it looks at."""

    name: str
    test: Callable[[Any, Meter], bool]

    def holds(self, value: Any, meter: Meter) -> bool:
        """Whether a value is of the type; null is of none."""
        return value is not None and self.test(value, meter)

    def fits(self, value: Any, meter: Meter) -> bool:
        """The same for what is inside of a list or context, where null may stand."""
        return value is None or self.test(value, meter)


def _simple(name: str, test: Callable[[Any], bool]) -> Kind:
    return Kind(name, lambda value, _: test(value))


ANY = _simple("Any", lambda _: True)
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        ANY,
        _simple("number", lambda value: type(value) in NUMBERS),
        _simple("string", lambda value: isinstance(value, str)),
        _simple("boolean", lambda value: isinstance(value, bool)),
        _simple("list", lambda value: isinstance(value, list)),
        _simple("context", lambda value: isinstance(value, Mapping)),
        _simple("date", lambda value: isinstance(value, CivilDate)),
        _simple("time", lambda value: isinstance(value, Time)),
        _simple("date and time", lambda value: isinstance(value, DateTime)),
        _simple("days and time duration", lambda value: isinstance(value, ExactDuration)),
        _simple("years and months duration", lambda value: isinstance(value, Months)),
    )
}


@dataclass(frozen=True, slots=True)
class ListKind(Kind):
    """A list whose elements are of one type."""

    element: Kind


@dataclass(frozen=True, slots=True)
class ContextKind(Kind):
    """A context that has these entries, at least, each of its type."""

    entries: Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class FunctionKind(Kind):
    """A function of these parameters and this result."""

    parameters: tuple[Kind, ...]
    result: Kind


def list_of(element: Kind, name: str = "") -> ListKind:
    """The type of a list."""

    def test(value: Any, meter: Meter) -> bool:
        if not isinstance(value, list):
            return False
        items = cast("list[Any]", value)
        meter.charge(1 + len(items) // ENTRIES_PER_STEP)
        return all(element.fits(item, meter) for item in items)

    return ListKind(name or f"list<{element.name}>", test, element)


def context_of(entries: Mapping[str, Kind], name: str = "") -> ContextKind:
    """The type of a context."""

    def test(value: Any, meter: Meter) -> bool:
        if not isinstance(value, Mapping):
            return False
        context = cast("Mapping[str, Any]", value)
        meter.charge(1 + len(entries) // ENTRIES_PER_STEP)
        return all(key in context and kind.fits(context[key], meter) for key, kind in entries.items())

    return ContextKind(name or f"context<{', '.join(entries)}>", test, entries)


def range_of(element: Kind) -> Kind:
    """The type of a range."""

    def test(value: Any, meter: Meter) -> bool:
        return isinstance(value, Interval) and element.fits(value.low, meter) and element.fits(value.high, meter)

    return Kind(f"range<{element.name}>", test)


def function_of(parameters: tuple[Kind, ...], result: Kind, name: str = "") -> FunctionKind:
    """The type of a function: it takes what is given to it, and gives what is wanted."""

    def test(value: Any, _: Meter) -> bool:
        kinds = getattr(value, "kinds", None)
        if kinds is None or len(value.parameters) != len(parameters):
            return False
        takes = all(accepts(ours, theirs) for ours, theirs in zip(kinds, parameters, strict=False))
        return takes and (value.result is ANY or accepts(result, value.result))

    shown = ", ".join(kind.name for kind in parameters)
    return FunctionKind(name or f"function<{shown}>->{result.name}", test, parameters, result)


def accepts(wanted: Kind, given: Kind) -> bool:
    """Whether every value of one type is of another."""
    if wanted is ANY or wanted.name == given.name:
        return True
    return isinstance(wanted, ListKind) and isinstance(given, ListKind) and accepts(wanted.element, given.element)


def converted(value: Any, kind: Kind, meter: Meter) -> Any:
    """The value as one of the type: a list of one as its element and back, a date as its midnight.

    Null stays null. Raises Unsuitable for a value that does not fit.
    """
    if kind is ANY or kind.fits(value, meter):
        return value
    if isinstance(value, list) and len(cast("list[Any]", value)) == 1 and kind.holds(value[0], meter):
        return cast("Any", value[0])
    if isinstance(kind, ListKind) and not isinstance(value, list) and kind.element.holds(value, meter):
        return [value]
    if kind.name == "date and time" and isinstance(value, CivilDate):
        return combine(value, Time(0, Offset(0)))
    raise Unsuitable(f"{describe(value)} is not of the type {kind.name}")
