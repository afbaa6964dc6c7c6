"""BPMN 2.0 XML -> `Definitions`: the structure of a file, without judging what it means.

Every file that is BPMN is read, whether or not the engine can run it; what is wrong with a place is noted in
`problems`, for compiling to report. Only a text that cannot be read as BPMN at all raises InvalidDefinition.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bpm.bpmn.definition import Declaration, Definitions, Element, ProcessDefinition, SequenceFlow
from bpm.bpmn.reader.attributes import own_attributes
from bpm.bpmn.reader.collaboration import read_lanes, read_message_flows, read_participants
from bpm.bpmn.reader.contradictory import find_contradictions
from bpm.bpmn.reader.data_associations import find_problems, with_associations
from bpm.bpmn.reader.data_objects import DataValue, read_data_object
from bpm.bpmn.reader.diagram import read_diagram
from bpm.bpmn.reader.event_definitions import read_event
from bpm.bpmn.reader.expression_languages import foreign_language
from bpm.bpmn.reader.extensions import Extensions
from bpm.bpmn.reader.implicit import add_error_codes, is_of_flowable, mark_executable
from bpm.bpmn.reader.loop_characteristics import LOOPS, read_loop
from bpm.bpmn.reader.misplaced import find_misplaced
from bpm.bpmn.reader.repeated import find_repeated
from bpm.bpmn.reader.resources import find_foreign_resources, read_resources
from bpm.bpmn.reader.unknown import find_unknown, our_namespaces
from bpm.bpmn.reader.vocabularies import find_platform, is_of_camunda_7, read_extensions
from bpm.bpmn.state import TURN
from bpm.model_files.names import MAX_NAME
from bpm.model_files.problems import BpmnProblem, InvalidDefinition
from bpm.model_files.xml import BPMN, MAX_BYTES, MAX_DEPTH, Tag, read_xml

SUB_PROCESSES = frozenset({"subProcess", "transaction", "adHocSubProcess"})
FLOW_NODES = SUB_PROCESSES | {
    "startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent",
    "implicitThrowEvent", "task", "serviceTask", "scriptTask", "userTask", "manualTask", "receiveTask",
    "sendTask", "businessRuleTask", "callActivity", "exclusiveGateway", "parallelGateway", "inclusiveGateway",
    "eventBasedGateway", "complexGateway",
}  # fmt: skip
NESTED = FLOW_NODES | {"sequenceFlow"}
"""What stands in a process or sub-process and is read by itself."""
DECLARATIONS = frozenset({"message", "error", "signal", "escalation"})
KEPT = frozenset({
    "documentation", "extensionElements", "laneSet", "dataObject", "dataObjectReference", "dataStoreReference",
    "textAnnotation", "association", "group", "ioSpecification", "ioBinding", "property", "auditing",
    "monitoring", "resourceRole", "performer", "humanPerformer", "potentialOwner", "completionCondition", "supports",
    "incoming", "outgoing", "supportedInterfaceRef", "dataInputAssociation",
    "dataOutputAssociation", *LOOPS,
})  # fmt: skip


def parse(source: str | bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Definitions:
    """Read a BPMN file; `max_bytes` and `max_depth` bound what is read.

    Raises InvalidDefinition when the text is not XML, not BPMN 2.0, too large or nested too deep.
    """
    root = read_xml(source, max_bytes=max_bytes, max_depth=max_depth)
    if root.name != "definitions" or root.namespace != BPMN:
        message = f'the root element is <{root.name}>, not BPMN 2.0\'s <definitions xmlns="{BPMN}">'
        raise InvalidDefinition([BpmnProblem(message, line=root.line)])
    return _Reader().definitions(root)


class _Reader:
    """Reads one file, gathering the problems it meets on the way."""

    def __init__(self) -> None:
        self.problems: list[BpmnProblem] = []
        self.ids: dict[str, int] = {}
        self.elements: list[Element] = []
        self.flows: list[SequenceFlow] = []
        self.associations: list[tuple[str, str]] = []
        self.data: list[DataValue] = []
        self.unnamed: Counter[str] = Counter()
        self.is_camunda_7 = False
        self.platform = ""
        self.ours: frozenset[str] = frozenset()

    def definitions(self, root: Tag) -> Definitions:
        """Read the whole file."""
        self.is_camunda_7 = is_of_camunda_7(root)
        self.platform = find_platform(root)
        self.ours = our_namespaces(root)
        processes = tuple(self.process(tag) for tag in root.all("process"))
        declarations: Mapping[str, Declaration] = {
            tag.get("id"): self.declaration(tag) for tag in root.children if _declares(tag) and tag.get("id")
        }
        if is_of_flowable(root):
            processes = mark_executable(processes)
            declarations = add_error_codes(declarations, processes, ("error", "escalation"))
        elif self.is_camunda_7:
            declarations = add_error_codes(declarations, processes, ("error",))
        return Definitions(
            processes=processes,
            declarations=declarations,
            participants=read_participants(root),
            message_flows=read_message_flows(root),
            diagram=read_diagram(root),
            problems=tuple(self.problems),
        )

    def problem(self, tag: Tag, message: str) -> None:
        """Note what is wrong with a tag."""
        name = " ".join(tag.get("name").split())
        self.problems.append(BpmnProblem(message, tag.get("id"), name, tag.line))

    def identify(self, tag: Tag) -> str:
        """The tag's id, which must exist and be its own."""
        name = tag.get("id")
        if not name and tag.name in FLOW_NODES:
            name = self.unused(f"{tag.name} in line {tag.line}")
        elif not name:
            self.problem(tag, f"<{tag.name}> has no id")
            return f"{tag.name} in line {tag.line}"
        if TURN in name:
            self.problem(tag, f"an id can't hold '{TURN}'")
        if len(name) > MAX_NAME:
            self.problem(tag, f"its id is longer than {MAX_NAME} characters")
        if name in self.ids:
            self.problem(tag, f"the id is used twice; line {self.ids[name]} has it too")
        self.ids[name] = tag.line
        return name

    def declaration(self, tag: Tag) -> Declaration:
        """Read a message, an error, a signal or an escalation."""
        extensions, refusals = read_extensions(tag, platform=self.platform)
        self.refuse(tag, refusals)
        self.refuse(tag, find_misplaced(tag.name, extensions))
        self.check_words(tag)
        if extensions.listeners:
            self.problem(tag, "its listener is not executed; put it on the event")
        return Declaration(
            id=self.identify(tag),
            kind=tag.name,
            name=tag.get("name"),
            line=tag.line,
            code=tag.get("errorCode") or tag.get("escalationCode"),
            correlation_key=extensions.correlation_key,
        )

    def process(self, tag: Tag) -> ProcessDefinition:
        """Read a process with everything in it."""
        outer, self.problems, self.elements, self.flows, self.associations = self.problems, [], [], [], []
        self.data = []
        name = self.identify(tag)
        extensions, refusals = read_extensions(tag, platform=self.platform)
        self.refuse(tag, refusals)
        self.refuse(tag, find_misplaced(tag.name, extensions))
        self.check_words(tag)
        if len(extensions.version_tag) > MAX_NAME:
            self.problem(tag, f"its version tag is longer than {MAX_NAME} characters")
        self.scope(tag, name)
        documentation = tag.first("documentation")
        inner, self.problems = self.problems, outer
        return ProcessDefinition(
            id=name,
            name=tag.get("name"),
            line=tag.line,
            executable={"true": True, "1": True, "false": False, "0": False}.get(tag.get("isExecutable")),
            elements=tuple(self.elements),
            flows=tuple(self.flows),
            lanes=tuple(read_lanes(tag)),
            associations=tuple(self.associations),
            documentation=documentation.text.strip() if documentation else "",
            version_tag=extensions.version_tag,
            data=tuple(self.data),
            listeners=extensions.listeners,
            problems=tuple(inner),
        )

    def refuse(self, tag: Tag, refusals: Iterable[str]) -> None:
        """Note the extensions that mean something the engine does not do."""
        for refusal in refusals:
            self.problem(tag, refusal)

    def check_words(self, tag: Tag) -> None:
        """Note what of a tag is not known, or stands twice."""
        self.refuse(tag, find_unknown(tag, self.ours, NESTED))
        self.refuse(tag, find_repeated(tag, NESTED))

    def scope(self, tag: Tag, scope: str) -> None:
        """Read the flow nodes and flows of a process or sub-process, and of what is nested in it."""
        for child in tag.children:
            if child.namespace != BPMN:
                continue
            if child.name in FLOW_NODES:
                self.element(child, scope)
            elif child.name == "sequenceFlow":
                self.flow(child, scope)
            elif child.name == "association":
                self.associations.append((child.get("sourceRef"), child.get("targetRef")))
            elif child.name == "dataObject":
                self.data_object(child, scope)
            elif child.name == "correlationSubscription":
                self.problem(child, "correlation by properties is not executed; give the messages a correlation key")
            elif child.name not in KEPT and not child.name.endswith("EventDefinition"):
                self.problem(child, f"<{child.name}> is not an element that may stand in a <{tag.name}>")

    def data_object(self, tag: Tag, scope: str) -> None:
        """Read the value of a data object, if it has one."""
        value = read_data_object(tag, scope, lambda message: self.problem(tag, message))
        if value is not None:
            self.data.append(value)
        else:
            self.refuse(tag, read_extensions(tag)[1])

    def element(self, tag: Tag, scope: str) -> None:
        """Read a flow node; Camunda 7 counts the turns of a loop from 0, the others from 1."""
        name = self.identify(tag)
        script = tag.first("script")
        events = [child for child in tag.children if child.name.endswith(("EventDefinition", "EventDefinitionRef"))]
        loop = read_loop(tag, 0 if self.is_camunda_7 else 1, self.platform)
        element = Element(
            id=name,
            kind=tag.name,
            name=" ".join(tag.get("name").split()),
            line=tag.line,
            scope=scope,
            attributes=own_attributes(tag),
            extensions=self.extensions(tag, events),
            events=tuple([read_event(child, self.is_camunda_7) for child in events]),
            markers=tuple(_markers(tag)),
            loop=loop,
            text=script.text if script else "",
            condition=_condition(tag),
        )
        self.elements.append(element)
        self.check_words(tag)
        if loop:
            self.refuse(tag, loop.refusals)
        if tag.name in SUB_PROCESSES:
            self.scope(tag, name)

    def extensions(self, tag: Tag, events: Sequence[Tag]) -> Extensions:
        """What a vendor says about a flow node and its events, and BPMN's own resources where it is silent."""
        times = [child for event in events for child in event.children if child.namespace == BPMN]
        extensions, refusals = read_extensions(tag, *events, *times, platform=self.platform)
        self.refuse(tag, refusals)
        self.refuse(tag, find_misplaced(tag.name, extensions))
        self.refuse(tag, find_problems(tag))
        extensions = with_associations(tag, extensions)
        named = read_resources(tag)
        self.refuse(tag, find_foreign_resources(tag))
        self.refuse(tag, find_contradictions(tag, extensions, named))
        resources = {name: text for name, text in named.items() if not getattr(extensions, name)}
        return replace(extensions, **resources) if resources else extensions

    def flow(self, tag: Tag, scope: str) -> None:
        """Read a sequence flow; one without an id is named after its ends, the second between them by its number."""
        condition = tag.first("conditionExpression")
        extensions, refusals = read_extensions(tag, *([condition] if condition else []), platform=self.platform)
        self.refuse(tag, refusals)
        self.refuse(tag, find_misplaced(tag.name, extensions))
        self.check_words(tag)
        if extensions.skip:
            self.problem(tag, "a skipExpression of a sequence flow is not executed; write it into its condition")
        source, target = tag.get("sourceRef"), tag.get("targetRef")
        if condition and not condition.text.strip():
            self.problem(tag, "the sequence flow's condition is empty")
        self.flows.append(
            SequenceFlow(
                id=self.identify(tag) if tag.get("id") else self.name_flow(tag),
                name=tag.get("name"),
                line=tag.line,
                scope=scope,
                source=source,
                target=target,
                condition=condition.text.strip() if condition and not foreign_language(condition) else "",
                listeners=extensions.listeners,
            )
        )

    def name_flow(self, tag: Tag) -> str:
        """A name of its own for a flow without an id."""
        name = self.unused(f"{tag.get('sourceRef')} -> {tag.get('targetRef')}")
        self.ids[name] = tag.line
        return name

    def unused(self, plain: str) -> str:
        """A name that nothing has, for what has no id, which BPMN leaves open."""
        name = plain
        while name in self.ids:
            self.unnamed[plain] += 1
            name = f"{plain} ({self.unnamed[plain] + 1})"
        return name


def _declares(tag: Tag) -> bool:
    return tag.name in DECLARATIONS and tag.namespace == BPMN


def _condition(tag: Tag) -> str:
    """When a complex gateway goes on, or an ad hoc sub-process ends."""
    condition = tag.first("activationCondition") or tag.first("completionCondition")
    return condition.text.strip() if condition else ""


def _markers(tag: Tag) -> Iterator[str]:
    """What changes how an activity runs: events thrown between its turns."""
    for child in tag.children:
        if child.name in LOOPS:
            yield from (part.name for part in child.children if part.name == "complexBehaviorDefinition")
