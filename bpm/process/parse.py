"""BPMN 2.0 XML -> `Definitions`: the structure of a file, without judging what it means.

Every file that is BPMN is read, whether or not the engine can run it; what is wrong with a place is noted in
`problems`, for compiling to report. Only a text that cannot be read as BPMN at all raises InvalidDefinition.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from .cron import from_quartz
from .definition import (
    Declaration,
    Definitions,
    Diagram,
    Element,
    EventDefinition,
    Lane,
    LoopCharacteristics,
    MessageFlow,
    Participant,
    ProcessDefinition,
    SequenceFlow,
    Shape,
)
from .dialects import is_of_camunda_7, read_extensions
from .problems import BpmnProblem, InvalidDefinition
from .resources import read_resources
from .state import TURN
from .xml import BPMN, MAX_BYTES, MAX_DEPTH, Tag, read_xml

SUB_PROCESSES = frozenset({"subProcess", "transaction", "adHocSubProcess"})
FLOW_NODES = SUB_PROCESSES | {
    "startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent",
    "implicitThrowEvent", "task", "serviceTask", "scriptTask", "userTask", "manualTask", "receiveTask",
    "sendTask", "businessRuleTask", "callActivity", "exclusiveGateway", "parallelGateway", "inclusiveGateway",
    "eventBasedGateway", "complexGateway",
}  # fmt: skip
DECLARATIONS = frozenset({"message", "error", "signal", "escalation"})
LOOPS = frozenset({"multiInstanceLoopCharacteristics", "standardLoopCharacteristics"})
KEPT = frozenset({
    "documentation", "extensionElements", "laneSet", "dataObject", "dataObjectReference", "dataStoreReference",
    "textAnnotation", "association", "group", "ioSpecification", "ioBinding", "property", "auditing",
    "monitoring", "resourceRole", "performer", "humanPerformer", "potentialOwner", "completionCondition", "supports",
    "incoming", "outgoing", "supportedInterfaceRef", "dataInputAssociation",
    "dataOutputAssociation", *LOOPS,
})  # fmt: skip
BOOLEANS = frozenset({
    "isForCompensation", "cancelActivity", "isInterrupting", "triggeredByEvent", "instantiate", "isSequential",
    "testBefore",
})  # fmt: skip
REFERENCES = {"link": "name", "compensate": "activityRef"}
TIMINGS = {"timeDuration": "duration", "timeDate": "date", "timeCycle": "cycle"}


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
        self.is_camunda_7 = False

    def definitions(self, root: Tag) -> Definitions:
        """Read the whole file."""
        self.is_camunda_7 = is_of_camunda_7(root)
        processes = tuple(self.process(tag) for tag in root.all("process"))
        declarations = {tag.get("id"): self.declaration(tag) for tag in root.children if _declares(tag)}
        collaboration = root.first("collaboration")
        return Definitions(
            processes=processes,
            declarations=declarations,
            participants=_participants(collaboration),
            message_flows=_message_flows(collaboration),
            diagram=_diagram(root),
            problems=tuple(self.problems),
        )

    @property
    def counts_from(self) -> int:
        """What the turns of a loop are counted from: Camunda 7 begins with 0, the others with 1."""
        return 0 if self.is_camunda_7 else 1

    def problem(self, tag: Tag, message: str) -> None:
        """Note what is wrong with a tag."""
        name = " ".join(tag.get("name").split())
        self.problems.append(BpmnProblem(message, tag.get("id"), name, tag.line))

    def identify(self, tag: Tag) -> str:
        """The tag's id, which must exist and be its own."""
        name = tag.get("id")
        if not name:
            self.problem(tag, f"<{tag.name}> has no id")
            return f"{tag.name} in line {tag.line}"
        if TURN in name:
            self.problem(tag, f"an id can't hold '{TURN}'")
        if name in self.ids:
            self.problem(tag, f"the id is used twice; line {self.ids[name]} has it too")
        self.ids[name] = tag.line
        return name

    def declaration(self, tag: Tag) -> Declaration:
        """Read a message, an error, a signal or an escalation."""
        extensions, _ = read_extensions(tag)
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
        name = self.identify(tag)
        self.refuse_extensions(tag)
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
            lanes=tuple(_lanes(tag)),
            associations=tuple(self.associations),
            documentation=documentation.text.strip() if documentation else "",
            problems=tuple(inner),
        )

    def refuse_extensions(self, tag: Tag) -> None:
        """Note the extensions of a process that mean something the engine does not do."""
        for refusal in read_extensions(tag)[1]:
            self.problem(tag, refusal)

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
            elif child.name == "correlationSubscription":
                self.problem(child, "correlation by properties is not executed; give the messages a correlation key")
            elif child.name not in KEPT and not child.name.endswith("EventDefinition"):
                self.problem(child, f"<{child.name}> is not an element that may stand in a <{tag.name}>")

    def element(self, tag: Tag, scope: str) -> None:
        """Read a flow node."""
        name = self.identify(tag)
        events = [child for child in tag.children if child.name.endswith(("EventDefinition", "EventDefinitionRef"))]
        extensions, refusals = read_extensions(tag, *events)
        for refusal in refusals:
            self.problem(tag, refusal)
        script = tag.first("script")
        resources = {name: text for name, text in read_resources(tag).items() if not getattr(extensions, name)}
        self.elements.append(
            Element(
                id=name,
                kind=tag.name,
                name=" ".join(tag.get("name").split()),
                line=tag.line,
                scope=scope,
                attributes=_attributes(tag),
                extensions=replace(extensions, **resources) if resources else extensions,
                events=tuple([_event(child, self.is_camunda_7) for child in events]),
                markers=tuple(_markers(tag)),
                loop=self.loop(tag),
                text=script.text if script else "",
            )
        )
        if tag.name in SUB_PROCESSES:
            self.scope(tag, name)

    def loop(self, tag: Tag) -> LoopCharacteristics | None:
        """Read how an activity is repeated, in BPMN's own words and a vendor's."""
        if standard := tag.first("standardLoopCharacteristics"):
            return LoopCharacteristics(
                kind="standard",
                condition=_text(standard, "loopCondition"),
                maximum=standard.get("loopMaximum"),
                checks_first=_attributes(standard).get("testBefore") == "true",
                counts_from=self.counts_from,
            )
        many = tag.first("multiInstanceLoopCharacteristics")
        if many is None:
            return None
        extensions, refusals = read_extensions(many)
        for refusal in refusals:
            self.problem(tag, refusal)
        item, output = many.first("inputDataItem"), many.first("outputDataItem")
        output_item = extensions.output_item or (output.get("name") if output else "")
        return LoopCharacteristics(
            kind="sequential" if _attributes(many).get("isSequential") == "true" else "parallel",
            condition=_text(many, "completionCondition"),
            cardinality=_text(many, "loopCardinality"),
            collection=extensions.collection or _text(many, "loopDataInputRef"),
            item=extensions.item or (item.get("name") if item else ""),
            output_collection=extensions.output_collection or _text(many, "loopDataOutputRef"),
            output_item=output_item,
            counts_from=self.counts_from,
        )

    def flow(self, tag: Tag, scope: str) -> None:
        """Read a sequence flow; one without an id is named after its ends."""
        condition = tag.first("conditionExpression")
        source, target = tag.get("sourceRef"), tag.get("targetRef")
        if condition and not condition.text.strip():
            self.problem(tag, "the sequence flow's condition is empty")
        self.flows.append(
            SequenceFlow(
                id=self.identify(tag) if tag.get("id") else f"{source} -> {target}",
                name=tag.get("name"),
                line=tag.line,
                scope=scope,
                source=source,
                target=target,
                condition=condition.text.strip() if condition else "",
                language=condition.get("language") if condition else "",
            )
        )


