"""Camunda 7's words (`camunda:`), which Operaton, Flowable and Activiti share.

Source: Camunda 7 documentation, "BPMN 2.0 Implementation Reference", extension attributes and elements.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bpm.bpmn.reader.extensions import InlineScript
from bpm.bpmn.reader.vocabularies import listeners
from bpm.bpmn.reader.vocabularies.fields import Dialect, Fields
from bpm.bpmn.reader.vocabularies.form_fields import read_form_data, read_form_property
from bpm.bpmn.reader.vocabularies.own import TASK_ATTRIBUTES
from bpm.bpmn.timers import parse_duration
from bpm.expressions import EvaluationError
from bpm.model_files.xml import Tag

_JAVA = 'calls Java code, which does not run here; use type="external" with a topic that names a command'
_OWN_KEY = re.compile(r"[#$]\{\s*execution\.(?:processB|b)usinessKey\s*\}")
_RETURN_THROWN = ("http://camunda.org/schema/1.0/bpmn", "http://operaton.org/schema/1.0/bpmn")
"""Whose `out` maps variables of a called process that throws an error, too; Flowable's doesn't."""
_RESOURCE = "a script in a file of its own is not read; put it into <script>"
_RETRIES = re.compile(r"R(\d{1,4})/(P.+)", re.ASCII)


_KNOWN = {"entry": ("key",), "value": ("id", "name"), "script": ("scriptFormat", "resource")}
"""The attributes of what a parameter holds; lists and maps have none."""


def read_mapping(tag: Tag, fields: Fields) -> None:
    """Read `<camunda:inputOutput>`: texts, lists and maps. Answers are set outside of the activity there."""
    fields.call("keeps_inputs", True)
    fields.set("keeps_answer", True)
    for child in tag.children:
        add = {"inputParameter": fields.add_input, "outputParameter": fields.add_output}.get(child.name)
        if add:
            add(child.get("name"), _value(child, fields))


def _value(tag: Tag, fields: Fields) -> Any:
    """The value of a parameter, or of a map's entry: its text, or the list, map or value it holds."""
    if tag.children and (tag.text.strip() or tag.children[1:]):
        name = tag.get("name") or tag.get("key")
        fields.refuse(f"its parameter '{name}' holds more than one value, of which one alone would be executed")
    return _read(tag.children[0], tag, fields) if tag.children else tag.text.strip()


def _read(tag: Tag, holder: Tag, fields: Fields) -> Any:
    """A list, map, script or value; anything else is refused."""
    for part in (tag, *(tag.children if tag.name == "map" else ())):
        fields.check_attributes(part, _KNOWN.get(part.name, ()))
    if tag.name == "list":
        return [_read(item, holder, fields) for item in tag.children]
    if tag.name == "map":
        _check_keys([entry.get("key") for entry in tag.children], fields)
        return {entry.get("key"): _value(entry, fields) for entry in tag.children}
    if tag.name == "script":
        return _read_script(tag, fields)
    if tag.name != "value":
        name = holder.get("name") or holder.get("key")
        where = "is" if tag in holder.children else "holds"
        fields.refuse(
            f"its parameter '{name}' {where} a <{tag.name}>, which is not executed; put a script task before it"
        )
    return tag.text.strip()


def _read_script(tag: Tag, fields: Fields) -> InlineScript:
    if tag.get("resource"):
        fields.refuse(_RESOURCE)
    return InlineScript(tag.text, tag.get("scriptFormat").strip().lower())


def _check_keys(keys: Sequence[str], fields: Fields) -> None:
    for key, count in Counter(keys).items():
        if "${" in key or "#{" in key:
            fields.refuse(f"its map has the key '{key}', which is an expression; only the values of a map are computed")
        elif not key:
            fields.refuse("its map has an entry without a key")
        elif count > 1:
            fields.refuse(f"its map has the key '{key}' {count} times")


def read_retries(tag: Tag, fields: Fields) -> None:
    """Read `<camunda:failedJobRetryTimeCycle>`: how many times, of `R3/PT10M`."""
    cycle = tag.text.strip()
    if not cycle:
        return
    match = _RETRIES.fullmatch(cycle)
    if match is None or not _is_duration(match[2]):
        fields.refuse(f"its failedJobRetryTimeCycle '{cycle:.200}' is not read; write how often and when, R3/PT10M")
        return
    fields.set("retries", match[1])


def _is_duration(text: str) -> bool:
    try:
        parse_duration(text)
    except EvaluationError:
        return False
    return True


def read_in(tag: Tag, fields: Fields) -> None:
    """Read a call activity's `<camunda:in>`: a variable, an expression, all of them, or the business key."""
    key = tag.get("businessKey")
    if _OWN_KEY.fullmatch(key):
        fields.call("inherits_key", True)
    elif key:
        fields.call_once("business_key", key, "business key")
    if key:
        return
    _check_mapped(tag, fields)
    fields.call("passes_all", fields.called.get("passes_all", False) or tag.get("variables") == "all")
    if tag.get("target"):
        fields.add_input(tag.get("target"), _source(tag), "<in> for")


