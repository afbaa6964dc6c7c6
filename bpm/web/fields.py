"""JSON Schemas as tables: one row for each field, nested ones by their path."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bpm.exact_json import write_json

MAX_DEPTH = 4
"""Nested objects are shown down to here."""

WIDEST_INTEGER = 2**63 - 1
"""A bound that says no more than that the integer has 64 bits."""

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its path as in `lines[].item`, its type in words, and what holds for its value."""

    path: str
    type: str
    required: bool
    rules: tuple[str, ...]
    description: str


def fields_of(schema: Schema, definitions: Mapping[str, Schema], path: str = "", depth: int = 0) -> Iterator[Field]:
    """Return the fields of an object, or of an array's items, each followed by its own."""
    schema, path = _inner(schema, definitions, path)
    required = schema.get("required", ())
    properties: Mapping[str, Schema] = schema.get("properties", {})
    for name, property_schema in properties.items():
        whole = _plain(property_schema, definitions)
        here = f"{path}.{name}" if path else name
        yield Field(
            path=here,
            type=type_name(property_schema, definitions),
            required=name in required,
            rules=tuple(_rules(whole)),
            description=property_schema.get("description") or whole.get("description", ""),
        )
        if depth < MAX_DEPTH:
            yield from fields_of(whole, definitions, here, depth + 1)


def type_name(schema: Schema, definitions: Mapping[str, Schema]) -> str:
    """Return a schema's type in words, as in `array of integers or null`."""
    if "$ref" in schema:
        return type_name(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            names = [type_name(choice, definitions) for choice in schema[keyword]]
            return " or ".join(dict.fromkeys(names))
    kind = schema.get("type")
    if kind == "array":
        return f"array of {type_name(schema.get('items', {}), definitions)}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {type_name(schema['additionalProperties'], definitions)}"
    if kind is None:
        return "string" if "const" in schema or "enum" in schema else "any"
    return schema["format"] if schema.get("format") in {"date-time", "date", "uuid", "uri", "email"} else str(kind)


def _inner(schema: Schema, definitions: Mapping[str, Schema], path: str) -> tuple[Schema, str]:
    """Step into arrays, so that the fields of their items stand at `path[]`."""
    schema = _plain(schema, definitions)
    while schema.get("type") == "array":
        schema, path = _plain(schema.get("items", {}), definitions), f"{path}[]"
    return schema, path


def _plain(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Resolve a reference, and a choice of which all but one are null; a default stays."""
    for keyword in ("anyOf", "oneOf"):
        choices = [choice for choice in schema.get(keyword, ()) if choice.get("type") != "null"]
        if len(choices) == 1:
            around = {name: value for name, value in schema.items() if name != keyword}
            return {**_plain(choices[0], definitions), **around}
    if "$ref" in schema:
        around = {name: value for name, value in schema.items() if name != "$ref"}
        return {**_plain(definitions[schema["$ref"].rpartition("/")[2]], definitions), **around}
    return schema


def _rules(schema: Schema) -> Iterator[str]:
    if "const" in schema:
        yield f"`{schema['const']}`"
    if "enum" in schema:
        yield "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    yield from _bounds(schema.get("minimum"), schema.get("maximum"), "")
    yield from _bounds(schema.get("minLength"), schema.get("maxLength"), " characters")
    yield from _bounds(schema.get("minItems"), schema.get("maxItems"), " items")
    if "pattern" in schema:
        yield f"matches `{schema['pattern']}`"
    if schema.get("default") is not None:
        yield f"default `{write_json(schema['default']).decode()}`"


def _bounds(low: float | None, high: float | None, unit: str) -> Iterator[str]:
    low = None if low == -WIDEST_INTEGER - 1 or (unit and low == 0) else low
    high = None if high == WIDEST_INTEGER else high
    if low is not None and high is not None:
        yield f"{low} to {high}{unit}"
    elif low is not None:
        yield f"at least {low}{unit}"
    elif high is not None:
        yield f"at most {high}{unit}"
