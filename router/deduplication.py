"""Where a provider puts the id by which its repeated requests are known."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from bpm.expressions import EvaluationError, compile_expression

Locator = Callable[[Mapping[str, str], Mapping[str, Any], Callable[[], Any]], str | None]
"""Finds the id in (headers, query, payload); None when the request carries none."""

MAX_LENGTH = 200


def locator_of(places: Sequence[str]) -> Locator | None:
    """Return how to find the id at the first of `places` that has one; None where none is to be looked for.

    A place is `header:<name>`, `query:<name>`, `body:<path>` or `none`.
    """
    locators = [_locator(place) for place in places if place != "none"]
    if len(locators) <= 1:
        return locators[0] if locators else None

    def first(headers: Mapping[str, str], query: Mapping[str, Any], payload: Callable[[], Any]) -> str | None:
        return next((key for find in locators if (key := find(headers, query, payload)) is not None), None)

    return first


def _locator(place: str) -> Locator:
    kind, _, name = place.partition(":")
    if kind == "header":
        header = name.lower()
        return lambda headers, _query, _payload: _bounded(headers.get(header))
    if kind == "query":
        return lambda _headers, query, _payload: _bounded(query.get(name))
    return _in_body(name)


def _in_body(path: str) -> Locator:
    """Find it in the payload; `[]` stands for every element of a list, whose ids together are the key."""
    inner, many = path, path.startswith("[]")
    if many:
        inner = path.removeprefix("[]").removeprefix(".")
    expression = compile_expression(f"payload.{inner}" if inner else "payload", missing="null")

    def find(_headers: Mapping[str, str], _query: Mapping[str, Any], payload: Callable[[], Any]) -> str | None:
        value = payload()
        try:
            if many:
                found = [expression.evaluate({"payload": v}) for v in value] if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]
                return _bounded(found or None)
            return _bounded(expression.evaluate({"payload": value}))
        except EvaluationError:
            return None

    return find


def _bounded(value: Any) -> str | None:
    if value is None or value == "" or value == []:
        return None
    text = value if isinstance(value, str) else to_json(value).decode()
    return text if len(text) <= MAX_LENGTH else "sha256:" + hashlib.sha256(text.encode()).hexdigest()
