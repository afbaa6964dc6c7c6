"""Schemas as generators of clients read them best, with the same meaning."""

from collections.abc import Mapping
from typing import Any, cast

_TYPES: dict[type[Any], str] = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
_SPECIFIC = {
    "string": {"minLength", "maxLength", "pattern", "format"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
    "array": {"items", "minItems", "maxItems"},
    "object": {"properties", "required", "additionalProperties"},
    "boolean": set[str](),
    "null": set[str](),
}
"""The keywords that say something about values of one type and nothing about others."""

_VALUES = {"example", "examples", "default", "const", "enum"}
"""What holds values rather than schemas."""


def plain(schema: object) -> Any:
    """Return a schema, or anything that holds schemas, in the form that every generator names alike.

    A choice between types (`anyOf` of a text, a number, null) is written as a list of types, since many generators
    make a nameless class of each choice. A constant and an enumeration say their type.
    """
    if isinstance(schema, list):
        return [plain(item) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    fields = cast("dict[str, Any]", schema)
    kept = {name: plain(value) if name not in _VALUES else value for name, value in fields.items()}
    return _typed(_merged(_without_redundancy(kept)))


def _without_redundancy(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave out a title, which only repeats a class's name, and the default of a constant, which is the constant."""
    needless = {"title"} if isinstance(schema.get("title"), str) else set[str]()
    needless |= {"default"} if "const" in schema else set[str]()
    return {name: value for name, value in schema.items() if name not in needless}


def _merged(schema: dict[str, Any]) -> dict[str, Any]:
    """Write `anyOf` as a list of types if each branch only says what concerns its own type."""
    branches: list[dict[str, Any]] = schema.get("anyOf", [])
    if "type" in schema:
        return schema
    types: list[str] = []
    merged: dict[str, Any] = {}
    for branch in branches:
        for type_ in _types_of(branch):
            if type_ in types:
                return schema
            types.append(type_)
        merged |= branch
    if not types or not all(_types_of(branch) for branch in branches) or {"integer", "number"} <= set(types):
        return schema
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **merged, "type": types}


def _types_of(branch: Mapping[str, Any]) -> list[str]:
    """Return the types of a branch, none if it says more than belongs to them."""
    found = branch.get("type")
    types: list[str] = [found] if isinstance(found, str) else found or []
    allowed = {"type"}.union(*(_SPECIFIC[type_] for type_ in types))
    return types if branch.keys() <= allowed else []


def _typed(schema: dict[str, Any]) -> dict[str, Any]:
    """Add the type of a constant or an enumeration; what is always true or always false is an example of a boolean.

    Generators make an enumeration of a constant, and in C# none can be made of booleans.
    """
    if isinstance(schema.get("const"), bool):
        rest = {name: value for name, value in schema.items() if name != "const"}
        return {**rest, "type": "boolean", "examples": [schema["const"]]}
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if "type" in schema or not isinstance(values, list) or not values:
        return schema
    types = {_TYPES.get(cast("type[Any]", type(value))) for value in cast("list[Any]", values)}
    return {"type": types.pop(), **schema} if len(types) == 1 and None not in types else schema
