"""What an agent reads of an answer: payloads without their values, texts and answers no longer than a bound.

A payload is what the schema of an answer leaves open (an event's data, an instance's variables), and the texts in
which bodies are kept. Its names are shown, and of its values the kind and length.
"""

from collections.abc import Mapping
from typing import Any, cast

from bpm.exact_json import write_json
from bpm.security.redaction import redacted

LONGEST_TEXT = 2_000
MOST_ITEMS = 20
"""How many items of a list inside a payload are shown."""
BODIES = frozenset({"body", "rawBody", "requestBody", "responseBody"})
"""Texts that hold somebody's data as it came."""

Schema = Mapping[str, Any]
OPEN: Schema = {}
"""Says nothing about its values."""


def readable(data: Any, schema: Schema, most: int, *, show_payloads: bool) -> str:
    """Return the data of an answer as an agent reads it: without secrets, as JSON, at most `most` characters."""
    shown = redacted(data)
    if not show_payloads:
        shown = masked(shown, schema, schema.get("$defs", {}))
    return cut(write_json(shortened(shown)).decode(), most)


def cut(text: str, most: int) -> str:
    """Return a text up to its first `most` characters; one that was longer says so."""
    if len(text) <= most:
        return text
    advice = "ask for less: a smaller pageSize, a narrower filter, or one thing by its id"
    return f"{text[:most]}\n… cut after {most} of {len(text)} characters; {advice}"


def masked(data: Any, schema: Schema, definitions: Schema) -> Any:
    """Return data in which whatever its schema leaves open is replaced by its shape."""
    schema = _resolved(data, schema, definitions)
    if not schema.keys() & {"type", "enum", "const"}:
        return shape_of(data)
    if isinstance(data, Mapping):
        known, open_ = cast("Schema", schema.get("properties", {})), _open_fields(schema)
        fields = cast("Mapping[str, Any]", data).items()
        return {name: _field(name, inside, known.get(name, open_), definitions) for name, inside in fields}
    if isinstance(data, list):
        return [masked(item, schema.get("items", {}), definitions) for item in cast("list[Any]", data)]
    return data


def shape_of(data: Any) -> Any:
    """Return names as they are, and for each value what kind of value it is."""
    match data:
        case None | bool():
            return data
        case str():
            return f"text of length {len(data)}"
        case dict():
            return {name: shape_of(inside) for name, inside in cast("dict[str, Any]", data).items()}
        case list():
            items = cast("list[Any]", data)
            more = [f"{len(items) - MOST_ITEMS} more"] if len(items) > MOST_ITEMS else []
            return [*map(shape_of, items[:MOST_ITEMS]), *more]
        case _:
            return "a number"


def shortened(data: Any) -> Any:
    """Return data whose texts have at most `LONGEST_TEXT` characters, and say how many they had."""
    if isinstance(data, str):
        more = len(data) - LONGEST_TEXT
        return f"{data[:LONGEST_TEXT]}… ({more} more characters)" if more > 0 else data
    if isinstance(data, Mapping):
        return {name: shortened(inside) for name, inside in cast("Mapping[str, Any]", data).items()}
    if isinstance(data, list):
        return [shortened(item) for item in cast("list[Any]", data)]
    return data


def _field(name: str, data: Any, schema: Schema, definitions: Schema) -> Any:
    return shape_of(data) if name in BODIES else masked(data, schema, definitions)


def _open_fields(schema: Schema) -> Schema:
    """Return what is said of fields without a name of ours; of texts, as headers are, that is nothing."""
    more = schema.get("additionalProperties")
    return cast("Schema", more) if isinstance(more, Mapping) and not _takes_texts(cast("Schema", more)) else OPEN


def _takes_texts(schema: Schema) -> bool:
    branches: list[Schema] = schema.get("anyOf") or schema.get("oneOf") or []
    return schema.get("type") == "string" or any(map(_takes_texts, branches))


def _resolved(data: Any, schema: Schema, definitions: Schema) -> Schema:
    """Return the schema without references, and of several the one that describes the data; else an open one."""
    if "$ref" in schema:
        return _resolved(data, definitions[schema["$ref"].rpartition("/")[2]], definitions)
    branches: list[Schema] = schema.get("anyOf") or schema.get("oneOf") or []
    if not branches:
        return schema
    resolved = [_resolved(data, branch, definitions) for branch in branches]
    return next((branch for branch in resolved if _describes(data, branch)), OPEN)


def _describes(data: Any, schema: Schema) -> bool:
    if isinstance(data, Mapping):
        return schema.get("type") == "object" and cast("Schema", data).keys() <= schema.get("properties", {}).keys()
    if isinstance(data, list):
        return schema.get("type") == "array"
    kinds = {"null"} if data is None else {"string"} if isinstance(data, str) else {"boolean", "integer", "number"}
    return schema.get("type") in kinds or "enum" in schema or "const" in schema
