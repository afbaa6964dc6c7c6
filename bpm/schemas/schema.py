"""JSON Schemas compiled for checks whose cost is bounded."""

from functools import lru_cache
from itertools import islice
from typing import Any, cast

import jsonschema_rs

from bpm.exact_json import read_json, with_doubles, write_json
from bpm.metering import Meter, OverBudget, metered

from .builder import Builder
from .check import Path, SchemaCheck, SchemaNode
from .drafts import DRAFTS
from .errors import SchemaError

MAX_SCHEMA_BYTES = 64 * 1024
MAX_SCHEMA_STEPS = 150_000
"""Steps of compiling a schema."""
MAX_CHECK_STEPS = 400_000
"""Steps of checking one value."""
MAX_PROBLEMS = 20


def check_schema(schema: dict[str, Any]) -> None:
    """Compile a schema; raises `SchemaError`."""
    if len(write_json(schema)) > MAX_SCHEMA_BYTES:
        raise SchemaError(f"must be at most {MAX_SCHEMA_BYTES} bytes")
    _compile(schema)


def problems(schema_text: str, data: object) -> list[str]:
    """Return what is wrong with data as sentences headed by the path; `schema_text` is JSON.

    Raises `OverBudget` when finding out takes too many steps.
    """
    node = _compiled(schema_text)
    with metered(MAX_CHECK_STEPS, work="the checks against the JSON Schema") as meter:
        try:
            found = islice(SchemaCheck(meter).problems(node, data), MAX_PROBLEMS)
            return [f"{_written(problem.path)}: {problem.sentence}" for problem in found]
        except RecursionError as error:
            raise OverBudget("the data is nested too deeply for its JSON Schema; use a flatter form") from error


def _compile(schema: object) -> SchemaNode:
    try:
        _demand_known_draft(schema)
        jsonschema_rs.meta.validate(with_doubles(schema))
        return Builder(schema, Meter(MAX_SCHEMA_STEPS, work="compiling the JSON Schema")).build()
    except OverBudget as error:
        raise SchemaError(
            f"takes more than {MAX_SCHEMA_STEPS} steps to compile: use fewer schemas, or smaller patterns"
        ) from error
    except (ValueError, TypeError, LookupError, jsonschema_rs.ReferencingError, RecursionError) as error:
        if isinstance(error, SchemaError):
            raise
        raise SchemaError(f"is not a JSON Schema: {_first_line(error)}") from error


def _demand_known_draft(schema: object) -> None:
    """Refuse the address of another meta-schema before anybody thinks of fetching it; raises `SchemaError`."""
    named = cast("dict[str, Any]", schema).get("$schema") if isinstance(schema, dict) else None
    if named is not None and (not isinstance(named, str) or named.removesuffix("#") not in DRAFTS):
        raise SchemaError(f"is not a JSON Schema: $schema must be one of {', '.join(DRAFTS)}, or left out")


@lru_cache(maxsize=1_000)
def _compiled(schema_text: str) -> SchemaNode:
    return _compile(read_json(schema_text))


def _written(path: Path) -> str:
    text = "data"
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
