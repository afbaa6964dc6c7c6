"""A JSON Schema -> its nodes, checked against its draft's own schema first."""

from typing import Any, cast

import jsonschema_rs

from bpm.exact_json import with_doubles
from bpm.metering import Meter, OverBudget

from .builder import Builder
from .check import SchemaNode
from .drafts import DRAFTS
from .errors import SchemaError
from .limits import MAX_SCHEMA_STEPS


def compile_schema(schema: object) -> SchemaNode:
    """Return the nodes of a schema; raises `SchemaError`."""
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


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
