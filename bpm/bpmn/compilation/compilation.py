"""One process while it is being compiled: what nodes ask for, and the problems they note."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from bpm.bpmn.compilation.languages import PYTHON
from bpm.bpmn.compilation.paths import Links, Steps, steps_of
from bpm.bpmn.compilation.values import Evaluator, Mapped, Timer, compile_condition, compile_value, is_constant
from bpm.bpmn.definition import Declaration, Element, ProcessDefinition, SequenceFlow
from bpm.bpmn.reader.collaboration import MessageFlow
from bpm.bpmn.reader.event_definitions import EventDefinition
from bpm.bpmn.reader.extensions import Assignment, InlineScript
from bpm.expressions import EvaluationError, Expression, ExpressionError, marked
from bpm.model_files.names import MAX_NAME, name_of
from bpm.model_files.problems import BpmnProblem

_NAME = re.compile(r"(?:=|[$#]\{)?\s*([A-Za-z_]\w*)(?:\.\w+)*\s*\}?")

_UNITS = {"second": "PT{}S", "minute": "PT{}M", "hour": "PT{}H", "day": "P{}D", "week": "P{}W"}
_DURATION = re.compile(rf"(?P<number>[0-9]{{1,4}}) (?P<unit>{'|'.join(_UNITS)})s?")

_Compiled = TypeVar("_Compiled")


class Compilation:
    """Gathers problems; each method gives something usable even when it notes one, so that none hides another.

    `entries` are the keys of the nodes at which tokens come to a flow's or element's own, where something is done
    before it. A process that `is_deployed` was checked by the rules of its day.
    """

    def __init__(
        self,
        process: ProcessDefinition,
        declarations: Mapping[str, Declaration],
        message_flows: Sequence[MessageFlow] = (),
        *,
        is_deployed: bool = False,
    ) -> None:
        self.process = process
        self.is_deployed = is_deployed
        self.declarations = declarations
        self.message_flows = message_flows
        self.elements = {element.id: element for element in process.elements}
        self.problems: list[BpmnProblem] = []
        self.entries: dict[str, str] = {}

    @cached_property
    def links(self) -> Links:
        """The link events of the process."""
        return Links(self.process)

    @cached_property
    def steps(self) -> Steps:
        """Where each element leads."""
        return steps_of(self.process, self.links)

    @cached_property
    def led_to(self) -> frozenset[str]:
        """The elements that another one leads to."""
        return frozenset([target for steps in self.steps.values() for _, target in steps])

    @cached_property
    def filled(self) -> frozenset[str]:
        """The process and the sub-processes that hold elements."""
        return frozenset([element.scope for element in self.process.elements])

    @cached_property
    def flow_steps(self) -> Steps:
        """Where each element leads along sequence flows and links alone."""
        return steps_of(self.process, self.links, boundaries=False)

    @cached_property
    def attached(self) -> Mapping[str, Sequence[Element]]:
        """The boundary events of each element."""
        attached: defaultdict[str, list[Element]] = defaultdict(list)
        for element in self.process.elements:
            if element.kind == "boundaryEvent":
                attached[element.attributes.get("attachedToRef", "")].append(element)
        return attached

    @cached_property
    def associated(self) -> Mapping[str, Sequence[str]]:
        """What each element is tied to by a dotted line, whichever way it points."""
        associated: defaultdict[str, list[str]] = defaultdict(list)
        for source, target in self.process.associations:
            associated[source].append(target)
            associated[target].append(source)
        return associated

    def problem(self, place: Element | SequenceFlow | ProcessDefinition, message: str) -> None:
        """Note a problem of an element, a flow or the process itself."""
        self.problems.append(BpmnProblem(message, place.id, place.name, place.line))

    def contradiction(self, element: Element, message: str) -> None:
        """Note what one of two ways to read an element would ignore; what is deployed is read as it always was."""
        if not self.is_deployed:
            self.problem(element, message)

    def entry(self, element: str) -> str:
        """The key of the node at which a token comes to an element."""
        return self.entries.get(element, element)

    def way_to(self, flow: SequenceFlow) -> str:
        """The key of the node that a flow leads to."""
        return self.entries.get(flow.id) or self.entry(flow.target)

    def declaration(self, reference: str) -> Declaration | None:
        """The message or error of an id, with or without a namespace prefix."""
        return self.declarations.get(reference.rpartition(":")[2])

    def message(self, element: Element, reference: str) -> tuple[str, str]:
        """The name and the correlation key of the message an element refers to, else of its message flow's."""
        declaration = self.declaration(reference)
        if declaration is not None:
            return self._message_name(declaration), declaration.correlation_key
        drawn = [flow for flow in self.message_flows if element.id in (flow.source, flow.target)]
        messages = [(self.declaration(flow.message), _label(flow)) for flow in drawn]
        found = {
            (self._message_name(one), one.correlation_key) if one else (name, "")
            for one, name in messages
            if one or name
        }
        if len(found) > 1:
            names = ", ".join(sorted({repr(name) for name, _ in found}))
            self.problem(element, f"its message flows name several messages: {names}; set messageRef to one of them")
        return min(found, default=(self.sketched_name(element), ""))

    def sketched_name(self, element: Element) -> str:
        """The label of an event that names no message or signal, in a process that is not marked to be executed."""
        is_named = element.events and is_constant(element.name) and len(element.name) <= MAX_NAME
        return element.name if is_named and not self.process.executable else ""

    def _message_name(self, declaration: Declaration) -> str:
        """The name of a message; without one the label of the only flow that carries it, or else its id."""
        labels = {_label(flow) for flow in self.message_flows if self.declaration(flow.message) is declaration} - {""}
        return declaration.name or (labels.pop() if len(labels) == 1 else declaration.id)

    def condition(self, flow: SequenceFlow) -> Expression | None:
        """The compiled condition of a flow, None if it has none."""
        if not flow.condition:
            return None
        return self._try(flow, "its condition", lambda: compile_condition(flow.condition))

    def value(self, element: Element, what: str, source: Any) -> Evaluator:
        """The evaluator of a value; `what` names it in a problem."""
        return self._try(element, what, lambda: compile_value(source)) or _nothing

    def formula(self, element: Element, what: str, source: str) -> Evaluator | None:
        """The evaluator of an expression, marked as one or bare; None if there is none."""
        if not source.strip():
            return None
        return self.value(element, what, marked(source))

    def name_in(self, source: str) -> str:
        """The variable that an expression is a path into; empty if it is anything more."""
        match = _NAME.fullmatch(source.strip())
        return match[1] if match else ""

    def event_condition(self, element: Element) -> Expression | None:
        """The condition of a conditional event."""
        text = element.events[0].text
        if not text:
            self.problem(element, "its conditional event has no condition")
        return self.loop_condition(element, text)

    def loop_condition(self, element: Element, text: str) -> Expression | None:
        """The condition of a loop or an event, None if it has none."""
        if not text:
            return None
        return self._try(element, "its condition", lambda: compile_condition(text))

    def caught_code(self, element: Element) -> str:
        """The code of the errors or escalations that an event catches; empty for any, as one with a name alone is."""
        declaration = self.declaration(element.events[0].reference)
        return self._code(element, declaration.code if declaration else "")

    def thrown_code(self, element: Element) -> str:
        """The code of the error or escalation that an event throws, its name where it has no code; empty for none."""
        declaration = self.declaration(element.events[0].reference)
        return self._code(element, (declaration.code or declaration.name) if declaration else "")

    def _code(self, element: Element, code: str) -> str:
        return self.fixed(element, f"its {element.events[0].kind} code", code)

    def signal_name(self, element: Element) -> str:
        """The name of the signal that an event refers to."""
        declaration = self.declaration(element.events[0].reference)
        name = declaration.name if declaration else self.sketched_name(element)
        if not name:
            self.problem(element, "it names no signal; set signalRef to a <signal> with a name")
        return name

    def signal(self, element: Element) -> Evaluator:
        """The evaluator of the signal's name, which raises EvaluationError for what is no name."""
        name = self.value(element, "its signal's name", self.signal_name(element))
        return lambda view: name_of(name(view), "the name of its signal")

    def fixed(self, element: Element, what: str, text: str) -> str:
        """A text that has to be meant literally."""
        if not is_constant(text):
            self.problem(element, f"{what} must be fixed, not an expression: {text}")
        elif len(text) > MAX_NAME:
            self.problem(element, f"{what} is longer than {MAX_NAME} characters")
        return text

    def mapping(
        self, element: Element, what: str, assignments: Iterable[Assignment] | None, *, runs_scripts: bool = False
    ) -> Mapped | None:
        """The compiled mapping, None if there is nothing to map; `runs_scripts`: it may hold scripts in Python."""
        if not assignments:
            return None
        for assignment in assignments:
            if not all(assignment.target.split(".")):
                self.problem(element, f"{what} has an entry without a target name")
        mapped = self._try(element, what, lambda: Mapped.compile(assignments))
        if mapped is not None and mapped.scripts and not runs_scripts:
            self.problem(element, f"{what} holds a script, which is not run here; put a script task beside it")
        return mapped

    def script(self, element: Element, what: str, script: InlineScript) -> str:
        """The source of a script in Python."""
        if script.language not in PYTHON:
            self.problem(element, f"{what} is written in {script.language}; scripts are Python")
        elif not script.source.strip():
            self.problem(element, f"{what} holds an empty script")
        return script.source

    def timer(self, element: Element, event: EventDefinition) -> Timer:
        """The compiled timer of an event definition."""
        timing, text = (event.timing, event.text) if event.text else ("duration", self._sketched_duration(element))
        if not text:
            self.problem(element, "its timer says no time; write a timeDuration, timeDate or timeCycle")
            return Timer("duration", _nothing)
        timer = self._try(element, "its timer", lambda: Timer.compile(timing, text))
        return timer or Timer("duration", _nothing)

    def _sketched_duration(self, element: Element) -> str:
        """How long the label of a timer says, such as `7 days`, in a process that is not marked to be executed."""
        said = _DURATION.fullmatch(" ".join(element.name.split()).lower())
        if said is None or self.process.executable:
            return ""
        return _UNITS[said["unit"]].format(said["number"])

    def _try(self, place: Element | SequenceFlow, what: str, compile_it: Callable[[], _Compiled]) -> _Compiled | None:
        try:
            return compile_it()
        except (ExpressionError, EvaluationError) as error:
            self.problem(place, f"{what}: {error}")
            return None


def _label(flow: MessageFlow) -> str:
    return " ".join(flow.name.split())


def _nothing(_: Mapping[str, Any]) -> Any:
    return None
