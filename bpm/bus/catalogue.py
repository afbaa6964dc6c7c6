"""What can be sent: every message with its description, permission and JSON Schemas, from the registry."""

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import CoreSchema

from bpm.bus.field_docs import field_docs
from bpm.bus.registry import Kind, Registration, Registry

WITHIN = "#/$defs/{model}"
"""How schemas that stand alone refer to the definitions within them."""

_WORDS = re.compile(r"[A-Za-z0-9]+")
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One message; the schemas are of JSON Schema 2020-12, and the request's includes `$type`."""

    name: str
    area: str
    kind: Kind
    permission: str | None
    description: str
    aliases: tuple[str, ...]
    succeeded: str
    request: JsonSchemaValue
    result: JsonSchemaValue


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every message, by name, and the definitions that their schemas refer to."""

    entries: Sequence[Entry]
    definitions: Mapping[str, JsonSchemaValue]

    def standing_alone(self, schema: JsonSchemaValue) -> JsonSchemaValue:
        """Return a schema with the definitions it needs within (of a catalogue that refers to `WITHIN`)."""
        needed: dict[str, JsonSchemaValue] = {}
        waiting = [schema]
        while waiting:
            for name in _referred(waiting.pop()):
                if name not in needed:
                    needed[name] = self.definitions[name]
                    waiting.append(needed[name])
        return {**schema, "$defs": dict(sorted(needed.items()))} if needed else schema


@lru_cache(maxsize=8)
def catalogue_of(registry: Registry, reference: str = WITHIN) -> Catalogue:
    """Return every message of a registry that is complete; the work is done once.

    `reference` is how a schema names a definition; `{model}` stands for the definition's name.
    """
    registrations = list(registry)
    adapters: list[tuple[tuple[str, str], JsonSchemaMode, TypeAdapter[Any]]] = []
    for registration in registrations:
        adapters.append(((registration.name, "request"), "validation", TypeAdapter(registration.message_type)))
        adapters.append(((registration.name, "result"), "serialization", registration.result))
    schemas, shared = TypeAdapter.json_schemas(adapters, schema_generator=WireSchemas, ref_template=reference)
    definitions: dict[str, JsonSchemaValue] = shared.get("$defs", {})
    entries = [
        _entry(
            registration,
            _resolved(schemas[(registration.name, "request"), "validation"], definitions),
            schemas[(registration.name, "result"), "serialization"],
        )
        for registration in registrations
    ]
    return Catalogue(entries, definitions)


class WireSchemas(GenerateJsonSchema):
    """Without titles that only repeat a field's name or defaults that stand for a field left out.

    The bounds of converted integers have their names. An empty text as the default of one that must not be empty is
    how a change knows that a field was left out; nobody may send it.
    """

    def field_title_should_be_set(self, schema: object) -> bool:
        """Give no field a title."""
        return False

    def normalize_name(self, name: str) -> str:
        """Join the words of a class's name, so that it is an identifier in every language: `PageUserView`."""
        return "".join(f"{word[0].upper()}{word[1:]}" for word in _WORDS.findall(name))

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        """Say what each field means, unless the field itself does."""
        found = super().model_schema(schema)
        docs, fields = field_docs(schema["cls"]), schema["cls"].model_fields
        properties: dict[str, JsonSchemaValue] = found.get("properties", {})
        for name, field in fields.items():
            for known_as in {field.alias or name, field.serialization_alias} & properties.keys():
                if name in docs and "description" not in properties[known_as]:
                    properties[known_as] = {**properties[known_as], "description": docs[name]}
        return found

    def generate_inner(self, schema: CoreSchema) -> JsonSchemaValue:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Rename the bounds of converted integers."""
        found = super().generate_inner(schema)
        for spoken, name in _BOUNDS.items():
            if spoken in found:
                found[name] = found.pop(spoken)
        return found

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        """Leave out a default that nobody may send."""
        found = super().default_schema(schema)
        if found.get("default") == "" and found.get("minLength"):
            del found["default"]
        return found


def _entry(registration: Registration, fields: JsonSchemaValue, result: JsonSchemaValue) -> Entry:
    message_type = registration.message_type
    return Entry(
        name=registration.name,
        area=area_of(registration),
        kind=registration.kind,
        permission=message_type.permission,
        description=description_of(registration),
        aliases=message_type.aliases,
        succeeded=message_type.succeeded,
        request=_named(registration, fields),
        result=result,
    )


def description_of(registration: Registration) -> str:
    """Return what a message does, in its own words."""
    return inspect.cleandoc(registration.message_type.__doc__ or "")


def area_of(registration: Registration) -> str:
    """Return what a permission calls the area, for an area may fill several files; else the file's own name."""
    permission = registration.message_type.permission
    return permission.partition(":")[0] if permission is not None else registration.area


def _named(registration: Registration, fields: JsonSchemaValue) -> JsonSchemaValue:
    names = [registration.name, *registration.message_type.aliases]
    allowed = {"const": names[0]} if len(names) == 1 else {"enum": names}
    name = {"type": "string", **allowed, "description": "Which message it is."}
    sample = registration.message_type.sample
    return {
        **fields,
        **({} if sample is None else {"examples": [{"$type": names[0], **sample}]}),
        "properties": {"$type": name, **fields.get("properties", {})},
        "required": ["$type", *fields.get("required", [])],
    }


def _resolved(schema: JsonSchemaValue, definitions: Mapping[str, JsonSchemaValue]) -> JsonSchemaValue:
    return definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _referred(schema: object) -> Iterable[str]:
    if isinstance(schema, dict):
        for keyword, value in cast("dict[str, Any]", schema).items():
            if keyword == "$ref" and isinstance(value, str):
                yield value.rpartition("/")[2]
            else:
                yield from _referred(value)
    elif isinstance(schema, list):
        for item in cast("list[Any]", schema):
            yield from _referred(item)
