"""The built-in functions, named as in FEEL (DMN 1.3, 10.3.4), with short names for some.

None takes a pattern: a regular expression from outside could run for hours. FEEL's `replace`, `matches` and
`sort` are therefore absent.
"""

from . import lists, numbers, objects, texts, times
from .registry import FUNCTIONS, Function, nearest_function
from .texts import to_text

__all__ = ["FUNCTIONS", "Function", "lists", "nearest_function", "numbers", "objects", "texts", "times", "to_text"]
