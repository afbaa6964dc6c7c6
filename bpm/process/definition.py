"""A BPMN file as values: what `parse` reads and `compile_process` turns into something that runs.

Nothing here knows how an element behaves. Names follow BPMN 2.0.2 (ISO/IEC 19510), the standard's own words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .problems import BpmnProblem


@dataclass(frozen=True, slots=True)
class Assignment:
    """One entry of an input or output mapping: the expression or template `source` goes to `target`.

    `target` may be a path (`order.total`); `source` may be any JSON value with templates in its strings.
    """

    target: str
    source: Any


@dataclass(frozen=True, slots=True)
class Called:
    """What a call activity calls, in a vendor's words.

    `version` is empty for the newest one; `business_key` is an expression, unless the called instance `inherits_key`
    from the calling one. `passes_all` and `returns_all`: all
    variables go that way, beside what is mapped; None: all do if nothing is mapped.
    """

    process: str = ""
    version: str = ""
    business_key: str = ""
    inherits_key: bool = False
    passes_all: bool | None = None
    returns_all: bool | None = None


@dataclass(frozen=True, slots=True)
class Extensions:
    """What the vendor extensions of an element mean, whichever vendor's words said it.

    `inputs` None: nothing was mapped, the task sees all variables. `merges_result`: a result that is an object
    becomes variables, as Camunda's modellers expect, unless `result_variable` or `outputs` say otherwise.
    `properties` holds what carries no execution meaning, by name.
    """

    command: str = ""
    body: Any = None
    inputs: tuple[Assignment, ...] | None = None
    outputs: tuple[Assignment, ...] = ()
    result_variable: str = ""
    default_result: str = ""
    merges_result: bool = False
    retries: str = ""
    message: str = ""
    correlation_key: str = ""
    script: str = ""
    script_format: str = ""
    expression: str = ""
    form_key: str = ""
    assignee: str = ""
    candidate_users: str = ""
    candidate_groups: str = ""
    due_date: str = ""
    priority: str = ""
    form_schema: Any = None
    error_code_variable: str = ""
    error_message_variable: str = ""
    called: "Called | None" = None
    decision: str = ""
    decision_result: str = ""
    collection: str = ""
    item: str = ""
    output_collection: str = ""
    output_item: str = ""
    counts_from: int = 1
    properties: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """What an event waits for or throws.

    `kind` is message, timer, error, terminate, signal and so on; `reference` is the id of the message, error …
    it names (of the activity, when it compensates one), or a link's name; `timing` is duration, date or cycle and
    `text` the timer's or condition's own text. `waits` False: it does not wait for the compensation it throws.
    """

    kind: str
    reference: str = ""
    timing: str = ""
    text: str = ""
    waits: bool = True


@dataclass(frozen=True, slots=True)
class LoopCharacteristics:
    """How an activity is repeated: as long as a condition holds, or once for each of many.

    `kind` is standard, sequential or parallel. `condition` is a standard loop's, or ends a multi-instance activity
    early; `maximum` bounds a standard loop; `checks_first`: its condition is asked before the first turn too. The
    collections and items are names or expressions; `counts_from` is the first value of `loopCounter`.
    """

    kind: str
    condition: str = ""
    maximum: str = ""
    checks_first: bool = False
    cardinality: str = ""
    collection: str = ""
    item: str = ""
    output_collection: str = ""
    output_item: str = ""
    counts_from: int = 1


@dataclass(frozen=True, slots=True)
class Element:
    """A flow node: an event, an activity or a gateway.

    `kind` is the tag (`serviceTask`), `scope` the id of the process or sub-process it stands in, `attributes`
    the ones of BPMN itself, `events` its event definitions, `markers` the tags of children that change how it
    runs (`assignment`), `loop` how it is repeated, `text` the body of a script.
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
    language: str = ""


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
class Lane:
    """A lane and the ids of the flow nodes drawn in it."""

    id: str
    name: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProcessDefinition:
    """One `<process>` with every flow node and flow in it, those of its sub-processes included.

    `executable` is None where the file does not say. `associations` are the dotted lines, from source to target:
    they tie a compensation handler to its boundary event. `problems` are the ones met while reading it.
    """

    id: str
    name: str
    line: int
    executable: bool | None
    elements: tuple[Element, ...]
    flows: tuple[SequenceFlow, ...]
    lanes: tuple[Lane, ...] = ()
    associations: tuple[tuple[str, str], ...] = ()
    documentation: str = ""
    problems: tuple[BpmnProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Participant:
    """A pool and the id of the process it shows; empty for a black box."""

    id: str
    name: str
    process: str


@dataclass(frozen=True, slots=True)
class MessageFlow:
    """A dashed arrow between pools: kept for the diagram, messages themselves travel by correlation."""

    id: str
    name: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Shape:
    """Where an element is drawn: left, top, width and height in the diagram's own units."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Diagram:
    """The BPMN DI of a file: shapes by element id and way points (x, y) by flow id."""

    shapes: Mapping[str, Shape] = field(default_factory=dict[str, Shape])
    edges: Mapping[str, tuple[tuple[float, float], ...]] = field(
        default_factory=dict[str, tuple[tuple[float, float], ...]]
    )


@dataclass(frozen=True, slots=True)
class Definitions:
    """A whole BPMN file. `problems` are those outside its processes."""

    processes: tuple[ProcessDefinition, ...]
    declarations: Mapping[str, Declaration]
    participants: tuple[Participant, ...] = ()
    message_flows: tuple[MessageFlow, ...] = ()
    diagram: Diagram = field(default_factory=Diagram)
    problems: tuple[BpmnProblem, ...] = ()
