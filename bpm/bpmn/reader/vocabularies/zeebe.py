"""Camunda 8's words (`zeebe:`): task definitions, mappings, subscriptions, forms and assignment.

Source: Camunda 8 documentation, BPMN coverage and "Variables", input/output variable mappings.
"""

from bpm.bpmn.reader.vocabularies import listeners
from bpm.bpmn.reader.vocabularies.fields import Dialect, Fields
from bpm.model_files.xml import Tag


def read_task_definition(tag: Tag, fields: Fields) -> None:
    """Read `<zeebe:taskDefinition type retries>`: the job type is the command's name."""
    fields.set("command", tag.get("type"))
    fields.set("retries", tag.get("retries"))


def read_mapping(tag: Tag, fields: Fields) -> None:
    """Read `<zeebe:ioMapping>`: sources beginning with = are expressions, others plain texts."""
    fields.call("keeps_inputs", True)
    for child in tag.children:
        add = {"input": fields.add_input, "output": fields.add_output}.get(child.name)
        if add:
            add(child.get("target"), child.get("source"))


def read_headers(tag: Tag, fields: Fields) -> None:
    """Read `<zeebe:taskHeaders>`; connectors put `resultVariable` there."""
    for child in tag.children:
        fields.properties[child.get("key")] = child.get("value")
        if child.get("key") == "resultVariable":
            _read_result_variable(child.get("value"), fields)


def read_script(tag: Tag, fields: Fields) -> None:
    """Read `<zeebe:script expression resultVariable>`: a FEEL expression evaluated in place."""
    fields.set("expression", tag.get("expression"))
    _read_result_variable(tag.get("resultVariable"), fields)


def _read_result_variable(name: str, fields: Fields) -> None:
    """Read the variable of a result; an output mapping beside it is all that leaves the task."""
    fields.set("result_variable", name)
    fields.set("result_is_local", True)


def read_subscription(tag: Tag, fields: Fields) -> None:
    """Read `<zeebe:subscription correlationKey>`."""
    fields.set("correlation_key", tag.get("correlationKey"))


def read_called_element(tag: Tag, fields: Fields) -> None:
    """Read a call activity's `<zeebe:calledElement>`."""
    fields.call_once("process", tag.get("processId"), "called process")
    fields.call("keeps_inputs", True)
    fields.call("passes_all", tag.get("propagateAllParentVariables") != "false")
    if tag.get("propagateAllChildVariables"):
        fields.call("returns_all", tag.get("propagateAllChildVariables") == "true")
    _read_binding(tag, fields)


def read_called_decision(tag: Tag, fields: Fields) -> None:
    """Read a business rule task's `<zeebe:calledDecision>`."""
    fields.set("decision", tag.get("decisionId"))
    _read_result_variable(tag.get("resultVariable"), fields)
    _read_binding(tag, fields)


def _read_binding(tag: Tag, fields: Fields) -> None:
    fields.bind("kind", tag.get("bindingType").strip())
    fields.bind("tag", tag.get("versionTag").strip())


def read_version_tag(tag: Tag, fields: Fields) -> None:
    """Read `<zeebe:versionTag value>` of a process."""
    fields.set("version_tag", tag.get("value").strip())


def read_loop(tag: Tag, fields: Fields) -> None:
    """Read `<zeebe:loopCharacteristics>`."""
    fields.set("collection", tag.get("inputCollection"))
    fields.set("item", tag.get("inputElement"))
    fields.set("output_collection", tag.get("outputCollection"))
    fields.set("output_item", tag.get("outputElement"))


def read_ad_hoc(tag: Tag, fields: Fields) -> None:
    """Read `<zeebe:adHoc activeElementsCollection>`."""
    fields.set("active_elements", tag.get("activeElementsCollection"))
    if tag.get("outputCollection") or tag.get("outputElement"):
        fields.refuse("the outputCollection of an ad hoc sub-process is not executed; map its activities' outputs")


