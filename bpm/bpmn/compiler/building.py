"""One process, built from its elements: a node for each, their flows, and what ties them to one another."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.compiler.auxiliary_nodes import add_along, add_before, add_behind, add_process_end
from bpm.bpmn.compiler.catchers import check_catchers
from bpm.bpmn.compiler.compiled import CompiledProcess
from bpm.bpmn.compiler.multiple_events import (
    THROWING,
    alone,
    chain_parts,
    events_in_order,
    find_misfit,
    join_parts,
    number_parts,
)
from bpm.bpmn.compiler.structure import check_structure, implicit_starts
from bpm.bpmn.definition import Definitions, Element, ProcessDefinition, SequenceFlow
from bpm.bpmn.elements.activity import Activity
from bpm.bpmn.elements.containers.loops import Loop, repeat
from bpm.bpmn.elements.containers.sub_process import SubProcess, find_sub_process
from bpm.bpmn.elements.events.start_events import Start
from bpm.bpmn.elements.node import Node
from bpm.bpmn.elements.process_index import ProcessIndex as ProcessParts
from bpm.bpmn.elements.table import find_node_class
from bpm.model_files.problems import InvalidDefinition

MAX_REACH = 1_000_000
"""Upper bound of (incoming flows of inclusive joins x elements), which is what reachability costs."""

Nodes = dict[str, Node]
"""The nodes of a process by key."""
Parts = Mapping[str, Sequence[Node]]
"""The nodes of each element: none if it is not executed, several if it has several event definitions."""


def build(definitions: Definitions, process: ProcessDefinition, *, is_deployed: bool = False) -> CompiledProcess:
    """Build a process; raises InvalidDefinition with every problem of it.

    One that is deployed was checked by the rules of its day: what it says that is refused by now is read as it was.
    """
    compilation = Compilation(process, definitions.declarations, definitions.message_flows, is_deployed=is_deployed)
    if not is_deployed:
        compilation.problems += (*definitions.problems, *process.problems)
    compilation.problems += check_structure(compilation)
    parts = _make_parts(compilation)
    nodes = {node.key: node for made in parts.values() for node in _with_inner(made)}
    add_before(parts, nodes, compilation)
    add_along(nodes, compilation)
    _connect(parts, compilation)
    _check_joins(nodes, compilation)
    for element in process.elements:
        for node in parts[element.id]:
            node.attach(element, nodes, compilation)
    add_behind(parts, nodes, compilation)
    _check_handlers(nodes, compilation)
    check_catchers(nodes, compilation)
    _connect_starts(parts, nodes, compilation)
    ending = add_process_end(nodes, compilation)
    if compilation.problems:
        raise InvalidDefinition(compilation.problems)
    return _compiled(process, nodes, ending)


def _make_parts(compilation: Compilation) -> Parts:
    """The node of each element that is executed; of an event with several definitions one for each."""
    return {element.id: _make(element, compilation) for element in compilation.process.elements}


def _make(element: Element, compilation: Compilation) -> Sequence[Node]:
    if len(element.events) > 1:
        return _make_several(events_in_order(element), compilation)
    node = _make_node(element, compilation)
    if isinstance(node, Activity) and element.loop is not None:
        return [repeat(element, node, compilation)]
    return [node] if node else []


def _make_several(element: Element, compilation: Compilation) -> Sequence[Node]:
    if problem := find_misfit(element):
        compilation.problem(element, problem)
        return []
    made = [_make_node(alone(element, event), compilation) for event in element.events]
    parts = [part for part in made if part is not None]
    if len(parts) < len(made):
        return []
    number_parts(parts)
    join_parts(element, parts, compilation)
    return parts


def _with_inner(parts: Sequence[Node]) -> Sequence[Node]:
    """Of a repeated activity the node of a turn as well."""
    return [node for part in parts for node in ([part.inner, part] if isinstance(part, Loop) else [part])]


def _make_node(element: Element, compilation: Compilation) -> Node | None:
    """The node of an element; None, and a problem, for one that is not executed."""
    role = _role(element, compilation)
    kind = element.events[0].kind if element.events else ""
    found = find_node_class(role, kind)
    if found:
        return found(element, compilation)
    compilation.problem(element, _refusal(element, role, kind))
    return None


def _refusal(element: Element, role: str, kind: str) -> str:
    """Why an element is not executed."""
    if kind:
        return f"{element.kind} with {kind.removesuffix('Ref')} is not executed by this engine"
    if role == "eventStart":
        return "the start event of an event sub-process needs a trigger"
    if role in ("boundaryEvent", "intermediateCatchEvent"):
        return "it can't be executed without an event; give it a timer, a message or another"
    return f"{element.kind} is not executed by this engine"


def _role(element: Element, compilation: Compilation) -> str:
    """The tag of an element, but `eventSubProcess` and `eventStart` where BPMN uses a tag for two things."""
    if element.kind == "subProcess" and element.attributes.get("triggeredByEvent") == "true":
        return "eventSubProcess"
    around = compilation.elements.get(element.scope)
    if element.kind == "startEvent" and around and _role(around, compilation) == "eventSubProcess":
        return "eventStart"
    return element.kind


def _connect(parts: Parts, compilation: Compilation) -> None:
    """Give every node its flows."""
    outgoing: defaultdict[str, list[SequenceFlow]] = defaultdict(list)
    incoming: defaultdict[str, list[str]] = defaultdict(list)
    for flow in compilation.process.flows:
        outgoing[flow.source].append(flow)
        incoming[flow.target].append(flow.id)
    for element in compilation.process.elements:
        default = element.attributes.get("default", "")
        for node in parts[element.id]:
            node.connect(outgoing[element.id], incoming[element.id], default, compilation)
        if element.kind in THROWING:
            chain_parts(parts[element.id])


def _check_joins(nodes: Nodes, compilation: Compilation) -> None:
    """Refuse a process whose inclusive joins would take gigabytes: each knows what every element can reach of it."""
    flows = sum(node.waiting_flows for node in nodes.values())
    if flows * len(nodes) > MAX_REACH:
        compilation.problem(
            compilation.process,
            f"its inclusive joins have {flows:,} incoming flows beside {len(nodes):,} elements, which is too much; "
            "take parallel or exclusive gateways, or call activities",
        )
        raise InvalidDefinition(compilation.problems)


def _check_handlers(nodes: Nodes, compilation: Compilation) -> None:
    """Every activity for compensation belongs to a boundary event, or is an event sub-process that it starts."""
    handlers = {node.compensated_by for node in nodes.values()}
    handlers |= {node.undone_by for node in nodes.values() if isinstance(node, SubProcess)}
    for element in compilation.process.elements:
        if element.attributes.get("isForCompensation") == "true" and element.id not in handlers:
            compilation.problem(element, "no compensation boundary event is associated with it")


def _connect_starts(parts: Parts, nodes: Nodes, compilation: Compilation) -> None:
    """Give each sub-process its start; no scope has two start events for the same trigger."""
    for element in compilation.process.elements:
        sub_process = find_sub_process(nodes, element.id)
        if sub_process is not None:
            sub_process.starts = implicit_starts(element, compilation)
    taken: set[tuple[str, str]] = set()
    for element in compilation.process.elements:
        if element.kind == "startEvent" and element.scope != compilation.process.id:
            _start_inside(element, nodes, compilation)
        for node in parts[element.id]:
            if isinstance(node, Start) and node.trigger and (element.scope, node.trigger) in taken:
                compilation.problem(element, f"there is another start event {node.trigger} beside it")
            if isinstance(node, Start):
                taken.add((element.scope, node.trigger))


def _start_inside(element: Element, nodes: Nodes, compilation: Compilation) -> None:
    """Give a sub-process its start."""
    sub_process = find_sub_process(nodes, element.scope)
    if sub_process is None:
        return
    if not sub_process.is_event_triggered and element.events:
        compilation.problem(element, "the start event of a sub-process can't have a trigger")
    elif sub_process.is_event_triggered and sub_process.starts:
        compilation.problem(element, "an event sub-process has one start event only")
    sub_process.starts = (*sub_process.starts, element.id)


def _compiled(process: ProcessDefinition, nodes: Nodes, ending: str) -> CompiledProcess:
    """The whole of it, and what its nodes contribute."""
    parts = ProcessParts()
    inside = {element.id for element in process.elements if element.scope == process.id}
    for node in nodes.values():
        if node.id in inside or not isinstance(node, Start):
            node.contribute(parts)
    return CompiledProcess(
        id=process.id,
        name=process.name,
        definition=process,
        nodes=nodes,
        starts=parts.starts,
        start_fields=parts.start_fields,
        start_signals=parts.start_signals,
        start_timers=parts.start_timers,
        start_conditions=parts.start_conditions,
        event_starts=parts.event_starts,
        joins=frozenset(parts.joins),
        merging=frozenset(parts.merging),
        ending=ending,
        initiators={one.id: one.extensions.initiator for one in process.elements if one.extensions.initiator},
        commands=parts.commands,
        scripts=parts.scripts,
        decisions=parts.decisions,
        forms=parts.forms,
        ends_callers=parts.ends_callers,
        data={one.name: one.value for one in process.data if one.scope == process.id},
    )
