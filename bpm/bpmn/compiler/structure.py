"""What must hold of a process before anybody asks what its elements do: references, ends, reachability."""

from collections.abc import Iterator, Mapping

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.compilation.paths import reach
from bpm.bpmn.definition import Element, ProcessDefinition, SequenceFlow
from bpm.model_files.problems import BpmnProblem

SCOPES = ("subProcess", "transaction", "adHocSubProcess")
"""The elements that hold others."""

_ACTIVITIES = ("task", "Task", "subProcess", "SubProcess", "transaction", "callActivity")


def is_activity(kind: str) -> bool:
    """Whether a tag names an activity: something that takes time and may have boundary events."""
    return kind.endswith(_ACTIVITIES)


def check_structure(compilation: Compilation) -> Iterator[BpmnProblem]:
    """Every problem of a process's structure."""
    process, elements = compilation.process, compilation.elements
    flows = {flow.id: flow for flow in process.flows}
    sources, targets = {flow.source for flow in process.flows}, {flow.target for flow in process.flows}
    joined = sources | targets
    for flow in process.flows:
        yield from _check_flow(flow, elements)
    for element in process.elements:
        yield from _check_references(element, compilation)
        yield from _check_default(element, flows)
        if element.kind in ("startEvent", "boundaryEvent") and element.id in targets:
            yield _problem(element, f"a {element.kind} can't have incoming sequence flows")
        if element.kind == "endEvent" and element.id in sources:
            yield _problem(element, "an endEvent can't have outgoing sequence flows")
        if element.kind == "boundaryEvent":
            yield from _check_attached(element, elements)
        if _stands_alone(element) and element.id in joined:
            yield _problem(element, "an event sub-process or compensation activity can't have sequence flows")
    yield from _check_reachable(process, compilation)


def _problem(element: Element | SequenceFlow, message: str) -> BpmnProblem:
    return BpmnProblem(message, element.id, element.name, element.line)


def _check_flow(flow: SequenceFlow, elements: Mapping[str, Element]) -> Iterator[BpmnProblem]:
    for attribute, reference in (("sourceRef", flow.source), ("targetRef", flow.target)):
        if not reference:
            yield _problem(flow, f"the sequence flow has no {attribute}")
        elif reference not in elements:
            yield _problem(flow, f"its {attribute} '{reference}' is no flow node of this process")
        elif elements[reference].scope != flow.scope:
            yield _problem(flow, f"its {attribute} '{reference}' is in another sub-process; flows can't cross")


def _check_references(element: Element, compilation: Compilation) -> Iterator[BpmnProblem]:
    declared = ("message", "signal", "error", "escalation")
    references = [(event.kind, event.reference) for event in element.events if event.kind in declared]
    references.append(("message", element.attributes.get("messageRef", "")))
    for kind, reference in references:
        declaration = compilation.declaration(reference)
        if reference and declaration is None:
            yield _problem(element, f"its {kind}Ref '{reference}' is not declared in the file")
        elif declaration and declaration.kind != kind:
            yield _problem(element, f"its {kind}Ref '{reference}' is a <{declaration.kind}>")


def _check_default(element: Element, flows: Mapping[str, SequenceFlow]) -> Iterator[BpmnProblem]:
    default = element.attributes.get("default")
    if not default:
        return
    flow = flows.get(default)
    if flow is None or flow.source != element.id:
        yield _problem(element, f"its default flow '{default}' does not leave it")
    elif flow.condition:
        yield _problem(flow, "a default flow can't have a condition; remove the condition or the default")


def _check_attached(element: Element, elements: Mapping[str, Element]) -> Iterator[BpmnProblem]:
    reference = element.attributes.get("attachedToRef", "")
    host = elements.get(reference)
    if not reference:
        yield _problem(element, "the boundary event has no attachedToRef")
    elif host is None or host.scope != element.scope:
        yield _problem(element, f"its attachedToRef '{reference}' is no activity beside it")
    elif not is_activity(host.kind):
        yield _problem(element, f"it is attached to '{reference}', a {host.kind}; only activities can have it")


def implicit_starts(scope: Element, compilation: Compilation) -> tuple[str, ...]:
    """Where a sub-process without a start event begins: at all that nothing leads to (BPMN 2.0.2, 13.3.4)."""
    inside = [element for element in compilation.process.elements if element.scope == scope.id]
    if _is_triggered(scope) or any(element.kind == "startEvent" for element in inside):
        return ()
    led_to = compilation.led_to
    return tuple([one.id for one in inside if one.id not in led_to and not _stands_alone(one)])


def _is_triggered(scope: Element) -> bool:
    return scope.attributes.get("triggeredByEvent") == "true"


def _check_reachable(process: ProcessDefinition, compilation: Compilation) -> Iterator[BpmnProblem]:
    started = {element.scope for element in process.elements if element.kind == "startEvent"}
    first: list[str] = []
    for scope in (process, *(element for element in process.elements if element.kind in SCOPES)):
        implied = implicit_starts(scope, compilation) if isinstance(scope, Element) else ()
        first += implied
        is_empty = isinstance(scope, Element) and not _is_triggered(scope) and scope.id not in compilation.filled
        if implied or is_empty:
            started.add(scope.id)
        if scope.id not in started:
            yield BpmnProblem("it has no start event", scope.id, scope.name, scope.line)
    first += [element.id for element in process.elements if _starts(element)]
    reached = reach(compilation.steps, first)
    for element in process.elements:
        if element.id not in reached and element.scope in started:
            yield _problem(element, "no path from a start event leads to it")


def _starts(element: Element) -> bool:
    """Whether an element is entered by something else than a sequence flow."""
    return element.kind == "startEvent" or _stands_alone(element)


def _stands_alone(element: Element) -> bool:
    attributes = element.attributes
    return "true" in (attributes.get("triggeredByEvent"), attributes.get("isForCompensation"))
