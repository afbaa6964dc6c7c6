"""The JSON Schema of the YAML files of a folder, made from the models, for editors and for checks without a server."""

from typing import Any, cast

from pydantic import TypeAdapter

from bpm.bus.catalogue import WireSchemas
from bpm.cli.files.cases import DecisionCase, RuleCase
from commands.configuration.parts import AnyPart

NOT_IN_FILES = ("executionCode", "processDefinitionId")
"""Fields of a rule for which files have others."""


def file_schema() -> dict[str, Any]:
    """Return the schema of one document: a part, or a test."""
    parts, tests = TypeAdapter(AnyPart), TypeAdapter(RuleCase | DecisionCase)
    inputs = [("part", "validation", parts), ("test", "validation", tests)]
    schemas, shared = TypeAdapter.json_schemas(cast("Any", inputs), schema_generator=WireSchemas)
    definitions = shared["$defs"]
    rule = definitions["RuleDocument"]
    rule["properties"] = {name: field for name, field in rule["properties"].items() if name not in NOT_IN_FILES}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A document of a folder for bpm apply, or of its tests",
        "anyOf": [*_choices(schemas["part", "validation"]), *_choices(schemas["test", "validation"])],
        "$defs": definitions,
    }


def _choices(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return schema.get("anyOf") or [schema]
