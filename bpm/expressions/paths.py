"""Looking up `payload.customer.email`: fast when it is there, helpful when it is not."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, cast

from bpm.metering import Meter

from . import temporal
from .errors import Unsuitable
from .intervals import Interval
from .values import describe

Evaluator = Callable[[Mapping[str, Any], Meter], Any]
"""Computes a part of an expression from the scope; what depends on the size of values is charged to the meter."""
Keys = tuple[str | int, ...]

KEYS_SHOWN = 5
KEYS_COMPARED = 200
KEY_LENGTH_SHOWN = 60
STEPS_PER_PROJECTION = 3


class MissingPath(Unsuitable):
    """There is nothing at a path; the sentence, made only when read, names the nearest existing keys."""

    def __init__(self, path: str, parent: str, found: Mapping[Any, Any], key: str) -> None:
        super().__init__(path)
        self.path = path
        self.parent = parent
        self.found = found
        self.key = key

    def __str__(self) -> str:
        names = [str(name)[:KEY_LENGTH_SHOWN] for name in islice(self.found, KEYS_COMPARED)]
        names = [name for name in names if not name.endswith("()")]
        if not names:
            return f"{self.path} is missing: {self.parent} is empty"
        near = get_close_matches(self.key[:KEY_LENGTH_SHOWN], names, n=KEYS_SHOWN) or names[:KEYS_SHOWN]
        more = ", …" if len(names) > len(near) else ""
        return f"{self.path} is missing: {self.parent} has {', '.join(near)}{more}"


def look_up(root: str, keys: Keys, is_feel: bool) -> Evaluator:
    """An evaluator for a path that starts at a top-level name.

    It raises Unsuitable for a missing path, naming the path and the nearest existing keys. What ends with `()` in the
    scope is for functions, and no name reads it.
    """

    def find_nothing(scope: Mapping[str, Any], _: Meter) -> Any:
        raise MissingPath(root, "the scope", scope, root)

    def find_by_names(scope: Mapping[str, Any], meter: Meter) -> Any:
        try:
            value: Any = scope[root]
            for key in keys:
                value = value[key]
        except (KeyError, TypeError):
            return find_slowly(scope, meter)
        return value

    def find(scope: Mapping[str, Any], meter: Meter) -> Any:
        try:
            value: Any = scope[root]
            for key in keys:
                if type(key) is int and not isinstance(value, list):
                    return find_slowly(scope, meter)
                value = cast("Any", value)[key]
        except (KeyError, TypeError, IndexError):
            return find_slowly(scope, meter)
        return value

    def find_slowly(scope: Mapping[str, Any], meter: Meter) -> Any:
        try:
            value = scope[root]
        except KeyError as error:
            raise MissingPath(root, "the scope", scope, root) from error
        return walk(value, keys, root, is_feel, meter)

    if root.endswith("()"):
        return find_nothing
    return find_by_names if all(isinstance(key, str) for key in keys) else find


def walk(value: Any, keys: Keys, path: str, is_feel: bool, meter: Meter) -> Any:
    """Follow `keys` from `value`, which stands at `path`; raises Unsuitable where they end."""
    for key in keys:
        if is_feel and isinstance(key, str) and isinstance(value, list):
            value = _project(cast("list[Any]", value), key, meter)
        elif is_feel and type(key) is int and not isinstance(value, list | None):
            value = pick([value], key, path, is_feel)
        else:
            value = pick(value, key, path, is_feel)
        path = extend(path, key, is_feel)
    return value


def pick(value: Any, key: Any, path: str, is_feel: bool) -> Any:
    """The element of `value` under `key`; raises Unsuitable if there is none."""
    if isinstance(value, Mapping):
        return _from_object(cast("Mapping[Any, Any]", value), key, path, is_feel)
    if isinstance(value, list) and type(key) is int:
        items = cast("list[Any]", value)
        if -len(items) <= key < len(items):
            return items[key]
        raise Unsuitable(f"{extend(path, key, is_feel)} is missing: {path} has {len(items)} elements")
    if isinstance(value, list):
        raise Unsuitable(f"{extend(path, key, is_feel)} is missing: {path} is a list, choose an element with [ ]")
    try:
        return value.member(key) if isinstance(value, Interval) else temporal.member(value, key)
    except KeyError as error:
        raise Unsuitable(f"{extend(path, key, is_feel)} is missing: {path} is {describe(value)}") from error


def extend(path: str, key: Any, is_feel: bool) -> str:
    """The path's text with one more key, as its author would write it."""
    if isinstance(key, str):
        return f"{path}.{key}" if key.isidentifier() else f'{path}["{key[:KEY_LENGTH_SHOWN]}"]'
    if isinstance(key, int) and is_feel and key >= 0:
        key += 1
    return f"{path}[{key}]" if isinstance(key, int) else f"{path}[{describe(key)}]"


def _from_object(value: Mapping[Any, Any], key: Any, path: str, is_feel: bool) -> Any:
    if not isinstance(key, str):
        raise Unsuitable(f"{path} is an object: its keys are texts, not {describe(key)}")
    try:
        return value[key]
    except KeyError as error:
        raise MissingPath(extend(path, key, is_feel), path, value, key) from error


def _project(items: list[Any], key: str, meter: Meter) -> list[Any]:
    """FEEL's `orders.price`: the price of every order, null where one has none (DMN 1.5, 10.3.2.5)."""
    projected: list[Any] = []
    meter.charge(STEPS_PER_PROJECTION * len(items))
    for item in items:
        try:
            projected.append(walk(item, (key,), "item", True, meter))
        except Unsuitable:
            projected.append(None)
    return projected