def read_form(tag: Tag, fields: Fields) -> None:
    """Read `<zeebe:formDefinition>`: whichever reference it holds is the form key; an id names a deployed form."""
    for name in ("formKey", "formId", "externalReference"):
        fields.set("form_key", tag.get(name))
    fields.name_form("id", tag.get("formId"))
    fields.name_form("kind", tag.get("bindingType"))
    fields.name_form("tag", tag.get("versionTag"))


def read_assignment(tag: Tag, fields: Fields) -> None:
    """Read `<zeebe:assignmentDefinition>`."""
    fields.set("assignee", tag.get("assignee"))
    fields.set("candidate_users", tag.get("candidateUsers"))
    fields.set("candidate_groups", tag.get("candidateGroups"))


def read_schedule(tag: Tag, fields: Fields) -> None:
    """Read `<zeebe:taskSchedule dueDate>`."""
    if tag.get("followUpDate"):
        fields.refuse("a followUpDate is not executed; set a due date, or a timer before the task")
    fields.set("due_date", tag.get("dueDate"))


def read_priority(tag: Tag, fields: Fields) -> None:
    """Read `<zeebe:priorityDefinition priority>`."""
    fields.set("priority", tag.get("priority"))


def read_properties(tag: Tag, fields: Fields) -> None:
    """Keep `<zeebe:properties>`."""
    fields.properties.update((child.get("name"), child.get("value")) for child in tag.children)


DIALECT = Dialect(
    attributes={},
    children={
        "taskDefinition": read_task_definition,
        "ioMapping": read_mapping,
        "taskHeaders": read_headers,
        "script": read_script,
        "subscription": read_subscription,
        "calledElement": read_called_element,
        "calledDecision": read_called_decision,
        "loopCharacteristics": read_loop,
        "adHoc": read_ad_hoc,
        "formDefinition": read_form,
        "assignmentDefinition": read_assignment,
        "taskSchedule": read_schedule,
        "priorityDefinition": read_priority,
        "properties": read_properties,
        "versionTag": read_version_tag,
        "executionListeners": lambda tag, fields: listeners.read_zeebe(tag, fields, listeners.EXECUTION),
        "taskListeners": lambda tag, fields: listeners.read_zeebe(tag, fields, listeners.ZEEBE_TASK),
    },
    merges_result=True,
    refused={
        "linkedResources": "linked resources are not executed",
    },
    harmless=frozenset({
        "modelerTemplate", "modelerTemplateVersion", "modelerTemplateIcon", "userTask", "userTaskForm",
        "jobPriorityDefinition",
    }),
    child_attributes={
        "taskDefinition": frozenset({"type", "retries"}),
        "ioMapping": frozenset(),
        "script": frozenset({"expression", "resultVariable"}),
        "subscription": frozenset({"correlationKey"}),
        "calledDecision": frozenset({"decisionId", "resultVariable", "bindingType", "versionTag"}),
        "calledElement": frozenset({
            "processId", "propagateAllChildVariables", "propagateAllParentVariables", "bindingType", "versionTag",
        }),
        "loopCharacteristics": frozenset({"inputCollection", "inputElement", "outputCollection", "outputElement"}),
        "adHoc": frozenset({"activeElementsCollection", "outputCollection", "outputElement"}),
        "formDefinition": frozenset({"formKey", "formId", "externalReference", "bindingType", "versionTag"}),
        "assignmentDefinition": frozenset({"assignee", "candidateGroups", "candidateUsers"}),
        "taskSchedule": frozenset({"dueDate", "followUpDate"}),
        "priorityDefinition": frozenset({"priority"}),
        "versionTag": frozenset({"value"}),
        "taskHeaders": frozenset(),
    },
    grandchildren={
        "ioMapping": dict.fromkeys(("input", "output"), frozenset({"source", "target"})),
        "taskHeaders": {"header": frozenset({"key", "value"})},
    },
)  # fmt: skip
