"""Functions on lists."""

from typing import Any, cast

from ..errors import Unsuitable
from ..values import bounded, describe, holds, same
from .arguments import boolean, elements, span, spread, whole
from .registry import function

MOST_DISTINCT = 1_000


@function("count")
def count(items: Any) -> int:
    """The number of elements."""
    return len(elements(items))


@function("length")
def length(value: Any) -> int:
    """The number of characters of a text, elements of a list or keys of an object."""
    if isinstance(value, str | list | dict):
        return len(cast("str", value))
    raise Unsuitable(f"{describe(value)} has no length")


@function("all", is_condition=True)
def every(value: Any, *more: Any) -> bool:
    """Whether all are true."""
    return all(boolean(item) for item in spread((value, *more)))


@function("any", is_condition=True)
def some(value: Any, *more: Any) -> bool:
    """Whether at least one is true."""
    return any(boolean(item) for item in spread((value, *more)))


@function("list contains", is_condition=True, takes_null=True)
def list_contains(items: Any, element: Any) -> bool:
    """Whether a list has an equal element."""
    return holds(elements(items), element)


@function("append")
def append(items: Any, *more: Any) -> list[Any]:
    """The list with more elements at its end."""
    return [*elements(items), *more]


@function("is empty", is_condition=True)
def is_empty(items: Any) -> bool:
    """Whether a list has no elements."""
    return not elements(items)


@function("insert before")
def insert_before(items: Any, position: Any, element: Any) -> list[Any]:
    """The list with one more element before the one at a position."""
    place = _place(items, position)
    return [*items[:place], element, *items[place:]]


@function("remove")
def remove(items: Any, position: Any) -> list[Any]:
    """The list without the element at a position."""
    place = _place(items, position)
    return [*items[:place], *items[place + 1 :]]


@function("list replace")
def list_replace(items: Any, position: Any, element: Any) -> list[Any]:
    """The list with another element at a position."""
    place = _place(items, position)
    return [*items[:place], element, *items[place + 1 :]]


@function("union")
def union(items: Any, *more: Any) -> list[Any]:
    """The different elements of several lists."""
    return distinct_values(concatenate(items, *more))


@function("duplicate values")
def duplicate_values(items: Any) -> list[Any]:
    """Each element that stands more than once, once."""
    return [item for item in distinct_values(items) if sum(same(item, each) for each in items) > 1]


@function("concatenate")
def concatenate(items: Any, *more: Any) -> list[Any]:
    """Several lists, one after the other."""
    return [item for each in (items, *more) for item in elements(each)]


@function("distinct values")
def distinct_values(items: Any) -> list[Any]:
    """Each different element once."""
    if len(elements(items)) > MOST_DISTINCT:
        raise Unsuitable(f"distinct values() takes at most {MOST_DISTINCT} elements")
    kept: list[Any] = []
    for item in items:
        if not holds(kept, item):
            kept.append(item)
    return kept


@function("flatten")
def flatten(items: Any) -> list[Any]:
    """The list with the elements of the lists in it, at any depth."""
    flat: list[Any] = []
    for item in elements(items):
        flat.extend(flatten(item) if isinstance(item, list) else [item])
        bounded(flat)
    return flat


@function("reverse")
def reverse(items: Any) -> list[Any]:
    """The list from its end to its start."""
    return elements(items)[::-1]


@function("sublist")
def sublist(items: Any, start: Any, length: Any = None) -> list[Any]:
    """A part of the list, counted from 1, or from the end when negative."""
    return elements(items)[span(len(items), start, length)]


def _place(items: Any, position: Any) -> int:
    """The index of a position, from 1 or negative from the end; raises Unsuitable outside of the list."""
    place = whole(position)
    if not 1 <= abs(place) <= len(elements(items)):
        raise Unsuitable(f"the list has no position {place}")
    return place - 1 if place > 0 else len(items) + place


@function("index of")
def index_of(items: Any, wanted: Any) -> list[int]:
    """The positions, from 1, of the elements equal to `wanted`."""
    return [place for place, item in enumerate(elements(items), 1) if same(item, wanted)]
