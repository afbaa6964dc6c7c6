"""The fields of a form that stands in a process file, as the JSON Schema of what they are given."""

from collections.abc import Mapping, Set
from typing import Any, cast

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.compilation.values import Evaluator, compile_value, is_constant
from bpm.bpmn.definition import Element
from bpm.bpmn.reader.extensions import FormFieldDefinition
from bpm.bpmn.reader.vocabularies.form_fields import read_number
from bpm.exact_json import write_json
from bpm.expressions import ExpressionError
from bpm.schemas import MAX_SCHEMA_BYTES


class FormFields:
    """What a person gives to a task, or to begin an instance (Camunda 7, "User Task Forms")."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        """Compile the defaults."""
        self._fields = element.extensions.form_fields
        self._read_only = {field.name for field in self._fields if field.is_read_only}
        self._defaults = _defaults(element, compilation)
        self._properties = {field.name: _property(field) for field in self._fields}
        if len(write_json(self._properties)) > MAX_SCHEMA_BYTES:
            compilation.contradiction(element, f"its form's fields take more than {MAX_SCHEMA_BYTES} bytes of a schema")

    @property
    def names(self) -> Set[str]:
        """The variables that the fields are."""
        return self._properties.keys()

    def schema(self, seen: Mapping[str, Any]) -> dict[str, Any]:
        """What is to be given beside the variables that are there: what is there already need not be given again."""
        required = [field.name for field in self._fields if field.is_required and not self._is_known(field.name, seen)]
        return {"type": "object", "properties": self._properties, "required": required}

    def filled(self, given: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
        """What is given, and the defaults of what is neither given nor there; each sees those before it.

        The null of a read-only field, which is all that may be given for it, changes nothing.
        """
        values = {name: value for name, value in given.items() if name not in self._read_only}
        known = {**seen, **values}
        for name in self._defaults:
            if known.get(name) is None and (value := self._default(name, known)) is not None:
                values[name] = known[name] = value
        return values

    def _is_known(self, name: str, seen: Mapping[str, Any]) -> bool:
        return seen.get(name) is not None or (name in self._defaults and self._default(name, seen) is not None)

    def _default(self, name: str, seen: Mapping[str, Any]) -> Any:
        return _converted(self._defaults[name](seen), self._properties[name])


def _defaults(element: Element, compilation: Compilation) -> dict[str, Evaluator]:
    found: dict[str, Evaluator] = {}
    for field in element.extensions.form_fields:
        try:
            if field.default:
                found[field.name] = compile_value(field.default)
        except ExpressionError as error:
            compilation.contradiction(element, f"the default of its form's field '{field.name}': {error}")
    return found


def _property(field: FormFieldDefinition) -> dict[str, Any]:
    """The schema of a field's value; what need not be given may be null."""
    title = {"title": field.label} if field.label and is_constant(field.label) else {}
    if field.is_read_only:
        return {**title, "type": "null", "readOnly": True}
    asked = {**title, **field.asked}
    if field.is_required:
        return {**asked, "minLength": max(1, asked.get("minLength", 0))} if asked.get("type") == "string" else asked
    if "enum" in asked:
        asked["enum"] = [*asked["enum"], None]
    return {**asked, "type": [asked["type"], "null"]} if "type" in asked else asked


def _converted(value: Any, schema: Mapping[str, Any]) -> Any:
    """A default, which is written as a text, as the field's type has it; what is none of the type stays a text."""
    kinds = schema.get("type")
    kind = cast("list[str]", kinds)[0] if isinstance(kinds, list) else kinds
    if not isinstance(value, str):
        return value
    if kind == "boolean":
        return {"true": True, "false": False}.get(value.strip().lower(), value)
    number = read_number(value.strip()) if kind in ("integer", "number") else None
    return value if number is None else number
