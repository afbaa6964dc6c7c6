"""Iterators of `itertools` that call a script's own methods in the middle of a step, here as generators.

The standard library's are written in C and do not expect to be asked for the next step by the very method that they
call: what they still hold is then freed. A generator says that it is running already.
"""

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

NOTHING = object()


def groupby(iterable: Iterable[Any], key: Callable[[Any], Any] | None = None) -> Iterator[tuple[Any, Iterator[Any]]]:
    """Yield neighbours that have the same key as that key and an iterator over them."""
    keyed = ((item if key is None else key(item), item) for item in iterable)
    ahead: list[tuple[Any, Any]] = []
    while _look_ahead(keyed, ahead):
        name = ahead[0][0]
        group = _group(name, keyed, ahead)
        yield name, group
        for _ in group:
            pass


def _group(name: Any, keyed: Iterator[tuple[Any, Any]], ahead: list[tuple[Any, Any]]) -> Iterator[Any]:
    while _look_ahead(keyed, ahead) and (ahead[0][0] is name or ahead[0][0] == name):
        yield ahead.pop()[1]


def _look_ahead(keyed: Iterator[tuple[Any, Any]], ahead: list[tuple[Any, Any]]) -> bool:
    """Read an item that belongs to no group yet, unless there is one; tell whether there is one now."""
    found: Any = NOTHING if ahead else next(keyed, NOTHING)
    if found is not NOTHING:
        ahead.append(found)
    return bool(ahead)


def accumulate(
    iterable: Iterable[Any], func: Callable[[Any, Any], Any] | None = None, *, initial: Any = None
) -> Iterator[Any]:
    """Yield the sums, or what else a function makes, of all items so far."""
    join = operator.add if func is None else func
    items = iter(iterable)
    total: Any = next(items, NOTHING) if initial is None else initial
    if total is NOTHING:
        return
    yield total
    for item in items:
        total = join(total, item)
        yield total
