"""JSON from outside, read strictly: RFC 8259 without the leniencies in which two readers may differ.

Refused are duplicate keys, NaN and Infinity, numbers beyond the range of a double (1e999) or of more than a thousand
digits, lone surrogates, anything but UTF-8, a byte order mark, and nesting or a number of values beyond a limit.
Integers stay exact, and so do fractions: they are `bpm.number.Number`.
"""

import json
from codecs import BOM_UTF8
from typing import Any

import msgspec
from pydantic_core import from_json

from bpm.number import NumberError, number_in_json

MAX_DEPTH = 64
MAX_VALUES = 250_000
"""Values in one document: each is looked at one by one, while others wait."""
WHITESPACE = b" \t\r\n"

_exact_reader = msgspec.json.Decoder(float_hook=number_in_json)


class StrictJsonError(ValueError):
    """The text is not the JSON that is accepted here; the message says what is wrong."""


def parse_json(raw: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Read one JSON value from UTF-8; raises StrictJsonError."""
    return parse_with_names(raw, max_depth)[0]


def parse_with_names(raw: bytes, max_depth: int = MAX_DEPTH) -> tuple[Any, set[str]]:
    """Read one JSON value from UTF-8, and return it with the names of all fields in it; raises StrictJsonError."""
    try:
        value = from_json(raw, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise StrictJsonError(_complaint(raw, str(error), max_depth)) from error
    names: set[str] = set()
    keys, has_fractions = _inspect(value, max_depth, names)
    if keys and not _are_all_keys(raw, keys):
        _refuse_duplicates(raw)
    return _with_digits(raw) if has_fractions else value, names


def _inspect(value: Any, max_depth: int, names: set[str]) -> tuple[int, bool]:
    """Count the keys of all objects and take their names, tell whether there are fractions; raises for depth."""
    keys = depth = values = 0
    has_fractions = False
    level: list[Any] = [value]
    while level:
        below: list[Any] = []
        for item in level:
            kind = item.__class__
            if kind is dict:
                keys += len(item)
                names.update(item)
                below += item.values()
            elif kind is list:
                below += item
            elif kind is float:
                has_fractions = True
                if item - item != 0:
                    raise StrictJsonError("a number is too large: it is beyond the range of a double")
        values += len(below)
        if values > MAX_VALUES:
            raise StrictJsonError(f"the JSON has more than {MAX_VALUES} values; send it in parts")
        depth += 1
        if depth > max_depth and any(isinstance(item, dict | list) for item in level):
            raise StrictJsonError(f"the JSON is nested deeper than {max_depth} levels")
        level = below
    return keys, has_fractions


def _with_digits(raw: bytes) -> Any:
    """Read JSON again that is known to be well-formed, its numbers digit for digit.

    Only documents with a fraction or an exponent are read twice: the first reader is faster, and knows doubles only.
    """
    try:
        return _exact_reader.decode(raw)
    except (NumberError, ValueError) as error:
        raise StrictJsonError(str(error)) from error


def _are_all_keys(raw: bytes, keys: int) -> bool:
    """Whether so few colons follow quotes that every key must have been kept; false may be a false alarm."""
    return raw.translate(None, WHITESPACE).count(b'":') == keys


def _refuse_duplicates(raw: bytes) -> None:
    json.loads(raw, object_pairs_hook=_without_duplicates)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise StrictJsonError(f"the key {json.dumps(key[:60])} stands twice in the same object")
        seen.add(key)


def _complaint(raw: bytes, problem: str, max_depth: int) -> str:
    if raw.startswith(BOM_UTF8):
        return "the JSON starts with a byte order mark; leave it out"
    if not raw.strip():
        return "the body is empty; JSON was expected"
    if "recursion limit" in problem:
        return f"the JSON is nested deeper than {max_depth} levels"
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return f"the JSON is not UTF-8: byte {error.start + 1} has no meaning there"
    return f"not valid JSON: {problem}"
