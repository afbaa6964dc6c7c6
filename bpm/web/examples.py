"""Examples made from JSON Schemas: the smallest value that shows what is meant."""

from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 6
"""Schemas that contain themselves end here."""

Schema = Mapping[str, Any]

_STRINGS = {
    "date-time": "2026-01-31T09:30:00Z",
    "date": "2026-01-31",
    "uuid": "01890a5d-ac96-774b-bcce-b302099a8057",
    "uri": "https://example.com/",
    "email": "ada@example.com",
}


def example(schema: Schema, definitions: Mapping[str, Schema], depth: int = 0) -> Any:
    """Return a value of the schema: its own example or default, else required properties and one item."""
    if "$ref" in schema:
        return {} if depth > MAX_DEPTH else example(definitions[schema["$ref"].rpartition("/")[2]], definitions, depth)
    for keyword in ("examples", "enum"):
        if schema.get(keyword):
            return schema[keyword][0]
    for keyword in ("const", "default"):
        if schema.get(keyword) is not None:
            return schema[keyword]
    for keyword in ("anyOf", "oneOf", "allOf"):
        if schema.get(keyword):
            return example(schema[keyword][0], definitions, depth + 1)
    return _by_type(schema, definitions, depth)


def _by_type(schema: Schema, definitions: Mapping[str, Schema], depth: int) -> Any:
    match schema.get("type"):
        case "object":
            properties: Mapping[str, Schema] = schema.get("properties", {})
            names = schema.get("required", ())
            return {name: example(properties[name], definitions, depth + 1) for name in names if name in properties}
        case "array":
            return [example(schema.get("items", {}), definitions, depth + 1)] if depth <= MAX_DEPTH else []
        case "string":
            return _STRINGS.get(schema.get("format", ""), "string")
        case "integer" | "number":
            return max(schema.get("minimum", 1), 0)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return {}
