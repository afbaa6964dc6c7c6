"""Values at the edge of a script: what comes out becomes JSON, counted and checked on both sides."""

import datetime
import decimal
import math
import uuid
from collections import deque
from collections.abc import ItemsView, Iterable, KeysView, Mapping, ValuesView
from itertools import chain
from types import NoneType
from typing import Any, cast

from bpm.number import Number, NumberError, check_range, is_in_range

VALUES = 100_000
"""How many values may leave a script at once unless told otherwise."""

DEPTH = 100
"""How deep a value may nest when it leaves a script."""

INTEGER_BITS = 8_000
"""Larger integers do not travel: the server could not write them down as JSON."""

_BIGGEST = 1 << INTEGER_BITS
JSON_TYPES = {NoneType, bool, int, float, Number, str, list, dict}

SHOWN_DEPTH = 8
"""A place deeper than this is not spelled out."""

TEXTUAL = (decimal.Decimal, datetime.datetime, datetime.date, datetime.time, uuid.UUID)
SEQUENCES: tuple[Any, ...] = (list, tuple, set, frozenset, deque, range, KeysView, ValuesView, ItemsView)


class TooLargeError(Exception):
    """A value that leaves a script is larger than its limit."""


class _UnfitError(Exception):
    """A value that JSON cannot hold; the path to it is collected on the way out."""

    def __init__(self, kind: type[Exception], words: str) -> None:
        super().__init__(words)
        self.kind = kind
        self.path: list[str] = []

    def for_script(self, place: str) -> Exception:
        """Return the error as a script sees it."""
        steps = "".join(reversed(self.path)) if len(self.path) <= SHOWN_DEPTH else ""
        return self.kind(f"{place}{steps} {self}")


