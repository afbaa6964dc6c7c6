"""Values at the edge of a script: what comes out becomes JSON, counted and checked on both sides."""

import datetime
import decimal
import math
import uuid
from collections import deque
from collections.abc import ItemsView, Iterable, KeysView, Mapping, ValuesView
from typing import Any, cast

DEPTH = 100
"""How deep a value may nest when it leaves a script."""

INTEGER_BITS = 8_000
"""Larger integers do not travel: the server could not write them down as JSON."""

TEXTUAL = (decimal.Decimal, datetime.datetime, datetime.date, datetime.time, uuid.UUID)
SEQUENCES: tuple[Any, ...] = (list, tuple, set, frozenset, deque, range, KeysView, ValuesView, ItemsView)


class TooLargeError(Exception):
    """A value that leaves a script is larger than its limit."""


class Outgoing:
    """Turns one value of a script into JSON types, counting bytes as it goes.

    Decimal, UUID, dates and times become strings (ISO 8601), tuples and sets become lists, keys become
    strings as `json.dumps` does it. Raises TypeError or ValueError, naming the place, for what JSON cannot
    hold, and TooLargeError as soon as the count passes the room.
    """

    def __init__(self, room: int) -> None:
        self._room = room

    def convert(self, value: Any, place: str = "result", depth: int = 0) -> Any:
        """Return the JSON form of a value found at `place`."""
        if value is None or value is True or value is False:
            self._take(1)
            return value
        if isinstance(value, str):
            return self._text(value, place)
        if isinstance(value, (int, float)):
            return self._number(value, place)
        if isinstance(value, TEXTUAL):
            return self._text(_text_of(value), place)
        if depth == DEPTH:
            raise ValueError(f"{place.partition('[')[0]} nests more than {DEPTH} levels deep, or contains itself")
        self._take(1)
        if isinstance(value, Mapping):
            return self._mapping(cast("Mapping[Any, Any]", value), place, depth)
        if isinstance(value, SEQUENCES):
            items = cast("Iterable[Any]", value)
            return [self.convert(item, f"{place}[{at}]", depth + 1) for at, item in enumerate(items)]
        raise TypeError(f"{place} is {_kind(value)}, which JSON cannot hold{_advice(value)}")

    def _mapping(self, value: Mapping[Any, Any], place: str, depth: int) -> dict[str, Any]:
        return {
            self._key(key, place): self.convert(item, f"{place}[{key!r}]" if depth < 8 else place, depth + 1)
            for key, item in value.items()
        }

    def _key(self, key: Any, place: str) -> str:
        if isinstance(key, str):
            return self._text(key, place)
        if key is None or isinstance(key, bool):
            return self._text({None: "null", True: "true", False: "false"}[key], place)
        if isinstance(key, (int, float, *TEXTUAL)):
            return self._text(_text_of(key), place)
        raise TypeError(f"{place} has a key that is {_kind(key)}; keys must be text or numbers")

    def _text(self, value: str, place: str) -> str:
        self._take(len(value) + 1)
        try:
            self._take(len(value.encode()) - len(value))
        except UnicodeEncodeError:
            raise ValueError(f"{place} has half of a surrogate pair in it, which is not valid text") from None
        return str(value)

    def _number(self, value: float, place: str) -> float:
        if isinstance(value, int):
            if value.bit_length() > INTEGER_BITS:
                raise ValueError(f"{place} is an integer of more than {INTEGER_BITS} bits; return it as text")
            self._take(1 + value.bit_length() // 8)
            return int(value)
        if not math.isfinite(value):
            raise ValueError(f"{place} is {value!r}, which JSON cannot hold")
        self._take(9)
        return float(value)

    def _take(self, size: int) -> None:
        self._room -= size
        if self._room < 0:
            raise TooLargeError


def verify(value: Any, depth: int = 0) -> None:
    """Check that a value read from a frame has JSON types only; raises ValueError if not."""
    if value is None or isinstance(value, (str, bool)):
        return
    if isinstance(value, (int, float)):
        if not math.isfinite(value) or (isinstance(value, int) and value.bit_length() > INTEGER_BITS):
            raise ValueError("a number that JSON cannot hold")
        return
    if depth > DEPTH or not isinstance(value, (list, dict)):
        raise ValueError("a value that JSON cannot hold")
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in cast("dict[Any, Any]", value)):
            raise ValueError("a key that is not text")
        value = cast("dict[str, Any]", value).values()
    for item in cast("Iterable[Any]", value):
        verify(item, depth + 1)


def is_header_text(value: Any) -> bool:
    """Tell whether a value is text without control characters, as a header of HTTP must be."""
    return isinstance(value, str) and not any(ord(char) < 32 or char == "\x7f" for char in value)


def incoming(value: Any) -> Any:
    """Return the text of a value that a caller may hand to a script besides JSON types; raises TypeError."""
    if isinstance(value, TEXTUAL):
        return _text_of(value)
    raise TypeError(f"A value of type {type(value).__name__} cannot be given to a script.")


def _text_of(value: Any) -> str:
    return value.isoformat() if isinstance(value, (datetime.date, datetime.time)) else str(value)


def _kind(value: Any) -> str:
    return "a function" if callable(value) else f"a value of type {type(value).__name__}"


def _advice(value: Any) -> str:
    if isinstance(value, (bytes, bytearray)):
        return "; decode it or use base64"
    return "; wrap it in list(...)" if hasattr(value, "__next__") else ""
