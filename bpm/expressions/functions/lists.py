"""Functions on lists."""

from typing import Any, cast

from bpm.canonical import canonical
from bpm.metering import Meter

from ..errors import Unsuitable
from ..function_values import FunctionValue, invoke
from ..values import describe, holds, same
from .arguments import boolean, elements, place, span, spread
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
    """Whether all are true; one that is false decides."""
    items = spread((value, *more))
    return False not in [item for item in items if isinstance(item, bool)] and all(map(boolean, items))


@function("any", is_condition=True)
def some(value: Any, *more: Any) -> bool:
    """Whether at least one is true, which decides."""
    items = spread((value, *more))
    return True in [item for item in items if isinstance(item, bool)] or any(map(boolean, items))


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
    at = _place(items, position)
    return [*items[:at], element, *items[at:]]


@function("remove")
def remove(items: Any, position: Any) -> list[Any]:
    """The list without the element at a position."""
    at = _place(items, position)
    return [*items[:at], *items[at + 1 :]]


@function("list replace", takes_function=True)
def list_replace(items: Any, position: Any, element: Any, *, meter: Meter) -> list[Any]:
    """The list with another element at a position, or for each that a function(item, newItem) is true of."""
    if isinstance(position, FunctionValue):
        return [element if boolean(invoke(position, (item, element), meter)) else item for item in elements(items)]
    at = _place(items, position)
    return [*items[:at], element, *items[at + 1 :]]


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
    at = place(position)
    if not 1 <= abs(at) <= len(elements(items)):
        raise Unsuitable(f"the list has no position {at}")
    return at - 1 if at > 0 else len(items) + at


@function("index of")
def index_of(items: Any, wanted: Any, *, meter: Meter) -> list[int]:
    """The positions, from 1, of the elements equal to `wanted`."""
    return [at for at, item in enumerate(elements(items), 1) if same(item, wanted, meter)]
