"""Camunda 7's words (`camunda:`), which Operaton, Flowable and Activiti share.

Source: Camunda 7 documentation, "BPMN 2.0 Implementation Reference", extension attributes and elements.
"""

import re
from typing import Any

from ..xml import Tag
from .fields import Dialect, Fields
from .own import TASK_ATTRIBUTES

_JAVA = 'calls Java code, which does not run here; use type="external" with a topic that names a command'
_RETRIES = re.compile(r"R(\d+)/")


def read_mapping(tag: Tag, fields: Fields) -> None:
    """Read `<camunda:inputOutput>`: texts, lists and maps."""
    for child in tag.children:
        add = {"inputParameter": fields.add_input, "outputParameter": fields.add_output}.get(child.name)
        if add:
            add(child.get("name"), _value(child, fields))


def _value(tag: Tag, fields: Fields) -> Any:
    if not tag.children:
        return tag.text.strip()
    child = tag.children[0]
    if child.name == "list":
        return [_value(item, fields) for item in child.children]
    if child.name == "map":
        return {entry.get("key"): _value(entry, fields) for entry in child.children}
    fields.refuse(f"its parameter '{tag.get('name')}' is a <{child.name}>, which is not executed")
    return None


def read_retries(tag: Tag, fields: Fields) -> None:
    """Read `<camunda:failedJobRetryTimeCycle>`: how many times, of `R3/PT10M`."""
    if match := _RETRIES.match(tag.text.strip()):
        fields.set("retries", match[1])


def read_properties(tag: Tag, fields: Fields) -> None:
    """Keep `<camunda:properties>`."""
    fields.properties.update((child.get("name"), child.get("value")) for child in tag.children)


DIALECT = Dialect(
    attributes={**TASK_ATTRIBUTES, "topic": "command", "formRef": "form_key"},
    children={
        "inputOutput": read_mapping,
        "failedJobRetryTimeCycle": read_retries,
        "properties": read_properties,
    },
    merges_result=True,
    refused={
        "class": f"camunda:class {_JAVA}",
        "delegateExpression": f"camunda:delegateExpression {_JAVA}",
        "expression": f"camunda:expression {_JAVA}",
        "resource": "a script in a file of its own is not read; put it into <script>",
        "connector": "camunda:connector is not executed; use a command",
        "executionListener": "execution listeners are not executed; use a task in the flow instead",
        "taskListener": "task listeners are not executed; use a task in the flow instead",
        "errorEventDefinition": "camunda:errorEventDefinition is not executed; let the command fail with the code",
        "field": "camunda:field belongs to Java code, which does not run here",
    },
)
