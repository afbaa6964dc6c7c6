"""Attributes of C objects that scripts may read, but not as they are: a copy, or one whose owner is kept."""

import decimal
import functools
import re
from collections.abc import Callable
from typing import Any

_contexts: dict[int, decimal.Context] = {}
"""Contexts whose flags or traps the run has read. These are views that do not keep their context: they would go on
reading and writing its memory when it is freed."""


def forget() -> None:
    """Let go of what the last run has read."""
    _contexts.clear()


def _signals(name: str) -> Callable[[decimal.Context], Any]:
    def read(context: decimal.Context) -> Any:
        _contexts[id(context)] = context
        return getattr(context, name)

    return read


def _group_names(pattern: re.Pattern[Any]) -> dict[str, int]:
    return dict(pattern.groupindex)


def _keywords(partial: functools.partial[Any]) -> dict[str, Any]:
    return dict(partial.keywords)


READINGS: dict[str, dict[type, Callable[[Any], Any]]] = {
    "groupindex": {re.Pattern: _group_names},
    "keywords": {functools.partial: _keywords},
    "flags": {decimal.Context: _signals("flags")},
    "traps": {decimal.Context: _signals("traps")},
}
"""How a script reads an attribute, by its name, of a kind of object. Of names of groups and keywords it gets a copy: a
comparison or a `repr` in its hands could change the original while C code goes through it."""
