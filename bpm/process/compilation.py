"""One file while it is being compiled: what nodes ask for, and the problems they note."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from bpm.expressions import EvaluationError, Expression, ExpressionError, compile_expression

from .compiled import Evaluator, Mapped, Timer, compile_value
from .definition import Assignment, Declaration, Element, EventDefinition, SequenceFlow
from .problems import BpmnProblem

_LANGUAGES = (
    "",
    "feel",
    "juel",
    "https://www.omg.org/spec/dmn/20191111/feel/",
    "http://www.omg.org/spec/feel/20140401",
)

_Compiled = TypeVar("_Compiled")


class Compilation:
    """Gathers problems; each method gives something usable even when it notes one, so that none hides another."""

    def __init__(self, declarations: Mapping[str, Declaration]) -> None:
        self.declarations = declarations
        self.problems: list[BpmnProblem] = []

    def problem(self, place: Element | SequenceFlow, message: str) -> None:
        """Note a problem of an element or a flow."""
        self.problems.append(BpmnProblem(message, place.id, place.name, place.line))

    def declaration(self, reference: str) -> Declaration | None:
        """The message or error of an id, with or without a namespace prefix."""
        return self.declarations.get(reference.rpartition(":")[2])

    def condition(self, flow: SequenceFlow) -> Expression | None:
        """The compiled condition of a flow, None if it has none."""
        if flow.language.lower() not in _LANGUAGES:
            self.problem(flow, f"its condition is written in {flow.language}; write FEEL (=a > 1) or ${{a > 1}}")
            return None
        if not flow.condition:
            return None
        return self._try(flow, "its condition", lambda: compile_expression(flow.condition, "null"))

    def value(self, element: Element, what: str, source: Any) -> Evaluator:
        """The evaluator of a value; `what` names it in a problem."""
        return self._try(element, what, lambda: compile_value(source)) or _nothing

    def mapping(self, element: Element, what: str, assignments: Iterable[Assignment] | None) -> Mapped | None:
        """The compiled mapping, None if there is nothing to map."""
        if not assignments:
            return None
        for assignment in assignments:
            if not all(assignment.target.split(".")):
                self.problem(element, f"{what} has an entry without a target name")
        return self._try(element, what, lambda: Mapped.compile(assignments))

    def timer(self, element: Element, event: EventDefinition) -> Timer:
        """The compiled timer of an event definition."""
        if not event.text:
            self.problem(element, "its timer says no time; write a timeDuration, timeDate or timeCycle")
            return Timer("duration", _nothing)
        timer = self._try(element, "its timer", lambda: Timer.compile(event.timing, event.text))
        return timer or Timer("duration", _nothing)

    def _try(self, place: Element | SequenceFlow, what: str, compile_it: Callable[[], _Compiled]) -> _Compiled | None:
        try:
            return compile_it()
        except (ExpressionError, EvaluationError) as error:
            self.problem(place, f"{what}: {error}")
            return None


def _nothing(_: Mapping[str, Any]) -> Any:
    return None
