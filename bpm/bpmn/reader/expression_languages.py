"""The languages that expressions of a file are said to be written in."""

import re

from bpm.expressions import is_marked
from bpm.model_files.xml import Tag

_EVALUATED = re.compile(r"|feel|juel|https?://www\.omg\.org/spec/(?:dmn/\d+/feel/?|feel/\d+/?)", re.IGNORECASE)
_TIMES = frozenset({"timeDuration", "timeDate", "timeCycle"})


def foreign_language(expression: Tag) -> str:
    """The language that an expression is said to be written in and that isn't evaluated; empty without one.

    What is the same in every language, such as the time PT1H and the number 3, is no expression of any.
    """
    language, text = expression.get("language"), expression.text.strip()
    is_plain = text.isdecimal() or (expression.name in _TIMES and not is_marked(text))
    return "" if is_plain or _EVALUATED.fullmatch(language) else language