def _declares(tag: Tag) -> bool:
    return tag.name in DECLARATIONS and tag.namespace == BPMN


def _attributes(tag: Tag) -> Mapping[str, str]:
    """BPMN's own attributes; those that are true or false by these words, though XML knows 1 and 0 as well."""
    own = {key: value for key, value in tag.attributes.items() if key[0] != "{"}
    return own | {key: {"1": "true", "0": "false"}.get(own[key], own[key]) for key in own.keys() & BOOLEANS}


def _event(tag: Tag, is_camunda_7: bool) -> EventDefinition:
    """Read an event definition; one by reference keeps the whole tag as its kind."""
    kind = tag.name.removesuffix("EventDefinition")
    reference = tag.get(REFERENCES.get(kind, f"{kind}Ref"))
    for child in tag.children:
        if child.name in TIMINGS:
            text = child.text.strip()
            return EventDefinition(kind, reference, TIMINGS[child.name], from_quartz(text) if is_camunda_7 else text)
        if child.name == "condition":
            return EventDefinition(kind, reference, text=child.text.strip())
    return EventDefinition(kind, reference, waits=tag.get("waitForCompletion") != "false")


def _text(tag: Tag, name: str) -> str:
    child = tag.first(name)
    return child.text.strip() if child else ""


def _markers(tag: Tag) -> Iterator[str]:
    """What changes how an activity runs: data associations that compute, events thrown between turns."""
    for child in tag.children:
        if child.name in LOOPS:
            yield from (part.name for part in child.children if part.name == "complexBehaviorDefinition")
        elif child.name.startswith("data") and child.name.endswith("Association"):
            yield from (part.name for part in child.children if part.name in ("assignment", "transformation"))


