"""Values from outside, which are JSON, as values of the types that a model declares."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from bpm.dmn.failures import DecisionFailed
from bpm.expressions import Unsuitable
from bpm.expressions.functions.numbers import to_number
from bpm.expressions.kinds import ANY, ContextKind, Kind, ListKind, converted, list_of
from bpm.expressions.temporal import CivilDate, to_date, to_datetime, to_duration, to_time
from bpm.expressions.values import describe
from bpm.metering import Meter


def given(value: Any, kind: Kind, name: str, meter: Meter) -> Any:
    """An input as a value of its type, what a context lacks being null; raises DecisionFailed."""
    return fitted(_completed(value, kind, meter), kind, f"the input '{name:.100}'", meter)


def fitted(value: Any, kind: Kind, what: str, meter: Meter) -> Any:
    """The value as one of the type, texts of dates and numbers read as such; raises DecisionFailed.

    `what` begins the sentence.
    """
    if kind is ANY:
        return value
    try:
        return converted(_read(value, kind, meter), kind, meter)
    except Unsuitable as error:
        raise DecisionFailed(f"{what} must be of the type {kind.name}: {error}") from error


def beside(value: Any, kind: Kind, meter: Meter) -> Any:
    """What a value of the type is compared with: a text, or each of a list, as one of that type.

    Raises DecisionFailed for a text that is none: the comparison would be false without a word.
    """
    if not isinstance(value, str | list | CivilDate):
        return value
    try:
        if isinstance(value, list):
            return _read(value, list_of(kind), meter)
        return converted(_read(value, kind, meter), kind, meter)
    except Unsuitable as error:
        raise DecisionFailed(f"a test compares a value of the type {kind.name} with another text: {error}") from error


def _read(value: Any, kind: Kind, meter: Meter) -> Any:
    if isinstance(kind, ListKind):
        if not isinstance(value, list):
            return _read(value, kind.element, meter)
        items = cast("list[Any]", value)
        meter.charge(1 + len(items))
        return [_read(item, kind.element, meter) for item in items]
    if isinstance(value, str):
        reader = _READERS.get(kind.name)
        return reader(value) if reader else value
    if isinstance(kind, ContextKind) and isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        meter.charge(1 + len(entries))
        return {name: _read(each, kind.entries.get(name, ANY), meter) for name, each in entries.items()}
    return value


def _completed(value: Any, kind: Kind, meter: Meter) -> Any:
    """The same with null for each entry that a context of the type lacks."""
    if isinstance(kind, ListKind):
        if not isinstance(value, list):
            return _completed(value, kind.element, meter)
        items = cast("list[Any]", value)
        meter.charge(1 + len(items))
        return [_completed(item, kind.element, meter) for item in items]
    if isinstance(kind, ContextKind) and isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        meter.charge(1 + len(entries) + len(kind.entries))
        missing = {name: None for name in kind.entries if name not in entries}
        return {name: _completed(each, kind.entries.get(name, ANY), meter) for name, each in entries.items()} | missing
    return value


def _boolean(text: str) -> bool:
    if text in ("true", "false"):
        return text == "true"
    raise Unsuitable(f"{describe(text)} is neither true nor false")


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "number": to_number,
    "boolean": _boolean,
    "date": to_date,
    "time": to_time,
    "date and time": to_datetime,
    "days and time duration": to_duration,
    "years and months duration": to_duration,
}
TEMPORAL = frozenset(_READERS) - {"number", "boolean"}
"""The names of the types that JSON has only texts for."""
