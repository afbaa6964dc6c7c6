"""The built-in functions, named as in FEEL (DMN 1.5, 10.3.4), with short names for some.

None takes a pattern: a regular expression from outside could run for hours. FEEL's `replace` and `matches` are
therefore absent, and `split` takes plain text.
"""

from . import (
    encoding,
    formats,
    identity,
    intervals,
    lists,
    numbers,
    objects,
    ordering,
    rounding,
    signing,
    statistics,
    texts,
    times,
    uuids,
)
from .registry import FUNCTIONS, BuiltinFunction, nearest_function
from .texts import to_text

__all__ = [
    "FUNCTIONS",
    "BuiltinFunction",
    "encoding",
    "formats",
    "identity",
    "intervals",
    "lists",
    "nearest_function",
    "numbers",
    "objects",
    "ordering",
    "rounding",
    "signing",
    "statistics",
    "texts",
    "times",
    "to_text",
    "uuids",
]
