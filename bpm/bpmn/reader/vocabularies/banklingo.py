"""BankLingo's extension elements: `<custom:properties><custom:property name="ConnectorKey" value="…"/>`.

Names are read without regard to case. Source: BankLingo documentation, "Process engine", task types.
`ConnectorKey` (or `CommandName`) names the command; without `Parameters`, `parameters.x` or `InputMapping` it
sees all variables. Mappings are JSON objects, target to path; `context` stands for the variables.
"""

from typing import Any

from bpm.bpmn.reader.vocabularies.fields import Dialect, Fields
from bpm.bpmn.reader.vocabularies.own import read_object
from bpm.model_files.xml import Tag

_FIELDS = {
    "connectorkey": "command",
    "commandname": "command",
    "resultvariable": "result_variable",
    "retries": "retries",
    "scriptlanguage": "script_format",
    "script": "script",
    "message": "message",
    "correlationkey": "correlation_key",
    "formkey": "form_key",
    "assignee": "assignee",
    "candidateusers": "candidate_users",
    "responsibleusers": "candidate_users",
    "candidategroups": "candidate_groups",
    "responsibleteams": "candidate_groups",
    "duedate": "due_date",
    "priority": "priority",
}
_EXPRESSIONS = {"correlation_key"}
_REFUSED = {
    "serverscript": "ServerScript is not executed; put a script task behind the user task",
    "timeout": "Timeout is not executed; attach a timer boundary event",
    "timeoutms": "TimeoutMs is not executed; attach a timer boundary event",
    "endpoint": "Endpoint is not called; name a command in ConnectorKey",
}


def read_properties(tag: Tag, fields: Fields) -> None:
    """Read every `<custom:property>`."""
    for child in tag.children:
        _read_property(child.get("name"), child.get("value"), fields)


def _read_property(name: str, value: str, fields: Fields) -> None:
    key = name.lower()
    if not value:
        return
    if key in _REFUSED:
        fields.refuse(_REFUSED[key])
    elif key in _FIELDS:
        _set(_FIELDS[key], value, fields)
    elif key.startswith("parameters."):
        fields.add_input(name.split(".", 1)[1], value)
    elif key == "parameters":
        fields.set("body", read_object(value, "its property Parameters", fields))
    elif key == "inputmapping":
        for target, source in read_object(value, "its property InputMapping", fields).items():
            fields.add_input(target, _expression(source))
    elif key == "outputmapping":
        for target, source in read_object(value, "its property OutputMapping", fields).items():
            fields.add_output(target, _expression(source))
    else:
        fields.properties[name] = value


def _set(field: str, value: str, fields: Fields) -> None:
    fields.set(field, _expression(value) if field in _EXPRESSIONS else value)
    if field == "message":
        fields.suppose("default_result", "lastSignalData")


def _expression(source: object) -> Any:
    """A bare path is an expression here; what is marked already, or not a text, stays as it is."""
    if not isinstance(source, str) or source.startswith("=") or "{{" in source or "${" in source:
        return source
    return f"={source}"


DIALECT = Dialect(attributes={}, children={"properties": read_properties}, refused={})
