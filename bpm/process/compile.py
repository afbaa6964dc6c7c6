"""`Definitions` -> `CompiledProcess`: nodes ready to run, or every reason why not, in one answer."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .compilation import Compilation
from .compiled import Timer
from .definition import Definitions, Element, ProcessDefinition, SequenceFlow
from .nodes import Node, find_node_class
from .nodes.activity import Activity, BoundaryHost
from .nodes.business_rule_task import BusinessRuleTask
from .nodes.catch_events import LinkThrowEvent
from .nodes.compensation import CancelEndEvent, CompensationThrowEvent
from .nodes.event_gateway import EventBasedGateway
from .nodes.event_sub_process import EventStart
from .nodes.inclusive_gateway import InclusiveGateway, reachable_flows
from .nodes.listening import ListeningEvent
from .nodes.loops import Loop, MultiInstance, StandardLoop
from .nodes.script_task import ScriptTask
from .nodes.service_task import CommandTask
from .nodes.start_events import MessageStartEvent, SignalStartEvent, TimerStartEvent
from .nodes.sub_process import SubProcess
from .parse import parse
from .problems import BpmnProblem, InvalidDefinition
from .structure import check_structure, link_pairs, steps_of


@dataclass(frozen=True, slots=True)
class CompiledProcess:
    """A process ready to run; immutable, to be kept for as long as instances of its version live.

    `starts` gives the start event for a message's name, None standing for a direct start; `start_signals` the one
    for a signal's name, and `start_timers` the timers of those that begin by themselves. `event_starts` start the
    event sub-processes of the process itself; `joins` are the inclusive gateways that wait. `commands`, `scripts`
    and `decisions` say what its tasks will ask for, by element id, so that a deployment can check them.
    """

    id: str
    name: str
    definition: ProcessDefinition
    nodes: Mapping[str, Node]
    starts: Mapping[str | None, str]
    start_signals: Mapping[str, str]
    start_timers: Mapping[str, Timer]
    event_starts: Sequence[EventStart]
    joins: frozenset[str]
    commands: Mapping[str, str]
    scripts: Mapping[str, str]
    decisions: Mapping[str, str]

    @property
    def start_messages(self) -> tuple[str, ...]:
        """The names of the messages that start an instance."""
        return tuple(name for name in self.starts if name is not None)

    @property
    def start_elements(self) -> frozenset[str]:
        """The ids of all its start events."""
        return frozenset([*self.starts.values(), *self.start_signals.values(), *self.start_timers])


def load(source: str | bytes, process_id: str | None = None) -> CompiledProcess:
    """Parse and compile; raises InvalidDefinition with every problem of the file."""
    return compile_process(parse(source), process_id)


def compile_process(definitions: Definitions, process_id: str | None = None) -> CompiledProcess:
    """Compile one process of a file: the one of that id, or the one that is to be executed.

    That is the one marked `isExecutable`, or the only one there is. Raises InvalidDefinition with every problem.
    """
    processes = choose_processes(definitions)
    for process in processes:
        if process_id in (None, process.id):
            return _Builder(definitions, process).build()
    raise InvalidDefinition([BpmnProblem(f"the file holds no executable process '{process_id}'")])


def compile_all(definitions: Definitions) -> list[CompiledProcess]:
    """Compile every process of a file that is to be executed; raises InvalidDefinition with every problem."""
    processes = choose_processes(definitions)
    if problems := _problems(definitions, processes):
        raise InvalidDefinition(problems)
    return [_Builder(definitions, process).build() for process in processes]


def _problems(definitions: Definitions, processes: Sequence[ProcessDefinition]) -> list[BpmnProblem]:
    """Everything that keeps some processes of a file from being executed, each problem once."""
    found: list[BpmnProblem] = []
    for process in processes:
        try:
            _Builder(definitions, process).build()
        except InvalidDefinition as invalid:
            found += invalid.problems
    return list(dict.fromkeys(found))


def choose_processes(definitions: Definitions) -> Sequence[ProcessDefinition]:
    """The processes of a file to execute; raises InvalidDefinition when there is none, or no telling which."""
    marked = [process for process in definitions.processes if process.executable]
    candidates = marked or [process for process in definitions.processes if process.elements]
    if marked or len(candidates) == 1:
        return candidates
    if candidates:
        why = 'this process may be meant; mark the ones to be executed with isExecutable="true"'
        unclear = [BpmnProblem(why, one.id, one.name, one.line) for one in candidates]
        raise InvalidDefinition([*unclear, *_problems(definitions, candidates)])
    empty = definitions.processes[0] if definitions.processes else None
    if empty is None:
        raise InvalidDefinition([BpmnProblem("the file holds no <process>")])
    raise InvalidDefinition([BpmnProblem("the process is empty", empty.id, empty.name, empty.line)])


class _Builder:
    """Builds one process."""

    def __init__(self, definitions: Definitions, process: ProcessDefinition) -> None:
        self.process = process
        self.elements = {element.id: element for element in process.elements}
        self.compilation = Compilation(definitions.declarations)
        self.compilation.problems += (
            *definitions.problems,
            *process.problems,
            *check_structure(process, definitions.declarations),
        )
        self.nodes: dict[str, Node] = {}
        self.event_starts: list[EventStart] = []

    def build(self) -> CompiledProcess:
        """Build every node, connect them and look for the starts."""
        for element in self.process.elements:
            if node := self.node(element):
                self.nodes[element.id] = self.repeated(element, node)
        self.connect()
        for element in self.process.elements:
            self.attach(element)
        self.link()
        self.check_undone()
        starts = dict(self.starts())
        if self.compilation.problems:
            raise InvalidDefinition(self.compilation.problems)
        nodes = self.nodes.values()
        return CompiledProcess(
            id=self.process.id,
            name=self.process.name,
            definition=self.process,
            nodes=self.nodes,
            starts=starts,
            start_signals={node.signal: node.id for node in nodes if isinstance(node, SignalStartEvent)},
            start_timers={node.id: node.timer for node in nodes if isinstance(node, TimerStartEvent)},
            event_starts=self.event_starts,
            joins=frozenset(
                node.key for node in nodes if isinstance(node, InclusiveGateway) and len(node.incoming) > 1
            ),
            commands={node.id: node.command for node in nodes if isinstance(node, CommandTask) and node.command},
            scripts={
                node.id: node.source for node in nodes if isinstance(node, ScriptTask) and node.expression is None
            },
            decisions={
                node.id: node.decision for node in nodes if isinstance(node, BusinessRuleTask) and node.decision
            },
        )

    def node(self, element: Element) -> Node | None:
        """The node of an element; None, and a problem, for one that is not executed."""
        kinds = [event.kind for event in element.events]
        found = find_node_class(self.role(element), kinds[0] if kinds else "") if len(kinds) < 2 else None
        if found:
            return found(element, self.compilation)
        what = element.kind
        if self.role(element) == "eventStart" and not kinds:
            self.compilation.problem(element, "the start event of an event sub-process needs a trigger")
            return None
        if not kinds and element.kind in ("boundaryEvent", "intermediateCatchEvent"):
            self.compilation.problem(
                element, "it can't be executed without an event; give it a timer, a message or another"
            )
            return None
        if kinds:
            what = f"{element.kind} with {' and '.join(kind.removesuffix('Ref') for kind in kinds)}"
        self.compilation.problem(element, f"{what} is not executed by this engine")
        return None

    def role(self, element: Element) -> str:
        """The tag of an element, but for event sub-processes and their start events, which are others' namesakes."""
        if element.kind == "subProcess" and element.attributes.get("triggeredByEvent") == "true":
            return "eventSubProcess"
        around = self.elements.get(element.scope)
        if element.kind == "startEvent" and around and self.role(around) == "eventSubProcess":
            return "eventStart"
        return element.kind

    def repeated(self, element: Element, node: Node) -> Node:
        """The node, or the loop around it, which takes its place."""
        if element.loop is None or not isinstance(node, Activity):
            return node
        loop = StandardLoop if element.loop.kind == "standard" else MultiInstance
        around = loop(element, node, self.compilation)
        self.nodes[node.key] = node
        return around

    def connect(self) -> None:
        """Give every node its flows."""
        outgoing: defaultdict[str, list[SequenceFlow]] = defaultdict(list)
        incoming: defaultdict[str, list[str]] = defaultdict(list)
        for flow in self.process.flows:
            outgoing[flow.source].append(flow)
            incoming[flow.target].append(flow.id)
        for element in self.process.elements:
            if node := self.nodes.get(element.id):
                default = element.attributes.get("default", "")
                node.connect(outgoing[element.id], incoming[element.id], default, self.compilation)

    def attach(self, element: Element) -> None:
        """Tie an element to the activity, sub-process or gateway it belongs to."""
        node = self.nodes.get(element.id)
        if element.kind == "boundaryEvent" and isinstance(node, ListeningEvent):
            host = self.nodes.get(element.attributes.get("attachedToRef", ""))
            if isinstance(host, BoundaryHost):
                self.attach_boundary(element, node, host)
        elif isinstance(node, EventStart):
            self.attach_event_start(element, node)
        elif isinstance(node, EventBasedGateway):
            node.offer(self.nodes, self.compilation)
        elif isinstance(node, CancelEndEvent):
            self.check_cancel(element)
        elif isinstance(node, CompensationThrowEvent) and node.target:
            target = self.nodes.get(node.target)
            if not isinstance(target, BoundaryHost):
                self.compilation.problem(element, f"its activityRef '{node.target}' is no activity of this process")

    def attach_boundary(self, element: Element, boundary: ListeningEvent, host: BoundaryHost) -> None:
        """Give an activity a boundary event, or its compensation handler."""
        if boundary.kind == "cancel" and self.elements[host.id].kind != "transaction":
            self.compilation.problem(element, f"only a transaction can be cancelled; '{host.id}' is none")
        if boundary.kind != "compensate":
            host.boundaries.append(boundary)
            return
        handlers = [
            other
            for ends in self.process.associations
            if element.id in ends
            for other in ends
            if other in self.elements and self.elements[other].attributes.get("isForCompensation") == "true"
        ]
        if len(handlers) == 1:
            host.handler = handlers[0]
        else:
            self.compilation.problem(
                element, 'an association must lead from it to one activity with isForCompensation="true"'
            )

    def attach_event_start(self, element: Element, start: EventStart) -> None:
        """Let the scope around an event sub-process listen for its start."""
        around = self.elements[element.scope].scope
        inner = self.inner(around)
        if inner is None and around != self.process.id:
            return
        if start.kind != "compensate":
            self.listen(inner, start)
        elif inner is not None:
            inner.undone_by = element.scope
        else:
            self.compilation.problem(element, "the process itself is never compensated, so this can't start")

    def listen(self, inner: SubProcess | None, start: EventStart) -> None:
        """Give a sub-process, or the process itself, what starts an event sub-process in it."""
        if inner is None:
            self.event_starts.append(start)
        else:
            inner.event_starts = (*inner.event_starts, start)

    def inner(self, scope: str) -> SubProcess | None:
        """The sub-process of an id, without the loop around it."""
        node = self.nodes.get(scope)
        node = node.inner if isinstance(node, Loop) else node
        return node if isinstance(node, SubProcess) else None

    def check_cancel(self, element: Element) -> None:
        """A cancel end event stands in a transaction that has a cancel boundary event."""
        around = self.elements.get(element.scope)
        host = self.nodes.get(element.scope)
        if around is None or around.kind != "transaction":
            self.compilation.problem(element, "a cancel end event stands in a transaction only")
            return
        attached = [one for one in self.process.elements if one.attributes.get("attachedToRef") == around.id]
        if host and not any(event.kind == "cancel" for one in attached for event in one.events):
            self.compilation.problem(element, f"its transaction '{around.id}' has no cancel boundary event")

    def check_undone(self) -> None:
        """Every activity for compensation belongs to a boundary event."""
        handlers = {node.handler for node in self.nodes.values() if isinstance(node, BoundaryHost)}
        for element in self.process.elements:
            if element.attributes.get("isForCompensation") == "true" and element.id not in handlers:
                self.compilation.problem(element, "no compensation boundary event is associated with it")

    def link(self) -> None:
        """Lead link events to each other, and tell inclusive joins what can reach them."""
        led: defaultdict[str, list[str]] = defaultdict(list)
        for throw, catch in link_pairs(self.process):
            led[throw.id].append(catch.id)
        steps = steps_of(self.process)
        for element in self.process.elements:
            node = self.nodes.get(element.id)
            if isinstance(node, LinkThrowEvent):
                if len(led[node.id]) == 1:
                    node.lead_to(led[node.id][0])
                else:
                    count = len(led[node.id])
                    self.compilation.problem(
                        element, f"{count} link catch events are called '{node.link}'; one must be"
                    )
            elif isinstance(node, InclusiveGateway) and len(node.incoming) > 1:
                node.reach = reachable_flows(node.key, steps, node.incoming)

    def starts(self) -> Iterator[tuple[str | None, str]]:
        """The start events of the process; those of sub-processes are given to them."""
        taken: set[tuple[str, str]] = set()
        for element in self.process.elements:
            node = self.nodes.get(element.id)
            if element.kind != "startEvent" or node is None:
                continue
            if element.scope != self.process.id:
                self.start_inside(element)
            if isinstance(node, TimerStartEvent):
                continue
            message = node.message if isinstance(node, MessageStartEvent) else None
            what = f"for message '{message}'" if message else "without a trigger"
            if isinstance(node, SignalStartEvent):
                what = f"for signal '{node.signal}'"
            if (element.scope, what) in taken:
                self.compilation.problem(element, f"there is another start event {what} beside it")
            taken.add((element.scope, what))
            if element.scope == self.process.id and not isinstance(node, SignalStartEvent):
                yield message, element.id

    def start_inside(self, element: Element) -> None:
        """Give a sub-process its start."""
        inner = self.inner(element.scope)
        if inner is None:
            return
        if not inner.is_event_triggered and element.events:
            self.compilation.problem(element, "the start event of a sub-process can't have a trigger")
        elif inner.is_event_triggered and inner.starts:
            self.compilation.problem(element, "an event sub-process has one start event only")
        inner.starts = (*inner.starts, element.id)
