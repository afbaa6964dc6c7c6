"""JSON Schemas in a few words, for tables of fields."""

from collections.abc import Iterator, Mapping
from typing import Any

from bpm.exact_json import write_json

Schema = Mapping[str, Any]

_BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "as in {}",
}
_SIXTY_FOUR_BITS = (-(2**63), 2**63 - 1)


def type_of(schema: Schema) -> str:
    """Return what a value is, as in `string`, `list of ChainStep` or `"asc" or "desc"`."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "enum" in schema or "const" in schema:
        return " or ".join(write_json(value).decode() for value in schema.get("enum", [schema.get("const")]))
    choices = _choices(schema)
    if choices:
        return " or ".join(dict.fromkeys(type_of(choice) for choice in choices))
    if schema.get("type") == "array":
        return f"list of {type_of(schema.get('items', {}))}"
    return schema.get("format") or schema.get("type") or "anything"


def rule_of(schema: Schema) -> str:
    """Return a field's description, bounds and default, as one line."""
    return "; ".join(_rules(schema))


def _rules(schema: Schema) -> Iterator[str]:
    if "description" in schema:
        yield schema["description"]
    for part in _choices(schema) or [schema]:
        for name, words in _BOUNDS.items():
            if part.get(name, _SIXTY_FOUR_BITS[0]) not in _SIXTY_FOUR_BITS:
                yield words.format(part[name])
    if schema.get("default") is not None:
        yield f"{write_json(schema['default']).decode()} by default"


def _choices(schema: Schema) -> list[Schema]:
    choices: list[Schema] = schema.get("anyOf", schema.get("oneOf", []))
    return [choice for choice in choices if choice.get("type") != "null"]
