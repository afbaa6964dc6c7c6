"""Reads listeners, whichever vendor's words they are in: a script of the file, or a command of the bus."""

from collections.abc import Mapping, Set

from bpm.bpmn.reader.extensions import Assignment, InlineScript, ListenerDefinition
from bpm.bpmn.reader.vocabularies.fields import Fields
from bpm.model_files.xml import Tag

EXECUTION = {"start": "start", "end": "end", "take": "take"}
TASK = {"create": "create", "assignment": "assignment", "complete": "complete"}
ZEEBE_TASK = {"creating": "create", "assigning": "assignment", "completing": "complete"}
_INSTEAD = {
    "timeout": "attach a timer boundary event that does not interrupt",
    "delete": "attach a boundary event, or listen to the end of the process",
    "canceling": "attach a boundary event, or listen to the end of the process",
    "update": "nothing changes a task here before it is completed",
    "updating": "nothing changes a task here before it is completed",
    "all": "write one for each of create, assignment and complete",
    "beforeAll": "put a task before the repeated activity",
}
_JAVA = ("class", "delegateExpression")


def read_camunda(tag: Tag, fields: Fields, events: Mapping[str, str], default: str) -> None:
    """Read a listener of Camunda 7 and its relatives: one that holds a script."""
    script = _child(tag, "script")
    if any(tag.get(word) for word in _JAVA) or _child(tag, "field"):
        fields.refuse(
            "its listener calls Java code, which does not run here; give it a script, or name a command in a "
            f"<bpm:{tag.name}>"
        )
    elif tag.get("expression"):
        fields.refuse("nobody would use the value of its listener's expression, which is not executed; write a script")
    elif script is None:
        fields.refuse("its listener has no script, so there is nothing to be executed")
    elif script.get("resource"):
        fields.refuse("a script in a file of its own is not read; put it into the listener's <script>")
    else:
        _refuse_unknown(tag, fields, {"event", "id"}, {"script"})
        inline = InlineScript(script.text, script.get("scriptFormat").strip().lower())
        _add(tag, fields, events, tag.get("event") or default, ListenerDefinition("", script=inline))


def read_zeebe(tag: Tag, fields: Fields, events: Mapping[str, str]) -> None:
    """Read the listeners of Camunda 8: their job types are commands, whose results become variables."""
    for child in tag.children:
        _refuse_unknown(child, fields, {"eventType", "type", "retries"}, set())
        listener = ListenerDefinition("", command=child.get("type"), retries=child.get("retries"), merges_result=True)
        _add(child, fields, events, child.get("eventType"), listener)


def read_own(tag: Tag, fields: Fields, events: Mapping[str, str]) -> None:
    """Read `<bpm:executionListener event type>` or `<bpm:taskListener …>`: a command with parameters, or a script."""
    _refuse_unknown(tag, fields, {"event", "type", "retries", "resultVariable"}, {"parameter", "script"})
    script = _child(tag, "script")
    given = [child for child in tag.children if child.name == "parameter"]
    parameters = tuple([Assignment(child.get("name").strip(), child.text.strip()) for child in given])
    listener = ListenerDefinition(
        "",
        command=tag.get("type"),
        script=InlineScript(script.text, script.get("scriptFormat").strip().lower()) if script else None,
        inputs=parameters or None,
        retries=tag.get("retries"),
        result_variable=tag.get("resultVariable"),
    )
    _add(tag, fields, events, tag.get("event"), listener)


def _child(tag: Tag, name: str) -> Tag | None:
    return next((child for child in tag.children if child.name == name), None)


def _add(tag: Tag, fields: Fields, events: Mapping[str, str], event: str, listener: ListenerDefinition) -> None:
    is_task = events is not EXECUTION
    if event not in events:
        instead = _INSTEAD.get(event) or f"it may be {', '.join(events)}"
        fields.refuse(f"its listener for '{event}' is not executed; {instead}")
    elif bool(listener.command) == bool(listener.script):
        fields.refuse(f'its <{tag.name}> names no command to be executed and holds no script, or both; write type="…"')
    else:
        fields.listeners.append(listener.at(events[event], is_task=is_task))


def _refuse_unknown(tag: Tag, fields: Fields, attributes: Set[str], children: Set[str]) -> None:
    for name in tag.attributes:
        if name not in attributes:
            fields.refuse(f"the attribute '{name}' of its listener is not known, so it would not be executed")
    names = [(child.name, child.get("name")) for child in tag.children]
    for word, name in dict.fromkeys(names):
        if names.count((word, name)) > 1:
            fields.refuse(f"its listener holds <{word}{f' name={name!r}' if name else ''}> twice; leave one of them")
    for child in tag.children:
        if child.name not in children:
            fields.refuse(f"its listener holds <{child.name}>, which is not known, so it would not be executed")
