"""Form fields of Camunda 7 (`formData`) and of Activiti and Flowable (`formProperty`), read as JSON Schema.

<camunda:formData>
  <camunda:formField id="amount" label="Amount" type="long" defaultValue="1">
    <camunda:validation><camunda:constraint name="max" config="10"/></camunda:validation>
  </camunda:formField>
</camunda:formData>
<flowable:formProperty id="color" type="enum" required="true"><flowable:value id="red" name="Red"/> …
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from bpm.bpmn.reader.extensions import FormFieldDefinition
from bpm.bpmn.reader.vocabularies.fields import Fields
from bpm.model_files.names import MAX_NAME
from bpm.model_files.xml import Tag
from bpm.number import Number, NumberError, number_of
from bpm.spelling import nearest

MAX_FIELDS = 200
"""Maximum number of fields of a form; each task keeps what is asked of them."""
MAX_OPTIONS = 1_000
"""Maximum number of values of one field."""

_TYPES: Mapping[str, Mapping[str, Any]] = {
    "": {},
    "string": {"type": "string"},
    "long": {"type": "integer"},
    "int": {"type": "integer"},
    "double": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "enum": {"type": "string"},
}
_HOURS = re.compile("[HhKk]")
"""Stands in a pattern of Java's for a day with its time."""
_NUMBERS = frozenset({"long", "int", "double"})
_TEXTS = frozenset({"string"})
_BOUNDS = {"min": "minimum", "max": "maximum", "minlength": "minLength", "maxlength": "maxLength"}
_MARKS = ("required", "readonly")

_Known = tuple[tuple[str, ...], Mapping[str, Any]]
"""The attributes that an extension may have, and what may stand in it with which attributes."""
_FIELD: _Known = (
    ("id", "label", "type", "defaultValue", "datePattern"),
    {
        "properties": ((), {"property": (("id", "value"), {})}),
        "validation": ((), {"constraint": (("name", "config"), {})}),
        "value": (("id", "name"), {}),
    },
)
_PROPERTY: _Known = (
    ("id", "name", "type", "default", "datePattern", "readable", "writable", "required", "variable", "expression"),
    {"value": (("id", "name"), {})},
)


def read_form_data(tag: Tag, fields: Fields) -> None:
    """Read `<camunda:formData>`, whose `businessKey` only tells clients which field shows it."""
    _check_known(tag, (("businessKey",), {"formField": _FIELD}), fields)
    for child in _children(tag, "formField"):
        constraints = [one for holder in _children(child, "validation") for one in holder.children]
        asked = [(one.get("name"), one.get("config")) for one in constraints]
        rules = _rules(child, asked, fields)
        _add(child, child.get("label"), child.get("defaultValue"), {name for name, _ in asked}, rules, fields)


def read_form_property(tag: Tag, fields: Fields) -> None:
    """Read `<flowable:formProperty>`; it must be written to the variable that it is called like."""
    _check_known(tag, _PROPERTY, fields)
    marks = {"required"} if tag.get("required") == "true" else set[str]()
    if tag.get("writable") == "false":
        marks.add("readonly")
    renamed = tag.get("expression") or (tag.get("variable") if tag.get("variable") != tag.get("id") else "")
    if renamed and "readonly" not in marks:
        fields.refuse(f"its form's field '{tag.get('id')}' is written to '{renamed:.100}'; map it with an output")
    _add(tag, tag.get("name"), tag.get("default"), marks, {}, fields)


def _add(tag: Tag, label: str, default: str, marks: Collection[str], rules: Mapping[str, Any], fields: Fields) -> None:
    """Add a field, unless there are too many or it can't be told from another one."""
    name, known = tag.get("id"), {field.name for field in fields.form_fields}
    if not name or len(name) > MAX_NAME:
        fields.refuse(f"its form has a field without an id of at most {MAX_NAME} characters")
    elif name in known:
        fields.refuse(f"its form has the field '{name}' twice, of which one alone would be checked")
    elif len(known) == MAX_FIELDS:
        fields.refuse(f"its form has more than {MAX_FIELDS} fields")
    else:
        asked = {**_typed(tag, fields), **rules}
        is_read_only = "readonly" in marks
        is_required = "required" in marks and not is_read_only
        fields.form_fields.append(FormFieldDefinition(name, label, asked, default, is_required, is_read_only))


def _typed(tag: Tag, fields: Fields) -> dict[str, Any]:
    """What the type of a field asks of its value."""
    kind, options = tag.get("type"), [value.get("id") for value in _children(tag, "value")]
    if kind not in _TYPES:
        fields.refuse(f"its form's field '{tag.get('id')}' has the type '{kind:.100}', which is not known")
    if options and kind != "enum":
        fields.refuse(f"its form's field '{tag.get('id')}' has values, which only the type enum has")
    if kind == "date" and _HOURS.search(tag.get("datePattern")):
        return {"type": "string", "format": "date-time"}
    if kind != "enum":
        return dict(_TYPES.get(kind, {}))
    if not 0 < len(options) <= MAX_OPTIONS:
        fields.refuse(f"its form's field '{tag.get('id')}' has {len(options)} values; an enum has 1 to {MAX_OPTIONS}")
    return {**_TYPES[kind], "enum": options[:MAX_OPTIONS]}


def _rules(tag: Tag, constraints: Iterable[tuple[str, str]], fields: Fields) -> dict[str, Any]:
    """What the constraints of a field ask of its value, but for what it is marked as."""
    rules: dict[str, Any] = {}
    about, kind = f"its form's field '{tag.get('id')}'", tag.get("type")
    for name, config in constraints:
        if name == "validator":
            fields.refuse(f"{about} has a validator, which calls Java code; write min, max, minlength or maxlength")
        elif name not in _BOUNDS and name not in _MARKS:
            fields.refuse(f"{about} has the constraint '{name:.100}', which is not known")
        elif name in _BOUNDS:
            read, kinds = (_length, _TEXTS) if name.endswith("length") else (read_number, _NUMBERS)
            bound = read(config)
            if kind not in kinds:
                fields.refuse(f"{about} has the constraint {name}, which its type '{kind:.100}' can't have")
            elif bound is None:
                fields.refuse(f"{about} has the constraint {name} with '{config:.100}', which is no such number")
            else:
                rules[_BOUNDS[name]] = bound
    return rules


def read_number(text: str) -> int | Number | None:
    """A number that is written in a file; None for what is none."""
    try:
        number = number_of(text)
    except NumberError:
        return None
    return int(number) if number.is_integer() else number


def _length(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _check_known(tag: Tag, known: _Known, fields: Fields) -> None:
    """Refuse what is not known in an extension and in what it holds."""
    attributes, inner = known
    for name in tag.attributes:
        if name[0] != "{" and name not in attributes:
            fields.refuse(f"the attribute '{name}' of its <{tag.name}> is not known{_meant(name, attributes)}")
    for child in tag.children:
        if child.name in inner:
            _check_known(child, inner[child.name], fields)
        else:
            fields.refuse(f"its <{tag.name}> holds <{child.name}>, which is not known{_meant(child.name, inner)}")


def _children(tag: Tag, name: str) -> Iterator[Tag]:
    return (child for child in tag.children if child.name == name)


def _meant(word: str, known: Iterable[str]) -> str:
    close = nearest(word, known)
    return f"; '{close[0]}' may be meant" if close else ""
