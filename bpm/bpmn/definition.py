"""A BPMN file as values: what `parse` reads and `compile_process` turns into something that runs.

Nothing here knows how an element behaves. Names follow BPMN 2.0.2 (ISO/IEC 19510), the standard's own words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bpm.bpmn.reader.collaboration import DiagramLane, MessageFlow, Participant
from bpm.bpmn.reader.data_objects import DataValue
from bpm.bpmn.reader.diagram import Diagram
from bpm.bpmn.reader.event_definitions import EventDefinition
from bpm.bpmn.reader.extensions import Extensions, ListenerDefinition
from bpm.bpmn.reader.loop_characteristics import LoopCharacteristics
from bpm.model_files.problems import BpmnProblem


@dataclass(frozen=True, slots=True)
class Element:
    """A flow node: an event, an activity or a gateway.

    `kind` is the tag (`serviceTask`), `scope` the id of the process or sub-process it stands in, `attributes`
    the ones of BPMN itself, `events` its event definitions, `markers` the tags of children that change how it
    runs, `loop` how it is repeated, `text` the body of a script, `condition` when a complex gateway goes
    on, or an ad hoc sub-process ends.
    """

    id: str
    kind: str
    name: str
    line: int
    scope: str
    attributes: Mapping[str, str]
    extensions: Extensions
    events: tuple[EventDefinition, ...] = ()
    markers: tuple[str, ...] = ()
    loop: LoopCharacteristics | None = None
    text: str = ""
    condition: str = ""


@dataclass(frozen=True, slots=True)
class SequenceFlow:
    """An arrow between two flow nodes of one scope; `condition` is empty where there is none."""

    id: str
    name: str
    line: int
    scope: str
    source: str
    target: str
    condition: str = ""
    listeners: tuple[ListenerDefinition, ...] = ()


@dataclass(frozen=True, slots=True)
class Declaration:
    """What events refer to by id: a message, an error, a signal or an escalation of the file."""

    id: str
    kind: str
    name: str
    line: int
    code: str = ""
    correlation_key: str = ""


@dataclass(frozen=True, slots=True)
class ProcessDefinition:
    """One `<process>` with every flow node and flow in it, those of its sub-processes included.

    `executable` is None where the file does not say. `associations` are the dotted lines, from source to target:
    they tie a compensation handler to its boundary event. `version_tag` is the name of its author for this version.
    `data` are the variables that it and its sub-processes begin with. `problems` are the ones met while reading it.
    """

    id: str
    name: str
    line: int
    executable: bool | None
    elements: tuple[Element, ...]
    flows: tuple[SequenceFlow, ...]
    lanes: tuple[DiagramLane, ...] = ()
    associations: tuple[tuple[str, str], ...] = ()
    documentation: str = ""
    version_tag: str = ""
    data: tuple[DataValue, ...] = ()
    listeners: tuple[ListenerDefinition, ...] = ()
    problems: tuple[BpmnProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Definitions:
    """A whole BPMN file. `problems` are those outside its processes."""

    processes: tuple[ProcessDefinition, ...]
    declarations: Mapping[str, Declaration]
    participants: tuple[Participant, ...] = ()
    message_flows: tuple[MessageFlow, ...] = ()
    diagram: Diagram = field(default_factory=Diagram)
    problems: tuple[BpmnProblem, ...] = ()
