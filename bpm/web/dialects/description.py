"""The REST interfaces in the OpenAPI document, from their operations."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter

from bpm.bus.catalogue import WireSchemas
from bpm.web.dialects.dialect import Dialect, Operation
from bpm.web.openapi_paths import content

_PARAMETER = re.compile(r"{(\w+)}")
_WORD = re.compile(r"\w+")
_ALWAYS = (401, 403, 429, 500, 503)
_WITH_BODY = (400, 408, 413, 415, 422)


class Description:
    """The paths of all interfaces, and the schemas they speak of."""

    def __init__(self, dialects: Iterable[Dialect]) -> None:
        """Describe every operation."""
        self.paths: dict[str, Any] = {}
        self.schemas: dict[str, Any] = {}
        for dialect in dialects:
            for operation in dialect.operations:
                described = self._operation(dialect, operation)
                self.paths.setdefault(operation.path, {})[operation.method.lower()] = described

    def _operation(self, dialect: Dialect, operation: Operation) -> dict[str, Any]:
        name = operation.work.__name__
        described = {
            "tags": [dialect.name],
            "operationId": f"{dialect.name}_{name}",
            "summary": (operation.work.__doc__ or "").split("\n")[0],
            "description": f"Needs the scope `{operation.scope}`.",
            "parameters": [*_in_path(operation), *_in_query(operation.query)],
            "responses": self._responses(dialect, operation),
        }
        if operation.body is not None:
            schema = self._schema(dialect, operation.body, "validation")
            described["requestBody"] = {"required": True, "content": content(schema)}
        return described

    def _responses(self, dialect: Dialect, operation: Operation) -> dict[str, Any]:
        done: dict[str, Any] = {"description": "Done"}
        if operation.answer is not None:
            done["content"] = content(self._schema(dialect, operation.answer, "serialization"))
        refusal = content(self._schema(dialect, dialect.error, "serialization"))
        return {str(operation.status): done} | {
            str(status): {"description": "Refused", "content": refusal} for status in sorted(_refusals(operation))
        }

    def _schema(self, dialect: Dialect, type_: Any, mode: Any) -> dict[str, Any]:
        """Return the schema of a type; models go to the shared ones, under the interface's name and their own."""
        beginning = dialect.name.capitalize()
        template = f"#/components/schemas/{beginning}{{model}}"
        schema = TypeAdapter[Any](type_).json_schema(ref_template=template, mode=mode, schema_generator=WireSchemas)
        for name, definition in schema.pop("$defs", {}).items():
            self._share(beginning + name, definition)
        if not (isinstance(type_, type) and issubclass(type_, BaseModel)) or "$ref" in schema:
            return schema
        name = beginning + "".join(f"{word[0].upper()}{word[1:]}" for word in _WORD.findall(type_.__name__))
        self._share(name, schema)
        return {"$ref": f"#/components/schemas/{name}"}

    def _share(self, name: str, schema: dict[str, Any]) -> None:
        if self.schemas.setdefault(name, schema) != schema:
            raise ValueError(f"{name} has two schemas: what is read and what is answered need a model each")


def _refusals(operation: Operation) -> set[int]:
    statuses = {*_ALWAYS, *(_WITH_BODY if operation.body is not None else ())}
    if operation.query is not None:
        statuses |= {400, 422}
    if operation.missing:
        statuses.add(404)
    return statuses


def _in_path(operation: Operation) -> list[dict[str, Any]]:
    schema = {"type": "integer", "minimum": 1}
    names: list[str] = _PARAMETER.findall(operation.path)
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _in_query(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    schema: Mapping[str, Any] = model.model_json_schema() if model is not None else {}
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": described}
        for name, described in schema.get("properties", {}).items()
    ]