def _lanes(tag: Tag) -> Iterator[Lane]:
    for lane_set in (*tag.all("laneSet"), *tag.all("childLaneSet")):
        for lane in lane_set.all("lane"):
            nodes = tuple(node.text.strip() for node in lane.all("flowNodeRef"))
            yield Lane(lane.get("id"), lane.get("name"), nodes)
            yield from _lanes(lane)


def _participants(collaboration: Tag | None) -> tuple[Participant, ...]:
    tags = collaboration.all("participant") if collaboration else ()
    return tuple(Participant(tag.get("id"), tag.get("name"), tag.get("processRef")) for tag in tags)


def _message_flows(collaboration: Tag | None) -> tuple[MessageFlow, ...]:
    tags = collaboration.all("messageFlow") if collaboration else ()
    return tuple(
        MessageFlow(tag.get("id"), tag.get("name"), tag.get("sourceRef"), tag.get("targetRef")) for tag in tags
    )


def _diagram(root: Tag) -> Diagram:
    """Read BPMN DI (BPMN 2.0.2, chapter 12); what has no usable coordinates is left out."""
    planes = (plane for child in root.children if child.name == "BPMNDiagram" for plane in child.children)
    shapes: dict[str, Shape] = {}
    edges: dict[str, tuple[tuple[float, float], ...]] = {}
    for tag in (tag for plane in planes for tag in plane.children):
        target = tag.get("bpmnElement")
        if tag.name == "BPMNShape" and (shape := _shape(tag)):
            shapes[target] = shape
        elif tag.name == "BPMNEdge":
            points = (_numbers(point, "x", "y") for point in tag.children if point.name == "waypoint")
            edges[target] = tuple((point[0], point[1]) for point in points if point)
    return Diagram(shapes, edges)


def _shape(tag: Tag) -> Shape | None:
    for child in tag.children:
        if child.name == "Bounds" and (numbers := _numbers(child, "x", "y", "width", "height")):
            return Shape(*numbers)
    return None


def _numbers(tag: Tag, *names: str) -> tuple[float, ...] | None:
    try:
        numbers = tuple([float(tag.attributes[name]) for name in names])
    except (KeyError, ValueError):
        return None
    return numbers if all(map(math.isfinite, numbers)) else None
