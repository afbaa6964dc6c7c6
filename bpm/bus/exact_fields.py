"""The fields of a message keep the digits of their numbers.

Pydantic reads the numbers of JSON as doubles. Where a message's type says `Decimal` they are handed over as text,
which it reads exactly; where it says nothing (`Any`, `dict[str, Any]`) the double is replaced by the number afterwards.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast, get_args

from pydantic import BaseModel

from bpm.number import Number


def holds_number(value: Any) -> bool:
    """Tell whether a number with a fraction or an exponent stands somewhere in JSON values."""
    level: list[Any] = [value]
    while level:
        below: list[Any] = []
        for item in level:
            if isinstance(item, Number):
                return True
            if isinstance(item, Mapping):
                below += cast("Mapping[str, Any]", item).values()
            elif isinstance(item, list | tuple):
                below += cast("list[Any]", item)
        level = below
    return False


def with_digits(fields: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """Return fields with the numbers that a model reads as `Decimal` as text."""
    kinds = _kinds(model)
    return {name: _digits(value, kinds[name]) if name in kinds else value for name, value in fields.items()}


def restore(message: BaseModel, fields: Mapping[str, Any]) -> None:
    """Put the numbers of `fields` in the place of the doubles that were read of them where any value may stand."""
    values = cast("dict[str, Any]", message.__dict__)
    for name, field in type(message).model_fields.items():
        given = fields.get(field.alias or name)
        if name in values and given is not None:
            values[name] = _restored(values[name], given, _is_free(field.annotation))


def _digits(value: Any, kind: Any) -> Any:
    if isinstance(value, Number):
        return str(value) if Decimal in _types(kind) and not _is_free(kind) and float not in _types(kind) else value
    if isinstance(value, list):
        return [_digits(item, kind) for item in cast("list[Any]", value)]
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        for model in _types(kind):
            if isinstance(model, type) and issubclass(model, BaseModel):
                fields = with_digits(fields, model)
        return {name: _digits(item, kind) for name, item in fields.items()} if Decimal in _types(kind) else fields
    return value


def _restored(value: Any, given: Any, is_free: bool) -> Any:
    if isinstance(value, BaseModel) and isinstance(given, Mapping):
        restore(value, cast("Mapping[str, Any]", given))
    elif isinstance(given, Number):
        return given if is_free and isinstance(value, float) else value
    elif isinstance(value, dict) and isinstance(given, Mapping):
        fields, known = cast("dict[Any, Any]", value), cast("Mapping[Any, Any]", given)
        fields |= {name: _restored(item, known[name], is_free) for name, item in fields.items() if name in known}
    elif isinstance(value, list) and isinstance(given, list):
        pairs = zip(cast("list[Any]", value), cast("list[Any]", given), strict=False)
        value[:] = [_restored(item, its, is_free) for item, its in pairs]
    return cast("Any", value)


@lru_cache(maxsize=1_000)
def _kinds(model: type[BaseModel]) -> dict[str, Any]:
    """Return the types of a model's fields by their names on the wire."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


@lru_cache(maxsize=1_000)
def _types(kind: Any) -> frozenset[Any]:
    """Return a type and those that it is made of."""
    return frozenset(_parts(kind))


def _parts(kind: Any) -> Iterator[Any]:
    yield kind
    for part in get_args(kind):
        yield from _parts(part) if not isinstance(part, str | int) else ()


def _is_free(kind: Any) -> bool:
    """Tell whether a field takes any JSON value."""
    return not _types(kind).isdisjoint({Any, object})
