"""Our own words, in any namespace that is not another vendor's.

    <bpm:command type="ChargeCardCommand" resultVariable="charge" retries="3">
      <bpm:parameter name="amount">{{order.total}}</bpm:parameter>
    </bpm:command>                                   or a JSON object as the text, templates in its strings
    <bpm:input name="days">{{order.days}}</bpm:input>      local to the task
    <bpm:output name="receipt">{{charge.receipt}}</bpm:output>
    <bpm:message name="Paid" correlationKey="{{orderId}}"/>     parameters: the payload of a message thrown

    <bpm:formSchema>{"type": "object"}</bpm:formSchema>    the JSON Schema of a user task's form

    <bpm:executionListener event="start" type="AuditCommand">          or end, or take on a sequence flow; parameters
    <bpm:taskListener event="create"><bpm:script>…</bpm:script>        or assignment, complete; a script instead

and the attributes `bpm:resultVariable`, `bpm:formKey`, `bpm:assignee`, `bpm:candidateUsers`,
`bpm:candidateGroups`, `bpm:dueDate`, `bpm:priority`, `bpm:decision` on the element itself, and `bpm:collection`,
`bpm:item`, `bpm:outputCollection`, `bpm:outputItem` on its multi-instance marker, `bpm:activeElements` on an ad hoc
sub-process.
"""

from typing import cast

from bpm.bpmn.reader.vocabularies import listeners
from bpm.bpmn.reader.vocabularies.fields import Dialect, Fields
from bpm.model_files.xml import Tag
from bpm.schemas import SchemaError, check_schema
from bpm.strict_json import StrictJsonError, parse_json

TASK_ATTRIBUTES = {
    "resultVariable": "result_variable",
    "formKey": "form_key",
    "assignee": "assignee",
    "candidateUsers": "candidate_users",
    "candidateGroups": "candidate_groups",
    "dueDate": "due_date",
    "priority": "priority",
    "errorCodeVariable": "error_code_variable",
    "errorMessageVariable": "error_message_variable",
    "correlationKey": "correlation_key",
}


def read_command(tag: Tag, fields: Fields) -> None:
    """Read `<bpm:command>`: its type, and parameters as children or as one JSON object."""
    if not tag.get("type"):
        fields.refuse('its <command> names no type; write type="SomeCommand"')
    fields.set("command", tag.get("type"))
    fields.set("result_variable", tag.get("resultVariable"))
    fields.set("retries", tag.get("retries"))
    fields.inputs = fields.inputs or []
    _read_parameters(tag, fields)


def read_message(tag: Tag, fields: Fields) -> None:
    """Read `<bpm:message>`: name, correlation key and payload."""
    fields.set("message", tag.get("name"))
    fields.set("correlation_key", tag.get("correlationKey"))
    _read_parameters(tag, fields)


def _read_parameters(tag: Tag, fields: Fields) -> None:
    for child in tag.children:
        if child.name == "parameter":
            fields.add_input(child.get("name"), child.text.strip())
        else:
            fields.refuse(f'its <{tag.name}> holds <{child.name}>; only <parameter name="…"> is known there')
    if text := tag.text.strip():
        fields.set("body", read_object(text, f"the text of its <{tag.name}>", fields))


def read_object(text: str, what: str, fields: Fields) -> dict[str, object]:
    """Read a JSON object; anything else is refused, and so is a key that stands twice."""
    try:
        value = parse_json(text.encode())
    except StrictJsonError as error:
        fields.refuse(f"{what} must be a JSON object: {error}")
        return {}
    if not isinstance(value, dict):
        fields.refuse(f"{what} must be a JSON object")
        return {}
    return cast("dict[str, object]", value)


def read_form_schema(tag: Tag, fields: Fields) -> None:
    """Read `<bpm:formSchema>`."""
    schema = read_object(tag.text, "its form's schema", fields)
    try:
        check_schema(schema)
    except SchemaError as error:
        fields.refuse(f"its form's schema {error}")
    fields.set("form_schema", schema)


def read_input(tag: Tag, fields: Fields) -> None:
    """Read `<bpm:input name="…">template</bpm:input>`."""
    fields.call("keeps_inputs", True)
    fields.add_input(tag.get("name"), tag.text.strip())


def read_output(tag: Tag, fields: Fields) -> None:
    """Read `<bpm:output name="…">template</bpm:output>`."""
    fields.add_output(tag.get("name"), tag.text.strip())


DIALECT = Dialect(
    attributes={
        **TASK_ATTRIBUTES,
        "decision": "decision",
        "collection": "collection",
        "item": "item",
        "activeElements": "active_elements",
        "outputCollection": "output_collection",
        "outputItem": "output_item",
    },
    children={
        "command": read_command,
        "message": read_message,
        "input": read_input,
        "output": read_output,
        "formSchema": read_form_schema,
        "executionListener": lambda tag, fields: listeners.read_own(tag, fields, listeners.EXECUTION),
        "taskListener": lambda tag, fields: listeners.read_own(tag, fields, listeners.TASK),
    },
    refused={},
    repeated=frozenset({"input", "output", "executionListener", "taskListener"}),
    child_attributes={
        "command": frozenset({"type", "resultVariable", "retries"}),
        "message": frozenset({"name", "correlationKey"}),
        "input": frozenset({"name"}),
        "output": frozenset({"name"}),
        "formSchema": frozenset(),
    },
)
