"""Names that rows are looked up by: short enough for an index of every database, and without NUL."""

from typing import Any

from bpm.expressions import EvaluationError

MAX_NAME = 200
"""So many characters a name may have, whether it is written in a diagram or comes out of an expression."""
MAX_KEY = 400
"""So many characters a correlation key may have."""


def is_name(text: str, most: int = MAX_NAME) -> bool:
    """Whether a text can be looked up."""
    return 0 < len(text) <= most and "\0" not in text


def name_of(value: Any, what: str) -> str:
    """Return a value as a name; raises EvaluationError for one that can't be looked up. `what` begins the sentence."""
    name = str(value)
    if not is_name(name):
        raise EvaluationError(f"{what} must be a text of at most {MAX_NAME} characters, not {name!r:.300}")
    return name
