"""Functions on texts."""

import re
from decimal import Decimal
from typing import Any

from pydantic_core import PydanticSerializationError

from bpm.exact_json import write_json
from bpm.metering import Meter
from bpm.number import Number, exact

from .. import temporal
from ..errors import EvaluationError, Unsuitable
from ..intervals import Interval
from ..json_values import end_text, to_json
from ..values import CHARACTERS_PER_STEP, MAX_LIST, MAX_TEXT, describe, extent, searching, size, writing
from .arguments import elements, span, text
from .registry import function

LETTERS_PER_STEP = 32
"""Of functions that look at each letter by itself."""
_BLANKS = {code: " " for code in range(0x3001) if chr(code).isspace()}
_ESCAPED = re.compile(r"\\(.)")


def to_text(value: Any, meter: Meter) -> str:
    """A value inside text: texts as they are, null as nothing, everything else as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if not isinstance(value, list | dict):
        meter.charge(writing(value))
        return temporal.to_text(value) if isinstance(value, temporal.Ordered) else _scalar(value)
    meter.charge(size(value, meter, MAX_TEXT) // CHARACTERS_PER_STEP)
    try:
        return write_json(to_json(value)).decode()
    except PydanticSerializationError as error:
        raise Unsuitable("a function cannot be written as text") from error
    except (RecursionError, ValueError) as error:
        raise EvaluationError("a value is nested too deeply") from error


def _scalar(value: Any) -> str:
    """A truth value, number or range as text; raises Unsuitable for anything else."""
    if isinstance(value, Interval):
        return value.written(end_text)
    if not isinstance(value, int | float | Decimal):
        raise Unsuitable(f"{describe(value)} cannot be written as text")
    return str(Number(exact(value))) if isinstance(value, float) else write_json(value).decode()


@function("string", takes_null=True, is_cheap=True)
def string(value: Any, *, meter: Meter) -> str | None:
    """The value as text; null stays null."""
    return None if value is None else to_text(value, meter)


@function("contains", is_condition=True, is_cheap=True)
def contains(value: Any, part: Any, *, meter: Meter) -> bool:
    """Whether a text holds another."""
    meter.charge(searching(text(value), text(part)))
    return text(part) in text(value)


@function("starts with", is_condition=True, is_cheap=True)
def starts_with(value: Any, part: Any, *, meter: Meter) -> bool:
    """Whether a text starts with another."""
    meter.charge(extent(part))
    return text(value).startswith(text(part))


@function("ends with", is_condition=True, is_cheap=True)
def ends_with(value: Any, part: Any, *, meter: Meter) -> bool:
    """Whether a text ends with another."""
    meter.charge(extent(part))
    return text(value).endswith(text(part))


@function("is blank", is_condition=True)
def is_blank(value: Any) -> bool:
    """Whether a text holds nothing but blanks."""
    return not text(value).strip()


@function("upper case", "upper")
def upper_case(value: Any, *, meter: Meter) -> str:
    """The text in capitals."""
    meter.charge(len(text(value)) // LETTERS_PER_STEP)
    return text(value).upper()


@function("lower case", "lower")
def lower_case(value: Any, *, meter: Meter) -> str:
    """The text in small letters."""
    meter.charge(len(text(value)) // LETTERS_PER_STEP)
    return text(value).lower()


@function("trim")
def trim(value: Any) -> str:
    """The text without blanks around it."""
    return text(value).strip()


@function("string length", is_cheap=True)
def string_length(value: Any) -> int:
    """The number of characters."""
    return len(text(value))


@function("substring", is_cheap=True)
def substring(value: Any, start: Any, length: Any = None, *, meter: Meter) -> str:
    """A part of the text, counted from 1, or from the end when negative."""
    part = text(value)[span(len(text(value)), start, length)]
    meter.charge(len(part) // CHARACTERS_PER_STEP)
    return part


@function("substring before")
def substring_before(value: Any, mark: Any, *, meter: Meter) -> str:
    """What stands before the first `mark`; nothing if it does not occur or is empty."""
    meter.charge(searching(text(value), text(mark)))
    before, found, _ = text(value).partition(mark) if text(mark) else ("", "", "")
    return before if found else ""


@function("substring after")
def substring_after(value: Any, mark: Any, *, meter: Meter) -> str:
    """What stands after the first `mark`, everything if that is empty; nothing if it does not occur."""
    meter.charge(searching(text(value), text(mark)))
    return text(value).partition(mark)[2] if text(mark) else text(value)


@function("split")
def split(value: Any, separator: Any, *, meter: Meter) -> list[str]:
    r"""The parts of a text between separators, which are plain text; `\s` is a blank, `\.` and the like a mark."""
    plain = _ESCAPED.sub(_mark, text(separator))
    if not plain:
        raise Unsuitable("the text to split at is empty")
    given = text(value)
    meter.charge(searching(given, plain))
    if r"\s" in separator:
        meter.charge(len(given) // LETTERS_PER_STEP)
        given = given.translate(_BLANKS)
    if given.count(plain) >= MAX_LIST:
        raise EvaluationError(f"a list grew beyond {MAX_LIST} elements")
    return given.split(plain)


@function("string join")
def string_join(items: Any, separator: Any = None, *, meter: Meter) -> str:
    """The texts of a list joined, nulls left out."""
    separator = "" if separator is None else separator
    texts = [text(item) for item in elements(items) if item is not None]
    size(texts, meter, MAX_TEXT)
    size(text(separator), meter, MAX_TEXT // max(len(texts), 1))
    return separator.join(texts)


def _mark(escape: re.Match[str]) -> str:
    character = escape[1]
    if character.isalnum() and character != "s":
        raise Unsuitable(f"split() takes plain text, not the pattern {escape[0]}")
    return " " if character == "s" else character
