"""What an answer shows of what others stored: to change a thing is not to read it.

A view marks such a field with the permission that reading it takes. Whoever sends a command without that permission
gets the answer with the field empty, whoever passes the answer on, and however often it is repeated under its key.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from types import NoneType
from typing import Any, TypeGuard, cast, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bpm.errors import Misconfigured
from bpm.security.permissions import Permission, Principal


@dataclass(frozen=True, slots=True)
class ShownWith:
    """Marks a field of a view that is shown to those who hold `permission`, and empty to others."""

    permission: Permission


def permissions_within(kind: object) -> frozenset[Permission]:
    """Return the permissions that the marked fields of a type, and of all types in it, ask for.

    Raises `Misconfigured` for a mark that hides nothing, and for a field of which there is no empty value.
    """
    if any(isinstance(part, ShownWith) for part in _parts_of(kind)):
        raise Misconfigured("ShownWith marks a whole field of a view: Annotated[<its type>, ShownWith(...)]")
    found: set[Permission] = set()
    for model in models_within(kind):
        for name, field in model.model_fields.items():
            permissions = {mark.permission for mark in _marks(field)}
            if permissions and not _can_be_empty(field.annotation):
                raise Misconfigured(f"{model.__name__}.{name} has a ShownWith and no empty value; add None to its type")
            found |= permissions
    return frozenset(found)


def models_within(kind: object) -> frozenset[type[BaseModel]]:
    """Return the models that a type is made of."""
    return frozenset(filter(_is_model, _parts_of(kind)))


def _is_model(part: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(part, type) and issubclass(part, BaseModel)


def _parts_of(kind: object) -> list[Any]:
    """Return everything that a type is written with, the types of fields included."""
    found: dict[int, Any] = {}
    waiting: list[Any] = [kind]
    while waiting:
        part = waiting.pop()
        if id(part) in found:
            continue
        found[id(part)] = part
        waiting.extend(get_args(part))
        if _is_model(part):
            waiting.extend(field.annotation for field in part.model_fields.values())
        elif isinstance(part, type) and (is_dataclass(cast("object", part)) or is_typeddict(cast("object", part))):
            waiting.extend(get_type_hints(cast("object", part), include_extras=True).values())
    return list(found.values())


def shown_to(principal: Principal, result: object) -> Any:
    """Return a result with those marked fields empty that the principal may not see; the result itself stays."""
    if isinstance(result, list):
        return [shown_to(principal, item) for item in cast("list[Any]", result)]
    if isinstance(result, tuple):
        return tuple(shown_to(principal, item) for item in cast("tuple[Any, ...]", result))
    if isinstance(result, Mapping):
        fields = cast("Mapping[Any, Any]", result)
        return {name: shown_to(principal, value) for name, value in fields.items()}
    if isinstance(result, BaseModel):
        return result.model_copy(update=dict(_shown_fields(principal, result)))
    return result


def _shown_fields(principal: Principal, model: BaseModel) -> Iterator[tuple[str, Any]]:
    for name, field in type(model).model_fields.items():
        if all(principal.allows(mark.permission) for mark in _marks(field)):
            yield name, shown_to(principal, getattr(model, name))
        else:
            yield name, _empty(field.annotation)


def _marks(field: FieldInfo) -> Iterator[ShownWith]:
    return (mark for mark in field.metadata if isinstance(mark, ShownWith))


def _empty(kind: Any) -> Any:
    """Return what a field of a type holds when it is not shown: nothing, or an empty list, object or text."""
    return None if NoneType in get_args(kind) else (get_origin(kind) or kind)()


def _can_be_empty(kind: Any) -> bool:
    try:
        _empty(kind)
    except TypeError:
        return False
    return True
