"""`Definitions` -> `CompiledProcess`: nodes ready to run, or every reason why not, in one answer."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .compilation import Compilation
from .definition import Definitions, Element, ProcessDefinition, SequenceFlow
from .nodes import Node, find_node_class
from .nodes.activity import Activity, BoundaryEvent
from .nodes.script_task import ScriptTask
from .nodes.service_task import ServiceTask
from .nodes.start_events import MessageStartEvent
from .nodes.sub_process import SubProcess
from .parse import parse
from .problems import BpmnProblem, InvalidDefinition
from .structure import check_structure


@dataclass(frozen=True, slots=True)
class CompiledProcess:
    """A process ready to run; immutable, to be kept for as long as instances of its version live.

    `starts` gives the start event for a message's name, None standing for a direct start. `commands` and `scripts`
    say what its tasks will ask for, by element id, so that a deployment can check them.
    """

    id: str
    name: str
    definition: ProcessDefinition
    nodes: Mapping[str, Node]
    starts: Mapping[str | None, str]
    commands: Mapping[str, str]
    scripts: Mapping[str, str]

    @property
    def start_messages(self) -> tuple[str, ...]:
        """The names of the messages that start an instance."""
        return tuple(name for name in self.starts if name is not None)


def load(source: str | bytes) -> CompiledProcess:
    """Parse and compile; raises InvalidDefinition with every problem of the file."""
    return compile_process(parse(source))


def compile_process(definitions: Definitions) -> CompiledProcess:
    """Compile the one process of a file that is to be executed.

    That is the one marked `isExecutable`, or the only one there is. Raises InvalidDefinition with every problem.
    """
    process, problems = choose_process(definitions)
    if process is None:
        raise InvalidDefinition(problems)
    return _Builder(definitions, process).build()


def choose_process(definitions: Definitions) -> tuple[ProcessDefinition | None, list[BpmnProblem]]:
    """The process of a file to execute, or why there is none."""
    marked = [process for process in definitions.processes if process.executable]
    candidates = marked or [process for process in definitions.processes if process.elements]
    if len(candidates) == 1:
        return candidates[0], []
    if not candidates:
        empty = definitions.processes[0] if definitions.processes else None
        message = "the process is empty" if empty else "the file holds no <process>"
        return None, [BpmnProblem(message, empty.id, empty.name, empty.line) if empty else BpmnProblem(message)]
    why = "is executable too; a file deploys one" if marked else 'may be meant; mark one with isExecutable="true"'
    others = candidates[1:] if marked else candidates
    return None, [BpmnProblem(f"this process {why}", one.id, one.name, one.line) for one in others]


class _Builder:
    """Builds one process."""

    def __init__(self, definitions: Definitions, process: ProcessDefinition) -> None:
        self.process = process
        self.compilation = Compilation(definitions.declarations)
        self.compilation.problems += (
            *definitions.problems,
            *process.problems,
            *check_structure(process, definitions.declarations),
        )
        self.nodes: dict[str, Node] = {}

    def build(self) -> CompiledProcess:
        """Build every node, connect them and look for the starts."""
        for element in self.process.elements:
            if node := self.node(element):
                self.nodes[element.id] = node
        self.connect()
        self.attach()
        starts = dict(self.starts())
        if self.compilation.problems:
            raise InvalidDefinition(self.compilation.problems)
        return CompiledProcess(
            id=self.process.id,
            name=self.process.name,
            definition=self.process,
            nodes=self.nodes,
            starts=starts,
            commands={node.id: node.command for node in self.nodes.values() if isinstance(node, ServiceTask)},
            scripts={
                node.id: node.source
                for node in self.nodes.values()
                if isinstance(node, ScriptTask) and node.expression is None
            },
        )

    def node(self, element: Element) -> Node | None:
        """The node of an element; None, and a problem, for one that is not executed."""
        kinds = [event.kind for event in element.events]
        found = find_node_class(element.kind, kinds[0] if kinds else "") if len(kinds) < 2 else None
        if found:
            return found(element, self.compilation)
        what = element.kind
        if kinds:
            what = f"{element.kind} with {' and '.join(kind.removesuffix('Ref') for kind in kinds)}"
        self.compilation.problem(element, f"{what} is not executed by this engine")
        return None

    def connect(self) -> None:
        """Give every node its flows."""
        outgoing: defaultdict[str, list[SequenceFlow]] = defaultdict(list)
        incoming = Counter(flow.target for flow in self.process.flows)
        for flow in self.process.flows:
            outgoing[flow.source].append(flow)
        for element in self.process.elements:
            if node := self.nodes.get(element.id):
                default = element.attributes.get("default", "")
                node.connect(outgoing[element.id], incoming[element.id], default, self.compilation)

    def attach(self) -> None:
        """Give every activity its boundary events."""
        for element in self.process.elements:
            boundary = self.nodes.get(element.id)
            host = self.nodes.get(element.attributes.get("attachedToRef", ""))
            if isinstance(boundary, BoundaryEvent) and isinstance(host, Activity):
                host.boundaries.append(boundary)

    def starts(self) -> Iterator[tuple[str | None, str]]:
        """The start events of the process; those of sub-processes are given to them."""
        taken: set[tuple[str, str | None]] = set()
        for element in self.process.elements:
            node = self.nodes.get(element.id)
            if element.kind != "startEvent" or node is None:
                continue
            message = node.message if isinstance(node, MessageStartEvent) else None
            if (element.scope, message) in taken:
                what = f"for message '{message}'" if message else "without a trigger"
                self.compilation.problem(element, f"there is another start event {what} beside it")
            taken.add((element.scope, message))
            if element.scope == self.process.id:
                yield message, element.id
            elif message is not None:
                self.compilation.problem(element, "the start event of a sub-process can't have a trigger")
            elif isinstance(host := self.nodes.get(element.scope), SubProcess):
                host.start = element.id