def _check_mapped(tag: Tag, fields: Fields) -> None:
    """Refuse an `in` or `out` that maps nothing, or two things at once."""
    sources = [word for word in ("source", "sourceExpression") if tag.get(word)]
    if tag.get("variables"):
        is_clear = tag.get("variables") == "all" and not sources and not tag.get("target")
    else:
        is_clear = len(sources) == 1 and bool(tag.get("target"))
    if not is_clear:
        fields.refuse(f'its <{tag.name}> must have one source and a target, or variables="all", to be executed')


def read_out(tag: Tag, fields: Fields) -> None:
    """Read a call activity's `<camunda:out>`: a variable, an expression, or all of them."""
    _check_mapped(tag, fields)
    fields.call("returns_thrown", tag.namespace in _RETURN_THROWN)
    returns_all = fields.called.get("returns_all", False) or tag.get("variables") == "all"
    fields.call("returns_all", returns_all)
    fields.call("returns_beside", returns_all)
    if tag.get("target"):
        fields.add_output(tag.get("target"), _source(tag), "<out> for")


def _source(tag: Tag) -> str:
    return tag.get("sourceExpression") or f"${{{tag.get('source')}}}"


def read_binding(value: str, fields: Fields) -> None:
    """Read how it is said which version of a process or decision is meant."""
    fields.bind("kind", value)


def read_bound_version(value: str, fields: Fields) -> None:
    """Read the number of the version that is meant."""
    fields.bind("version", value)


def read_bound_tag(value: str, fields: Fields) -> None:
    """Read the tag of the version that is meant."""
    fields.bind("tag", value)


def read_same_deployment(value: str, fields: Fields) -> None:
    """Read Flowable's `sameDeployment`: the version that was deployed with this one."""
    if value == "true":
        fields.bind("kind", "deployment")


def read_form(value: str, fields: Fields) -> None:
    """Read the id of a deployed form, which is the form key as well."""
    fields.set("form_key", value)
    fields.name_form("id", value)


def read_decision(value: str, fields: Fields) -> None:
    """Read a decision's id; its result is a list of rows unless `mapDecisionResult` says otherwise."""
    fields.set("decision", value)
    fields.suppose("decision_result", "resultList")


def read_inherited_variables(value: str, fields: Fields) -> None:
    """Read Flowable's `inheritVariables`: all of them go in, beside what is mapped."""
    if value == "true":
        fields.call("passes_all", True)


def read_inherited_key(value: str, fields: Fields) -> None:
    """Read Flowable's `inheritBusinessKey`."""
    if value == "true":
        fields.call("inherits_key", True)


def read_called_type(value: str, fields: Fields) -> None:
    """Read whether Flowable's call activity names a process by its key or by a number of its own."""
    if value != "key":
        fields.refuse(f"the calledElementType '{value}' is not executed; name the process by its key")


def read_signal_scope(value: str, fields: Fields) -> None:
    """Read how far Flowable's signal is heard."""
    if value == "processInstance":
        fields.refuse("a signal is heard by everybody who listens; use an escalation or a message within an instance")


def read_ending(value: str, fields: Fields) -> None:
    """Read whether Flowable's terminate end event ends the instance from wherever it stands."""
    fields.set("terminates_all", value == "true")


def read_turns_ending(value: str, fields: Fields) -> None:
    """Read whether Flowable's terminate end event ends all turns around it."""
    if value == "true":
        fields.refuse("a terminate end event ends its own turn; throw an error that is caught at the repeated activity")


def read_worker_in(tag: Tag, fields: Fields) -> None:
    """Read what Flowable gives an external worker."""
    fields.add_input(tag.get("target"), _source(tag))


def read_worker_out(tag: Tag, fields: Fields) -> None:
    """Read what Flowable takes from an external worker."""
    fields.add_output(tag.get("target"), _source(tag))


def read_properties(tag: Tag, fields: Fields) -> None:
    """Keep `<camunda:properties>`."""
    fields.properties.update((child.get("name"), child.get("value")) for child in tag.children)


