"""Functions on texts."""

import json
import re
from typing import Any

from .. import dates
from ..errors import EvaluationError, Unsuitable
from ..values import MAX_TEXT, describe, size
from .arguments import elements, span, text
from .registry import function

_ESCAPED = re.compile(r"\\(.)")


def to_text(value: Any) -> str:
    """A value inside text: texts as they are, null as nothing, everything else as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if not isinstance(value, list | dict):
        value = dates.to_json(value)
        return value if isinstance(value, str) else json.dumps(value, default=_as_text)
    size(value, MAX_TEXT)
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_as_text)
    except RecursionError as error:
        raise EvaluationError("a value is nested too deeply") from error


def _as_text(value: Any) -> Any:
    """A date inside a list or object; raises Unsuitable for what is not JSON at all."""
    written = dates.to_json(value)
    if not isinstance(written, str):
        raise Unsuitable(f"{describe(value)} cannot be written as text")
    return written


@function("string", takes_null=True)
def string(value: Any) -> str | None:
    """The value as text; null stays null."""
    return None if value is None else to_text(value)


@function("contains", is_condition=True)
def contains(value: Any, part: Any) -> bool:
    """Whether a text holds another."""
    return text(part) in text(value)


@function("starts with", is_condition=True)
def starts_with(value: Any, part: Any) -> bool:
    """Whether a text starts with another."""
    return text(value).startswith(text(part))


@function("ends with", is_condition=True)
def ends_with(value: Any, part: Any) -> bool:
    """Whether a text ends with another."""
    return text(value).endswith(text(part))


@function("is blank", is_condition=True)
def is_blank(value: Any) -> bool:
    """Whether a text holds nothing but blanks."""
    return not text(value).strip()


@function("upper case", "upper")
def upper_case(value: Any) -> str:
    """The text in capitals."""
    return text(value).upper()


@function("lower case", "lower")
def lower_case(value: Any) -> str:
    """The text in small letters."""
    return text(value).lower()


@function("trim")
def trim(value: Any) -> str:
    """The text without blanks around it."""
    return text(value).strip()


@function("string length")
def string_length(value: Any) -> int:
    """The number of characters."""
    return len(text(value))


@function("substring")
def substring(value: Any, start: Any, length: Any = None) -> str:
    """A part of the text, counted from 1, or from the end when negative."""
    return text(value)[span(len(value), start, length)]


@function("substring before")
def substring_before(value: Any, mark: Any) -> str:
    """What stands before the first `mark`; nothing if it does not occur or is empty."""
    before, found, _ = text(value).partition(mark) if text(mark) else ("", "", "")
    return before if found else ""


@function("substring after")
def substring_after(value: Any, mark: Any) -> str:
    """What stands after the first `mark`, everything if that is empty; nothing if it does not occur."""
    return text(value).partition(mark)[2] if text(mark) else text(value)


@function("split")
def split(value: Any, separator: Any) -> list[str]:
    r"""The parts of a text between separators, which are plain text; `\s` is a blank, `\.` and the like a mark."""
    plain = _ESCAPED.sub(_mark, text(separator))
    if not plain:
        raise Unsuitable("the text to split at is empty")
    return (re.sub(r"\s", " ", text(value)) if r"\s" in separator else text(value)).split(plain)


@function("string join")
def string_join(items: Any, separator: Any = None) -> str:
    """The texts of a list joined, nulls left out."""
    separator = "" if separator is None else separator
    texts = [text(item) for item in elements(items) if item is not None]
    size(texts, MAX_TEXT)
    size(text(separator), MAX_TEXT // max(len(texts), 1))
    return separator.join(texts)


def _mark(escape: re.Match[str]) -> str:
    character = escape[1]
    if character.isalnum() and character != "s":
        raise Unsuitable(f"split() takes plain text, not the pattern {escape[0]}")
    return " " if character == "s" else character
