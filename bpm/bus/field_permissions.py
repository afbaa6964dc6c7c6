"""What an answer shows of what others stored: to change a thing is not to read it.

A view marks such a field with the permission that reading it takes. Whoever sends a command without that permission
gets the answer with the field empty, whoever passes the answer on, and however often it is repeated under its key.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType
from typing import Any, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bpm.security.permissions import Permission, Principal


@dataclass(frozen=True, slots=True)
class ShownWith:
    """Marks a field of a view that is shown to those who hold `permission`, and empty to others."""

    permission: Permission


def permissions_within(kind: object) -> frozenset[Permission]:
    """Return the permissions that the marked fields of a type, and of all types in it, ask for."""
    marks = (mark for model in models_within(kind) for field in model.model_fields.values() for mark in _marks(field))
    return frozenset(mark.permission for mark in marks)


def models_within(kind: object) -> frozenset[type[BaseModel]]:
    """Return the models that a type is made of."""
    found: set[type[BaseModel]] = set()
    waiting = [kind]
    while waiting:
        part = waiting.pop()
        waiting.extend(get_args(part))
        if isinstance(part, type) and issubclass(part, BaseModel) and part not in found:
            found.add(part)
            waiting.extend(field.annotation for field in part.model_fields.values())
    return frozenset(found)


def shown_to(principal: Principal, result: object) -> Any:
    """Return a result with those marked fields empty that the principal may not see; the result itself stays."""
    if isinstance(result, list):
        return [shown_to(principal, item) for item in cast("list[Any]", result)]
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
