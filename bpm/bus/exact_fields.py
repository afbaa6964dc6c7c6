"""The fields of a message keep the digits of their numbers.

Pydantic reads the numbers of JSON as doubles. Where a message's type says `Decimal` they are handed over as text,
which it reads exactly; where it says nothing (`Any`, `dict[str, Any]`) the double is replaced by the number afterwards.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, cast, get_args, get_origin

from pydantic import BaseModel, JsonValue

from bpm.number import Number

_ANYTHING = (Any, object, JsonValue)
_OBJECT = dict[str, Any]
_LEAVES = frozenset({str, int, bool, type(None)})


@dataclass(frozen=True, slots=True)
class _Field:
    """What a field's type says about numbers: decimals, anything, or models that have their own fields."""

    is_decimal: bool
    is_free: bool
    models: tuple[type[BaseModel], ...]


@lru_cache(maxsize=1_000)
def takes_decimals(model: type[BaseModel]) -> bool:
    """Tell whether a model, or one inside of it, reads a number as `Decimal`."""
    known, waiting = {model}, [model]
    while waiting:
        fields = _fields(waiting.pop()).values()
        if any(field.is_decimal for field in fields):
            return True
        inner = {each for field in fields for each in field.models} - known
        known |= inner
        waiting += inner
    return False


def with_digits(fields: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """Return fields with the numbers that a model reads as `Decimal` as text."""
    known = _fields(model)
    return {name: _digits(value, known[name]) if name in known else value for name, value in fields.items()}


@lru_cache(maxsize=1_000)
def object_fields(model: type[BaseModel]) -> Mapping[str, str]:
    """Return the fields that take any object as it is, by their names on the wire; none of a model with validators."""
    decorators = model.__pydantic_decorators__
    if decorators.field_validators or decorators.model_validators:
        return {}
    taken = {name: field for name, field in model.model_fields.items() if field.annotation == _OBJECT}
    return {field.alias or name: name for name, field in taken.items() if not field.metadata}


def restore(message: BaseModel, fields: Mapping[str, Any]) -> None:
    """Put the numbers of `fields` in the place of the doubles that were read of them where any value may stand."""
    values = cast("dict[str, Any]", message.__dict__)
    known = _fields(type(message))
    for name, field in type(message).model_fields.items():
        wire_name = field.alias or name
        kind = known[wire_name]
        if (kind.is_free or kind.models) and name in values and wire_name in fields:
            values[name] = _restored(values[name], fields[wire_name], is_free=kind.is_free)


def _digits(value: object, field: _Field) -> Any:
    if isinstance(value, Number):
        return str(value) if field.is_decimal else value
    if isinstance(value, list):
        return [_digits(item, field) for item in cast("list[Any]", value)]
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        for model in field.models:
            fields = with_digits(fields, model)
        return {name: _digits(item, field) for name, item in fields.items()} if field.is_decimal else fields
    return value


def _restored(value: object, given: object, *, is_free: bool) -> Any:
    if isinstance(given, Number):
        return given if is_free and isinstance(value, float) else value
    if isinstance(value, dict) and isinstance(given, dict):
        values, known = cast("dict[Any, Any]", value), cast("dict[Any, Any]", given)
        for name, item in values.items():
            if item.__class__ not in _LEAVES and name in known:
                values[name] = _restored(item, known[name], is_free=is_free)
    elif isinstance(value, list) and isinstance(given, list):
        pairs = zip(cast("list[Any]", value), cast("list[Any]", given), strict=False)
        value[:] = [_restored(item, its, is_free=is_free) for item, its in pairs]
    elif isinstance(value, BaseModel) and isinstance(given, Mapping):
        restore(value, cast("Mapping[str, Any]", given))
    return cast("Any", value)


@lru_cache(maxsize=1_000)
def _fields(model: type[BaseModel]) -> Mapping[str, _Field]:
    """Return what a model's types say, by the names of its fields on the wire."""
    return {field.alias or name: _field(field.annotation) for name, field in model.model_fields.items()}


def _field(annotation: object) -> _Field:
    parts = list(_parts(annotation))
    is_free = any(part is free for part in parts for free in _ANYTHING)
    return _Field(
        is_decimal=any(part is Decimal for part in parts) and not is_free and not any(part is float for part in parts),
        is_free=is_free,
        models=tuple(part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)),
    )


def _parts(kind: object) -> Iterator[Any]:
    """Yield a type and those that it is made of."""
    yield kind
    arguments = get_args(kind)
    for part in arguments[:1] if get_origin(kind) is Annotated else arguments:
        yield from _parts(part)
