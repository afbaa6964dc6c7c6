"""Functions on objects and on values that may be missing."""

from collections.abc import Mapping
from typing import Any

from bpm.metering import Meter
from bpm.strict_json import StrictJsonError, parse_json

from ..errors import EvaluationError, Unsuitable
from ..values import MAX_TEXT
from .arguments import elements, record, spread, text
from .registry import function

CHARACTERS_OF_JSON_PER_STEP = 16
MAX_DEPTH = 64
"""How many levels a list of keys may make."""


@function("json", is_cheap=True)
def read_text(value: Any, *, meter: Meter) -> Any:
    """The value that a text holds as JSON; a blank text holds none."""
    given = text(value)
    meter.charge(len(given) // CHARACTERS_OF_JSON_PER_STEP)
    if len(given) > MAX_TEXT:
        raise EvaluationError(f"a text of more than {MAX_TEXT} characters is not read as JSON")
    if not given.strip():
        return None
    try:
        return parse_json(given.encode())
    except UnicodeEncodeError as error:
        raise Unsuitable("half a surrogate pair is not JSON") from error
    except StrictJsonError as error:
        raise Unsuitable(str(error)) from error


@function("get value")
def get_value(value: Any, key: Any) -> Any:
    """The value under a key, or under the last of a list of keys; null if there is none."""
    if not isinstance(key, list):
        return record(value).get(text(key))
    found = value if key else None
    for each in elements(key):
        found = record(found).get(text(each))
    return found


@function("get entries")
def get_entries(value: Any) -> list[dict[str, Any]]:
    """The keys and values of an object as a list of `{key, value}`."""
    return [{"key": key, "value": item} for key, item in record(value).items()]


@function("context")
def context(entries: Any) -> dict[str, Any]:
    """The object of a list of `{key, value}`."""
    made: dict[str, Any] = {}
    for entry in elements(entries):
        if not _is_entry(entry):
            raise Unsuitable("each entry needs a key and a value")
        if text(entry["key"]) in made:
            raise Unsuitable("two entries have one key")
        made[entry["key"]] = entry["value"]
    return made


def _is_entry(value: Any) -> bool:
    return isinstance(value, Mapping) and "key" in value and "value" in value


@function("context put", "put")
def context_put(value: Any, key: Any, new: Any, *, meter: Meter) -> dict[str, Any]:
    """The object with a value under a key, or under the last of a list of keys."""
    first, *rest = (elements(key) if isinstance(key, list) else [key]) or [None]
    if len(rest) >= MAX_DEPTH:
        raise EvaluationError(f"context put(): an object of more than {MAX_DEPTH} levels can't be written")
    meter.charge(len(record(value)) + len(rest))
    given = record(value)
    if rest:
        inner = given.get(text(first))
        new = context_put({} if inner is None else inner, rest, new, meter=meter)
    return {**given, text(first): new}


@function("context merge", "put all")
def context_merge(first: Any, *more: Any, meter: Meter) -> dict[str, Any]:
    """Several objects, or a list of them, as one; the last counts where they share a key."""
    given = spread((first, *more))
    merged: dict[str, Any] = {}
    for each in given:
        meter.charge(len(record(each)))
        merged.update(record(each))
    return merged


@function("is defined", is_condition=True, takes_null=True, is_cheap=True)
def is_defined(value: Any) -> bool:
    """Whether there is a value, and it is not null."""
    return value is not None


@function("get or else", takes_null=True, is_cheap=True)
def get_or_else(value: Any, default: Any) -> Any:
    """The value, or the default if it is missing or null."""
    return default if value is None else value
