"""Checks against JSON Schemas, whose cost is bounded."""

from functools import lru_cache
from itertools import islice
from typing import Any

from bpm.exact_json import read_json, write_json
from bpm.metering import OverBudget, metered

from .check import Path, SchemaCheck, SchemaNode
from .errors import SchemaError
from .limits import MAX_CHECK_STEPS, MAX_SCHEMA_BYTES

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


@lru_cache(maxsize=1_000)
def _compiled(schema_text: str) -> SchemaNode:
    return _compile(read_json(schema_text))


def _compile(schema: object) -> SchemaNode:
    from .compiler import compile_schema  # with its libraries 9 MB, which few installations need

    return compile_schema(schema)


def _written(path: Path) -> str:
    text = "data"
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text
