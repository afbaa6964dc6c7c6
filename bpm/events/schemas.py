"""JSON Schemas of event types: checked when registered, enforced when an event is published."""

from functools import lru_cache
from typing import Any

import jsonschema_rs
from pydantic_core import to_json

MAX_SCHEMA_BYTES = 64 * 1024
MAX_PROBLEMS = 20


class SchemaError(ValueError):
    """A JSON Schema can't be used; the sentence says why."""


def check_schema(schema: dict[str, Any]) -> None:
    """Compile a schema; raises `SchemaError`."""
    if len(to_json(schema)) > MAX_SCHEMA_BYTES:
        raise SchemaError(f"must be at most {MAX_SCHEMA_BYTES} bytes")
    try:
        _compile(schema)
    except (ValueError, TypeError, jsonschema_rs.ReferencingError) as error:
        raise SchemaError(f"is not a JSON Schema: {_first_line(error)}") from error


def problems(schema_text: str, data: Any) -> list[str]:
    """Return what is wrong with an event's data as sentences headed by the path; `schema_text` is JSON."""
    found: list[str] = []
    for error in _compiled(schema_text).iter_errors(data):
        if len(found) == MAX_PROBLEMS:
            break
        found.append(f"{_path(error.instance_path)}: {error.message}")
    return found


def _compile(schema: dict[str, Any]) -> Any:
    # patterns in linear time and no reference that leaves the schema: both come from whoever registers types
    return jsonschema_rs.validator_for(
        schema, pattern_options=jsonschema_rs.RegexOptions(), validate_formats=True, offline=True
    )


@lru_cache(maxsize=1_000)
def _compiled(schema_text: str) -> Any:
    from pydantic_core import from_json

    return _compile(from_json(schema_text))


def _path(steps: list[str | int]) -> str:
    path = "data"
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
