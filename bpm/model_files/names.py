"""Names that rows are looked up by: short enough for an index of every database, and without NUL."""

from decimal import Decimal
from typing import Any

from bpm.expressions import EvaluationError

MAX_NAME = 200
"""Maximum length of a name, whether it is written in a diagram or comes out of an expression."""
MAX_KEY = 400
"""Maximum length of a correlation key."""


def is_name(text: str, most: int = MAX_NAME) -> bool:
    """Whether a text can be looked up."""
    return 0 < len(text) <= most and "\0" not in text


def key_text(value: Any) -> str | None:
    """A value as the text it is looked up by; None unless it is a text or a number.

    Numbers that are equal give the same text: 7, 7.0 and 7.00 are `7`, 0.10 is `0.1`.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(str(value))
    if not number.is_finite() or abs(number.adjusted()) > MAX_KEY:
        return None
    text = f"{number:f}"
    return "0" if not number else text.rstrip("0").rstrip(".") if "." in text else text


def name_of(value: Any, what: str) -> str:
    """Return a value as a name; raises EvaluationError for one that can't be looked up. `what` begins the sentence."""
    text = key_text(value)
    name = str(value) if text is None else text
    if not is_name(name):
        raise EvaluationError(f"{what} must be a text of at most {MAX_NAME} characters, not {name!r:.300}")
    return name
