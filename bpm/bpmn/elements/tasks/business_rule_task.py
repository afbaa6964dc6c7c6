"""Business rule task: a DMN decision, or a command."""

from typing import Any, ClassVar

from bpm.bpmn.compilation.bindings import read_binding
from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import Decide
from bpm.bpmn.elements.process_index import ProcessIndex
from bpm.bpmn.elements.tasks.service_task import CommandTask
from bpm.bpmn.run import Run
from bpm.bpmn.state import Token

SHAPES = ("", "singleEntry", "singleResult", "collectEntries", "resultList")


class BusinessRuleTask(CommandTask):
    """Evaluates the decision it names (BPMN 2.0.2, 10.3.3.4); its result goes to `decisionResult` by default."""

    names_versions: ClassVar[bool] = True

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        extensions = element.extensions
        self.decision = "" if self.command else extensions.decision
        self.shape = extensions.decision_result
        self.binding = read_binding(element, compilation)
        if self.decision:
            self.kind = "decision"
            self.default_result = "decisionResult"
            self.merges_result = False
        elif not self.command:
            compilation.problem(
                element, 'it names no decision; add camunda:decisionRef, <zeebe:calledDecision/> or bpm:decision="…"'
            )
        if self.shape not in SHAPES:
            compilation.problem(element, f"its mapDecisionResult '{self.shape}' is not one of {', '.join(SHAPES[1:])}")

    def contribute(self, parts: ProcessIndex) -> None:
        """A deployment checks the decision, or the command in its place."""
        super().contribute(parts)
        if self.decision:
            parts.decisions[self.id] = (self.decision, self.binding)

    def request(self, run: Run, token: Token, wait_id: int, attempt: int) -> Any:
        """The decision with every variable it can see."""
        if not self.decision:
            return super().request(run, token, wait_id, attempt)
        variables = run.variables.view(token.scope).within(self.enter(run, token))
        return Decide(wait_id, attempt, self.id, self.decision, self.shape, variables, self.binding)