DIALECT = Dialect(
    attributes={
        **TASK_ATTRIBUTES,
        "topic": "command",
        "expression": "expression",
        "escalationCodeVariable": "error_code_variable",
        "messageExpression": "message",
        "resultVariableName": "result_variable",
        "initiator": "initiator",
        "skipExpression": "skip",
        "mapDecisionResult": "decision_result",
        "collection": "collection",
        "elementVariable": "item",
        "elementIndexVariable": "index",
        "versionTag": "version_tag",
    },
    readers={
        "businessKey": lambda value, fields: fields.call_once("business_key", value, "business key"),
        "calledElementType": read_called_type,
        "scope": read_signal_scope,
        "terminateAll": read_ending,
        "terminateMultiInstance": read_turns_ending,
        "decisionRef": read_decision,
        "inheritVariables": read_inherited_variables,
        "inheritBusinessKey": read_inherited_key,
        "calledElementBinding": read_binding,
        "calledElementVersion": read_bound_version,
        "calledElementVersionTag": read_bound_tag,
        "decisionRefBinding": read_binding,
        "decisionRefVersion": read_bound_version,
        "decisionRefVersionTag": read_bound_tag,
        "sameDeployment": read_same_deployment,
        "formRef": read_form,
        "formRefBinding": lambda value, fields: fields.name_form("kind", value),
        "formRefVersion": lambda value, fields: fields.name_form("version", value),
    },
    children={
        "in": read_in,
        "out": read_out,
        "inputOutput": read_mapping,
        "failedJobRetryTimeCycle": read_retries,
        "executionListener": lambda tag, fields: listeners.read_camunda(tag, fields, listeners.EXECUTION, "take"),
        "taskListener": lambda tag, fields: listeners.read_camunda(tag, fields, listeners.TASK, ""),
        "properties": read_properties,
        "formData": read_form_data,
        "formProperty": read_form_property,
        "externalWorkerInParameter": read_worker_in,
        "externalWorkerOutParameter": read_worker_out,
    },
    child_attributes={
        "in": frozenset({"source", "sourceExpression", "target", "variables", "businessKey"}),
        "out": frozenset({"source", "sourceExpression", "target", "variables"}),
        **dict.fromkeys(("inputOutput", "failedJobRetryTimeCycle", "properties"), frozenset[str]()),
    },
    grandchildren={
        "inputOutput": dict.fromkeys(("inputParameter", "outputParameter"), frozenset({"name"})),
        "properties": {"property": frozenset({"id", "name", "value"})},
    },
    merges_result=True,
    repeated=frozenset({
        "in", "out", "executionListener", "taskListener", "externalWorkerInParameter", "externalWorkerOutParameter",
        "formProperty",
    }),
    refused={
        "class": f"camunda:class {_JAVA}",
        "delegateExpression": f"camunda:delegateExpression {_JAVA}",
        "resource": _RESOURCE,
        "connector": "camunda:connector is not executed; use a command",
        "errorEventDefinition": "camunda:errorEventDefinition is not executed; let the command fail with the code",
        "variableMappingClass": f"camunda:variableMappingClass {_JAVA}",
        "variableMappingDelegateExpression": f"camunda:variableMappingDelegateExpression {_JAVA}",
        "eventListener": "event listeners are not executed; subscribe to process.completed and the like instead",
        "value": "a value is that of a data object; set the variable in a task",
        "businessCalendarName": "business calendars are not executed; write an ISO 8601 time or cron",
        "useLocalScopeForResultVariable": "a result is a variable of the process; name one that is free",
        **dict.fromkeys(
            ("taskIdVariableName", "idVariableName", "taskCompleterVariableName"),
            "such a variable is not written; see the instance's history instead",
        ),
        "variableAggregation": "variable aggregations are not executed; collect with bpm:outputCollection",
        "mapException": "exceptions of Java don't occur here; catch an error with its code",
        "eventType": "the event registry is not executed; wait for a message instead",
        "variableName": "a conditional event is asked whenever variables are written, whichever they are",
        "variableEvents": "a conditional event is asked whenever variables are written, however that happens",
        "errorMessage": "the message of an error is not thrown; let the command fail with a message",
        "followUpDate": "a followUpDate is not executed; set a due date, or a timer before the task",
        "endDate": "the end date of a cycle is not executed; say how often it repeats, such as R3/PT1H",
        "field": "camunda:field belongs to Java code, which does not run here",
    },
    harmless=frozenset({
        # of transactions, jobs and their order, which the engine arranges itself
        "async", "asyncBefore", "asyncAfter", "asyncLeave", "exclusive", "jobPriority", "taskPriority", "priority",
        # of the list of processes, and how long history is kept
        "historyTimeToLive", "isStartableInTasklist", "candidateStarterUsers",
        "candidateStarterGroups", "potentialStarter",
        # of forms, which clients draw
        "formFieldValidation",
        # of modelling tools
        "modelerTemplate", "modelerTemplateVersion", "modelerTemplateIcon", "diagramRelationId",
        # said in other words as well: a worker's type stands beside its topic
        "type", "resultVariable", "localization", "validation", "category",
        # of Flowable's tenants, history, jobs and design, none of which changes what happens
        "fallbackToDefaultTenant", "historyLevel", "includeInHistory", "jobCategory", "isEagerExecutionFetching",
        "noWaitStatesAsyncLeave", "asyncLeaveExclusive", "parallelInSameTransaction", "completeAsync", "translation",
        "work-form-field-validation", "task-candidates-type", "static-process-key",
    }),
)  # fmt: skip
