"""Functions on lists."""

from typing import Any, cast

from bpm.canonical import canonical
from bpm.metering import Meter

from ..errors import Unsuitable
from ..values import describe, holds, same
from .arguments import boolean, elements, span, spread, whole
from .registry import function


@function("count", is_cheap=True)
def count(items: Any) -> int:
    """The number of elements."""
    return len(elements(items))


@function("length", is_cheap=True)
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


@function("list contains", is_condition=True, takes_null=True, is_cheap=True)
def list_contains(items: Any, element: Any, *, meter: Meter) -> bool:
    """Whether a list has an equal element."""
    return holds(elements(items), element, meter)


@function("append")
def append(items: Any, *more: Any) -> list[Any]:
    """The list with more elements at its end."""
    return [*elements(items), *more]


@function("is empty", is_condition=True, is_cheap=True)
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
def union(items: Any, *more: Any, meter: Meter) -> list[Any]:
    """The different elements of several lists."""
    return distinct_values(concatenate(items, *more), meter=meter)


@function("duplicate values")
def duplicate_values(items: Any, *, meter: Meter) -> list[Any]:
    """Each element that stands more than once, once."""
    counts: dict[str, int] = {}
    first: dict[str, Any] = {}
    for item in elements(items):
        key = canonical(item, meter)
        counts[key] = counts.get(key, 0) + 1
        first.setdefault(key, item)
    return [first[key] for key, count in counts.items() if count > 1]


@function("concatenate")
def concatenate(items: Any, *more: Any) -> list[Any]:
    """Several lists, one after the other."""
    return [item for each in (items, *more) for item in elements(each)]


@function("distinct values")
def distinct_values(items: Any, *, meter: Meter) -> list[Any]:
    """Each different element once."""
    first: dict[str, Any] = {}
    for item in elements(items):
        first.setdefault(canonical(item, meter), item)
    return list(first.values())


@function("flatten")
def flatten(items: Any, *, meter: Meter) -> list[Any]:
    """The list with the elements of the lists in it, at any depth."""
    flat: list[Any] = []
    waiting: list[Any] = elements(items)[::-1]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            inner = cast("list[Any]", item)
            meter.charge(1 + len(inner))
            waiting += inner[::-1]
        else:
            flat.append(item)
    return flat


@function("reverse")
def reverse(items: Any) -> list[Any]:
    """The list from its end to its start."""
    return elements(items)[::-1]


@function("sublist", is_cheap=True)
def sublist(items: Any, start: Any, length: Any = None, *, meter: Meter) -> list[Any]:
    """A part of the list, counted from 1, or from the end when negative."""
    part = elements(items)[span(len(items), start, length)]
    meter.charge(len(part))
    return part


def _place(items: Any, position: Any) -> int:
    """The index of a position, from 1 or negative from the end; raises Unsuitable outside of the list."""
    place = whole(position)
    if not 1 <= abs(place) <= len(elements(items)):
        raise Unsuitable(f"the list has no position {place}")
    return place - 1 if place > 0 else len(items) + place


@function("index of")
def index_of(items: Any, wanted: Any, *, meter: Meter) -> list[int]:
    """The positions, from 1, of the elements equal to `wanted`."""
    return [place for place, item in enumerate(elements(items), 1) if same(item, wanted, meter)]
