"""One process, built from its elements: a node for each, their flows, and what ties them to one another."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.compiler.compiled import CompiledProcess
from bpm.bpmn.compiler.structure import check_structure
from bpm.bpmn.definition import Definitions, Element, ProcessDefinition, SequenceFlow
from bpm.bpmn.elements import Node, find_node_class
from bpm.bpmn.elements.activity import Activity, BoundaryHost
from bpm.bpmn.elements.containers.event_sub_process import EventStart
from bpm.bpmn.elements.containers.loops import repeat
from bpm.bpmn.elements.containers.sub_process import find_sub_process
from bpm.bpmn.elements.events.start_events import MessageStartEvent, SignalStartEvent, TimerStartEvent
from bpm.bpmn.elements.gateways.inclusive_gateway import InclusiveGateway
from bpm.bpmn.elements.tasks.business_rule_task import BusinessRuleTask
from bpm.bpmn.elements.tasks.script_task import ScriptTask
from bpm.bpmn.elements.tasks.service_task import CommandTask
from bpm.model_files.problems import InvalidDefinition

MAX_REACH = 1_000_000
"""So often an incoming flow of an inclusive join may be asked for from an element of the process."""

Nodes = dict[str, Node]
"""The nodes of a process by key."""


def build(definitions: Definitions, process: ProcessDefinition) -> CompiledProcess:
    """Build a process; raises InvalidDefinition with every problem of it."""
    compilation = Compilation(process, definitions.declarations)
    compilation.problems += (*definitions.problems, *process.problems, *check_structure(compilation))
    nodes = _make_nodes(compilation)
    _connect(nodes, compilation)
    _check_joins(nodes, compilation)
    for element in process.elements:
        if node := nodes.get(element.id):
            node.attach(element, nodes, compilation)
    _check_handlers(nodes, compilation)
    starts = dict(_find_starts(nodes, compilation))
    if compilation.problems:
        raise InvalidDefinition(compilation.problems)
    return _compiled(process, nodes, starts)


def _make_nodes(compilation: Compilation) -> Nodes:
    """A node for each element that is executed; of a repeated one a node for all its turns, too."""
    nodes: Nodes = {}
    for element in compilation.process.elements:
        if node := _make_node(element, compilation):
            if isinstance(node, Activity) and element.loop is not None:
                node = repeat(element, node, compilation)
                nodes[node.inner.key] = node.inner
            nodes[element.id] = node
    return nodes


def _make_node(element: Element, compilation: Compilation) -> Node | None:
    """The node of an element; None, and a problem, for one that is not executed."""
    role = _role(element, compilation)
    kinds = [event.kind for event in element.events]
    found = find_node_class(role, kinds[0] if kinds else "") if len(kinds) < 2 else None
    if found:
        return found(element, compilation)
    compilation.problem(element, _refusal(element, role, kinds))
    return None


def _refusal(element: Element, role: str, kinds: Sequence[str]) -> str:
    """Why an element is not executed."""
    if kinds:
        triggers = " and ".join(kind.removesuffix("Ref") for kind in kinds)
        return f"{element.kind} with {triggers} is not executed by this engine"
    if role == "eventStart":
        return "the start event of an event sub-process needs a trigger"
    if role in ("boundaryEvent", "intermediateCatchEvent"):
        return "it can't be executed without an event; give it a timer, a message or another"
    return f"{element.kind} is not executed by this engine"


def _role(element: Element, compilation: Compilation) -> str:
    """The tag of an element, but for event sub-processes and their start events, which are others' namesakes."""
    if element.kind == "subProcess" and element.attributes.get("triggeredByEvent") == "true":
        return "eventSubProcess"
    around = compilation.elements.get(element.scope)
    if element.kind == "startEvent" and around and _role(around, compilation) == "eventSubProcess":
        return "eventStart"
    return element.kind


def _connect(nodes: Nodes, compilation: Compilation) -> None:
    """Give every node its flows."""
    outgoing: defaultdict[str, list[SequenceFlow]] = defaultdict(list)
    incoming: defaultdict[str, list[str]] = defaultdict(list)
    for flow in compilation.process.flows:
        outgoing[flow.source].append(flow)
        incoming[flow.target].append(flow.id)
    for element in compilation.process.elements:
        if node := nodes.get(element.id):
            default = element.attributes.get("default", "")
            node.connect(outgoing[element.id], incoming[element.id], default, compilation)


def _check_joins(nodes: Nodes, compilation: Compilation) -> None:
    """Refuse a process whose inclusive joins would take gigabytes: each knows what every element can reach of it."""
    flows = sum(len(node.incoming) for node in nodes.values() if isinstance(node, InclusiveGateway) and node.waits)
    if flows * len(nodes) > MAX_REACH:
        compilation.problem(
            compilation.process,
            f"its inclusive joins have {flows:,} incoming flows beside {len(nodes):,} elements, which is too much; "
            "take parallel or exclusive gateways, or call activities",
        )
        raise InvalidDefinition(compilation.problems)


def _check_handlers(nodes: Nodes, compilation: Compilation) -> None:
    """Every activity for compensation belongs to a boundary event."""
    handlers = {node.handler for node in nodes.values() if isinstance(node, BoundaryHost)}
    for element in compilation.process.elements:
        if element.attributes.get("isForCompensation") == "true" and element.id not in handlers:
            compilation.problem(element, "no compensation boundary event is associated with it")


def _find_starts(nodes: Nodes, compilation: Compilation) -> Iterator[tuple[str | None, str]]:
    """The start events of the process by the message they wait for; those of sub-processes are given to them."""
    taken: set[tuple[str, str]] = set()
    for element in compilation.process.elements:
        node = nodes.get(element.id)
        if element.kind != "startEvent" or node is None:
            continue
        if element.scope != compilation.process.id:
            _start_inside(element, nodes, compilation)
        if isinstance(node, TimerStartEvent):
            continue
        message = node.message if isinstance(node, MessageStartEvent) else None
        what = f"for message '{message}'" if message else "without a trigger"
        if isinstance(node, SignalStartEvent):
            what = f"for signal '{node.signal}'"
        if (element.scope, what) in taken:
            compilation.problem(element, f"there is another start event {what} beside it")
        taken.add((element.scope, what))
        if element.scope == compilation.process.id and not isinstance(node, SignalStartEvent):
            yield message, element.id


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


def _compiled(process: ProcessDefinition, nodes: Nodes, starts: dict[str | None, str]) -> CompiledProcess:
    """The whole of it, and what its nodes tell about it."""
    all_nodes = nodes.values()
    inside = {element.id for element in process.elements if element.scope == process.id}
    event_starts = [node for node in all_nodes if isinstance(node, EventStart) and node.sub_process in inside]
    joins = [node.key for node in all_nodes if isinstance(node, InclusiveGateway) and node.waits]
    return CompiledProcess(
        id=process.id,
        name=process.name,
        definition=process,
        nodes=nodes,
        starts=starts,
        start_signals={node.signal: node.id for node in all_nodes if isinstance(node, SignalStartEvent)},
        start_timers={node.id: node.timer for node in all_nodes if isinstance(node, TimerStartEvent)},
        event_starts=event_starts,
        joins=frozenset(joins),
        initiators={one.id: one.extensions.initiator for one in process.elements if one.extensions.initiator},
        commands={node.id: node.command for node in all_nodes if isinstance(node, CommandTask) and node.command},
        scripts={
            node.id: node.source for node in all_nodes if isinstance(node, ScriptTask) and node.expression is None
        },
        decisions={
            node.id: node.decision for node in all_nodes if isinstance(node, BusinessRuleTask) and node.decision
        },
    )
