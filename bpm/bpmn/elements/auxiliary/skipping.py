"""Flowable's skip expressions: an element that is passed over."""

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.compilation.values import Evaluator
from bpm.bpmn.definition import Element
from bpm.bpmn.elements.node import Node
from bpm.bpmn.run import Run
from bpm.bpmn.state import TURN, Token
from bpm.expressions import EvaluationError
from bpm.shown import shown

ENABLED = ("_FLOWABLE_SKIP_EXPRESSION_ENABLED", "_ACTIVITI_SKIP_EXPRESSION_ENABLED")
"""An instance in which neither variable is true skips nothing."""


class SkipCheck(Node):
    """Asks whether an element is to be skipped before anything of it begins; `passed` is the element's own node."""

    def __init__(self, element: Element, passed: Node, skips: Evaluator, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.key = self.entry = f"{passed.key}{TURN}skip"
        self.passed = passed
        self.next = passed.entry
        self.skips = skips

    def activate(self, run: Run, token: Token) -> None:
        """Go on behind the element, or to it."""
        view = run.variables.view(token.scope)
        if not any(view.get(name) is True for name in ENABLED):
            run.tokens.hand_over(token, self.next)
            return
        skips = self.skips(view)
        if not isinstance(skips, bool):
            raise EvaluationError(f"its skipExpression must be true or false, not {shown(skips)}")
        if not skips:
            run.tokens.hand_over(token, self.next)
            return
        run.record(self.id, "skipped", token)
        run.leave(self.passed, token)
