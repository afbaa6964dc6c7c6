"""Words that are known but mean nothing where they stand: each is refused with the elements that have it."""

from collections.abc import Iterator

from bpm.bpmn.reader.extensions import Extensions

_WAITING = ("receiveTask", "startEvent", "intermediateCatchEvent", "boundaryEvent")
_THROWING = ("sendTask", "intermediateThrowEvent", "endEvent")
_CATCHING = ("startEvent", "intermediateCatchEvent", "boundaryEvent")
_WORKING = ("serviceTask", "businessRuleTask", "scriptTask")

PLACES: dict[str, tuple[str, tuple[str, ...]]] = {
    "assignee": ("assignee", ("userTask",)),
    "candidate_users": ("candidate users", ("userTask",)),
    "candidate_groups": ("candidate groups", ("userTask",)),
    "due_date": ("due date", ("userTask",)),
    "priority": ("priority", ("userTask",)),
    "form_key": ("form", ("userTask", "startEvent")),
    "form": ("form", ("userTask", "startEvent")),
    "form_schema": ("form schema", ("userTask",)),
    "form_fields": ("form's fields", ("userTask", "startEvent")),
    "command": ("command", (*_WORKING, *_THROWING, "adHocSubProcess")),
    "expression": ("expression", (*_WORKING, "sendTask")),
    "script": ("script", ("scriptTask", "userTask")),
    "decision": ("decision", ("businessRuleTask",)),
    "decision_result": ("mapDecisionResult", ("businessRuleTask",)),
    "result_variable": (
        "result variable",
        (*_WORKING, *_THROWING, *_WAITING, "userTask", "callActivity", "adHocSubProcess"),
    ),
    "message": ("message", (*_WAITING, *_THROWING)),
    "correlation_key": ("correlation key", (*_WAITING, *_THROWING, "message")),
    "initiator": ("initiator", ("startEvent",)),
    "terminates_all": ("terminateAll", ("endEvent",)),
    "error_code_variable": ("variable for a code", _CATCHING),
    "error_message_variable": ("variable for a message", _CATCHING),
    "version_tag": ("version tag", ("process",)),
    "collection": ("collection", ("multiInstanceLoopCharacteristics",)),
    "item": ("variable of a turn", ("multiInstanceLoopCharacteristics",)),
    "index": ("number of a turn", ("multiInstanceLoopCharacteristics",)),
    "output_collection": ("output collection", ("multiInstanceLoopCharacteristics",)),
    "output_item": ("output element", ("multiInstanceLoopCharacteristics",)),
}
"""What a field of `Extensions` is called, and the elements that it means something on."""


def find_misplaced(kind: str, extensions: Extensions) -> Iterator[str]:
    """Say what of an element's extensions means nothing on an element of this kind."""
    for field, (noun, kinds) in PLACES.items():
        if kind not in kinds and getattr(extensions, field):
            yield f"its {noun} is not executed; it belongs on <{kinds[0]}>"
    called = extensions.called
    if called is not None and (called.process or called.business_key) and kind != "callActivity":
        yield "its called process is not executed; it belongs on <callActivity>"
