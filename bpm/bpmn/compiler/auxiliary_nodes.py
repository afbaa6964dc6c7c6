"""Adds the nodes of what is done beside elements and flows: their keys, and how tokens come to them."""

from collections import Counter
from collections.abc import Mapping, Sequence

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.compilation.values import Evaluator
from bpm.bpmn.definition import Element, ProcessDefinition, SequenceFlow
from bpm.bpmn.elements.activity import Activity
from bpm.bpmn.elements.auxiliary.listeners import (
    CompleteListeners,
    EndListeners,
    ProcessEndListeners,
    StartListeners,
    TakeListeners,
    compile_listener,
)
from bpm.bpmn.elements.auxiliary.mapping_scripts import InputScripts, OutputScripts
from bpm.bpmn.elements.auxiliary.skipping import SkipCheck
from bpm.bpmn.elements.containers.loops import Loop
from bpm.bpmn.elements.node import Node
from bpm.bpmn.elements.results import ResultNode
from bpm.bpmn.reader.extensions import Extensions, ListenerDefinition

Nodes = dict[str, Node]
Parts = Mapping[str, Sequence[Node]]


def add_before(parts: Parts, nodes: Nodes, compilation: Compilation) -> None:
    """Add what is done before each element begins; of a repeated activity it is done for each turn."""
    arriving = Counter(flow.target for flow in compilation.process.flows)
    for element in compilation.process.elements:
        _check_listeners(element, compilation)
        for number, node in enumerate(_worked(parts[element.id])):
            _add_input_scripts(element, node, nodes, compilation)
            if listeners := [] if number else _before(element, compilation):
                _add_start(element, node, listeners, nodes, compilation)
                if not node.is_entered or (node.is_join and arriving[element.id] > 1):
                    compilation.problem(element, "its start listener is not executed; put a task before it")
            if skips := compilation.formula(element, "its skipExpression", element.extensions.skip):
                _add_skip(element, node, skips, nodes, compilation)
            if node.key == node.id:
                compilation.entries[node.id] = node.entry


def _worked(parts: Sequence[Node]) -> list[Node]:
    """The nodes that do an element's own work: those of the turns of a repeated activity."""
    return [part.inner if isinstance(part, Loop) else part for part in parts]


def _of(element: Element, *events: str, is_task: bool = False) -> list[ListenerDefinition]:
    """The listeners of an element for some events, in the order of these."""
    found = element.extensions.listeners
    return [one for event in events for one in found if one.event == event and one.is_task is is_task]


def _before(element: Element, compilation: Compilation) -> list[ListenerDefinition]:
    """What listens before an element begins; the process begins with its start event."""
    process = compilation.process
    begins = element.kind == "startEvent" and element.scope == process.id
    outer = [one for one in process.listeners if one.event == "start"] if begins else []
    return [*outer, *_of(element, "start"), *_of(element, "create", "assignment", is_task=True)]


def _check_listeners(element: Element, compilation: Compilation) -> None:
    """Refuse what listens where its event never is."""
    if _of(element, "take"):
        compilation.problem(element, "its take listener is not executed; it stands on a sequence flow")
    if element.kind != "userTask" and any(one.is_task for one in element.extensions.listeners):
        compilation.problem(element, "its task listener is not executed; only user tasks have them")


def _add_input_scripts(element: Element, node: Node, nodes: Nodes, compilation: Compilation) -> None:
    if isinstance(node, Activity) and node.inputs and node.inputs.scripts:
        inputs = InputScripts(element, node, node.inputs, compilation)
        nodes[inputs.key], node.entry = inputs, inputs.key


def _add_start(
    element: Element, node: Node, listeners: Sequence[ListenerDefinition], nodes: Nodes, compilation: Compilation
) -> None:
    start = StartListeners(element, node, listeners, compilation)
    nodes[start.key] = start
    scripts = nodes.get(node.entry)
    if isinstance(scripts, InputScripts):
        scripts.next = start.key
    else:
        node.entry = start.key


def _add_skip(element: Element, node: Node, skips: Evaluator, nodes: Nodes, compilation: Compilation) -> None:
    if not isinstance(node, Activity):
        compilation.problem(element, "its skipExpression is not executed; only activities have one")
        return
    check = SkipCheck(element, node, skips, compilation)
    nodes[check.key], node.entry = check, check.key


def add_behind(parts: Parts, nodes: Nodes, compilation: Compilation) -> None:
    """Add what is done when an element has its result, and when it is left, now that its flows are known."""
    for element in compilation.process.elements:
        worked = _worked(parts[element.id])
        for node in worked:
            _add_results(element, node, nodes, compilation)
        listeners = _of(element, "end")
        if listeners and not all(node.is_left for node in worked):
            compilation.problem(element, "its end listener is not executed, as no token goes on from it; use a task")
        elif listeners and worked:
            hosts = worked[-1:] if element.kind in ("intermediateThrowEvent", "endEvent") else worked
            work = [compile_listener(element, one, compilation) for one in listeners]
            end = EndListeners(element, hosts, work, compilation)
            nodes[end.key] = end


def _add_results(element: Element, node: Node, nodes: Nodes, compilation: Compilation) -> None:
    if not isinstance(node, ResultNode):
        return
    if node.outputs and node.outputs.scripts:
        outputs = OutputScripts(element, node, node.outputs, compilation)
        nodes[outputs.key], node.held_at = outputs, outputs.key
    if listeners := _of(element, "complete", is_task=True):
        work = [compile_listener(element, one, compilation) for one in listeners]
        complete = CompleteListeners(element, node, work, compilation)
        nodes[complete.key], node.held_at, node.is_heard = complete, complete.key, True


def add_along(nodes: Nodes, compilation: Compilation) -> None:
    """Add the listeners of sequence flows, when it is known where tokens come to their targets."""
    for flow in compilation.process.flows:
        place = _as_element(flow, flow.scope)
        if any(one.event != "take" or one.is_task for one in flow.listeners):
            compilation.problem(flow, "its listener is not executed; a sequence flow has those for take alone")
        elif flow.listeners:
            work = [compile_listener(place, one, compilation) for one in flow.listeners]
            take = TakeListeners(place, compilation.entry(flow.target), work, compilation)
            nodes[take.key] = take
            compilation.entries[flow.id] = take.key


def add_process_end(nodes: Nodes, compilation: Compilation) -> str:
    """Add what listens to the end of the process; returns its key, empty if nothing does."""
    process = compilation.process
    if any(one.event == "take" or one.is_task for one in process.listeners):
        compilation.problem(process, "its listener is not executed; a process has those for start and end alone")
    place = _as_element(process, process.id)
    work = [compile_listener(place, one, compilation) for one in process.listeners if one.event == "end"]
    if not work:
        return ""
    end = ProcessEndListeners(place, process.id, work, compilation)
    nodes[end.key] = end
    return end.key


def _as_element(place: SequenceFlow | ProcessDefinition, scope: str) -> Element:
    """A flow, or the process itself, in the place of an element."""
    kind = "sequenceFlow" if isinstance(place, SequenceFlow) else "process"
    return Element(place.id, kind, place.name, place.line, scope, {}, Extensions())
