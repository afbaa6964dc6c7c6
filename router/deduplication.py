"""Where a provider puts the id by which its repeated requests are known."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from pydantic_core import to_json

Locator = Callable[[Mapping[str, str], Mapping[str, Any], Callable[[], Any]], str | None]
"""Finds the id in (headers, query, payload); None when the request carries none."""

MAX_LENGTH = 200

PART = re.compile(r"([^.\[\]]+)|\[([0-9]{0,6})\]")
PATH = re.compile(rf"(?:{PART.pattern})(?:\.[^.\[\]]+|\[[0-9]{{0,6}}\])*")
"""A path into the body: names between dots, `[0]` for one element of a list, `[]` for all of them."""


def locator_of(places: Sequence[str]) -> Locator | None:
    """Return how to find the id at the first of `places` that has one; None where none is to be looked for.

    A place is `header:<name>`, `query:<name>`, `body:<path>` or `none`; raises `ValueError` for another one.
    """
    locators = [_locator(place) for place in places if place != "none"]
    if len(locators) <= 1:
        return locators[0] if locators else None

    def first(headers: Mapping[str, str], query: Mapping[str, Any], payload: Callable[[], Any]) -> str | None:
        return next((key for find in locators if (key := find(headers, query, payload)) is not None), None)

    return first


def _locator(place: str) -> Locator:
    kind, _, name = place.partition(":")
    if kind == "header" and name:
        header = name.lower()
        return lambda headers, _query, _payload: _bounded(headers.get(header))
    if kind == "query" and name:
        return lambda _headers, query, _payload: _bounded(query.get(name))
    if kind == "body" and PATH.fullmatch(name):
        steps = [_step(part) for part in PART.finditer(name)]
        return lambda _headers, _query, payload: _bounded(_found(payload(), steps))
    raise ValueError("must be none, header:<name>, query:<name> or body:<path>, as in body:data.id or body:[].rrr")


def _step(part: re.Match[str]) -> str | int | None:
    """Return one step of a path: a field's name, an element's number, or None for every element."""
    name, number = part.groups()
    return name or (int(number) if number else None)


def _found(value: Any, steps: Sequence[str | int | None]) -> Any:
    """Return what stands at the path, or at its `[]` a list; None when it is missing, were it in one element only.

    An id of some elements alone would make two different requests look the same.
    """
    for at, step in enumerate(steps):
        if step is None:
            elements = cast("list[Any]", value) if isinstance(value, list) else [value]
            found = [_found(element, steps[at + 1 :]) for element in elements]
            return found if found and None not in found else None
        value = _inside(value, step)
    return value


def _inside(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return cast("dict[str, Any]", value).get(step) if isinstance(value, dict) else None
    elements = cast("list[Any]", value) if isinstance(value, list) else []
    return elements[step] if step < len(elements) else None


def _bounded(value: Any) -> str | None:
    if value is None or value == "" or value == []:
        return None
    text = value if isinstance(value, str) else to_json(value).decode()
    return text if len(text) <= MAX_LENGTH else "sha256:" + hashlib.sha256(text.encode()).hexdigest()