class Outgoing:
    """Turns values of a script into JSON types, counting bytes as it goes.

    Numbers of JSON stay exact. Other Decimals, UUID, dates and times become strings (ISO 8601), tuples and sets
    become lists, keys become strings as `json.dumps` does it.
    """

    def __init__(self, room: int, values: int = VALUES) -> None:
        self._room = room
        self._size = room
        self._values = values
        self._most = values

    def convert(self, value: Any, place: str) -> Any:
        """Return the JSON form of a value.

        Raises TypeError or ValueError, naming the place, for what JSON cannot hold, and TooLargeError as soon
        as everything converted takes more than the room.
        """
        try:
            return self._value(value, 0)
        except _UnfitError as error:
            raise error.for_script(place) from None

    def _value(self, value: object, depth: int) -> Any:
        self._values -= 1
        if self._values < 0:
            raise TooLargeError(f"{self._most} values (limit result_values)")
        if isinstance(value, str):
            return self._text(value)
        if value is None or value is True or value is False:
            self._take(1)
            return value
        if isinstance(value, (int, float)):
            return self._number(value)
        if isinstance(value, Number):
            return self._decimal(value)
        if isinstance(value, TEXTUAL):
            return self._text(_text_of(value))
        if depth == DEPTH:
            raise _UnfitError(ValueError, f"nests more than {DEPTH} levels deep, or contains itself")
        self._take(1)
        if isinstance(value, Mapping):
            return self._mapping(cast("Mapping[Any, Any]", value), depth + 1)
        if isinstance(value, SEQUENCES):
            return self._sequence(cast("Iterable[Any]", value), depth + 1)
        raise _UnfitError(TypeError, f"is {_kind(value)}, which JSON cannot hold{_advice(value)}")

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        converted: dict[str, Any] = {}
        for key, item in value.items():
            try:
                converted[self._key(key)] = self._value(item, depth)
            except _UnfitError as error:
                error.path.append(f"[{key!r}]")
                raise
        return converted

    def _sequence(self, value: Iterable[Any], depth: int) -> list[Any]:
        converted: list[Any] = []
        for at, item in enumerate(value):
            try:
                converted.append(self._value(item, depth))
            except _UnfitError as error:
                error.path.append(f"[{at}]")
                raise
        return converted

    def _key(self, key: object) -> str:
        if isinstance(key, str):
            return self._text(key)
        if key is None or isinstance(key, bool):
            return self._text({None: "null", True: "true", False: "false"}[key])
        if isinstance(key, (int, float, *TEXTUAL)):
            return self._text(_text_of(key))
        raise _UnfitError(TypeError, f"is under a key that is {_kind(key)}; keys must be text or numbers")

    def _text(self, value: str) -> str:
        self._take(len(value) + 1)
        if not value.isascii():
            try:
                self._take(len(value.encode()) - len(value))
            except UnicodeEncodeError:
                raise _UnfitError(ValueError, "has half of a surrogate pair in it, which is not valid text") from None
        return str(value)

    def _number(self, value: float) -> float:
        if isinstance(value, int):
            if value.bit_length() > INTEGER_BITS:
                raise _UnfitError(ValueError, f"is an integer of more than {INTEGER_BITS} bits; return it as text")
            self._take(1 + value.bit_length() // 8)
            return int(value)
        if not math.isfinite(value):
            raise _UnfitError(ValueError, f"is {value!r}, which JSON cannot hold")
        self._take(9)
        return float(value)

    def _decimal(self, value: Number) -> Number:
        try:
            check_range(value)
        except NumberError as error:
            raise _UnfitError(ValueError, f"is {value!r}: {error}") from None
        self._take(1 + len(str(value)))
        return value

    def _take(self, size: int) -> None:
        self._room -= size
        if self._room < 0:
            raise TooLargeError(f"{self._size} bytes (limit result_bytes)")


def verify(value: Any, most: int = VALUES) -> None:
    """Check that a value read from a frame has JSON types only, and at most so many values; raises ValueError if not.

    It goes level by level, so that the interpreter's C code does nearly all of the work.
    """
    level: list[Any] = [value]
    for _ in range(DEPTH + 2):
        most -= len(level)
        if most < 0:
            raise ValueError("more values than may leave a script as JSON")
        level = _below(level)
        if not level:
            return
    raise ValueError("a value that nests deeper than JSON from a script may")


def _below(level: list[Any]) -> list[Any]:
    """Return what is in the lists and dictionaries of one level, after a look at the rest of it."""
    kinds = set(map(type, level))
    if not kinds <= JSON_TYPES:
        raise ValueError("a value that JSON cannot hold")
    if int in kinds and not all(_BIGGEST > item > -_BIGGEST for item in level if type(item) is int):
        raise ValueError("a number that JSON cannot hold")
    if Number in kinds and not all(map(is_in_range, (item for item in level if type(item) is Number))):
        raise ValueError("a number that JSON cannot hold")
    if float in kinds and not all(math.isfinite(item) for item in level if type(item) is float):
        raise ValueError("a number that JSON cannot hold")
    maps: list[dict[Any, Any]] = [item for item in level if type(item) is dict] if dict in kinds else []
    if not set(map(type, chain.from_iterable(maps))) <= {str}:
        raise ValueError("a key that is not text")
    lists: list[list[Any]] = [item for item in level if type(item) is list] if list in kinds else []
    return [*chain.from_iterable(lists), *chain.from_iterable(item.values() for item in maps)]


def incoming(value: object) -> Any:
    """Return the text of a value that a caller may hand to a script besides JSON types; raises TypeError."""
    if isinstance(value, TEXTUAL):
        return _text_of(value)
    raise TypeError(f"A value of type {type(value).__name__} cannot be given to a script.")


def _text_of(value: object) -> str:
    return value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else str(value)


def _kind(value: object) -> str:
    return "a function" if callable(value) else f"a value of type {type(value).__name__}"


def _advice(value: object) -> str:
    if isinstance(value, (bytes, bytearray)):
        return "; decode it or use base64"
    return "; wrap it in list(...)" if hasattr(value, "__next__") else ""
