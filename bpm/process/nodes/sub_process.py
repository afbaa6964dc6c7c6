"""Embedded sub-process: a scope of its own inside the process."""

from collections.abc import Mapping
from typing import Any

from ..compilation import Compilation
from ..definition import Element
from ..run import Run
from ..state import Token, Wait
from .activity import Activity


class SubProcess(Activity, element="subProcess"):
    """Runs what it contains, and goes on when its last token is gone (BPMN 2.0.2, 13.3.4).

    The variables of its input mapping live inside; everything else is written through to the process.
    """

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.start = ""
        if element.attributes.get("triggeredByEvent") == "true":
            compilation.problem(element, "it is an event sub-process, which is not executed")

    def activate(self, run: Run, token: Token) -> None:
        """Arm the boundary events, open the scope and start inside."""
        self.arm_boundaries(run, token)
        inputs = self.input_values(run.view(token.scope))
        run.record(self.id, "activated", token, inputs)
        run.rest(token)
        run.spawn(self.start, run.open_scope(token, dict(inputs)))

    def complete(self, run: Run, token: Token, wait: Wait | None, result: Any, values: Mapping[str, Any]) -> None:
        """Map the outputs, which see the variables inside, and go on outside."""
        (scope,) = run.scopes_of(token)
        written = {**values, **self.outputs.evaluate(run.view(scope), merge=True)} if self.outputs else values
        run.close_scope(scope)
        run.write(token.scope, written)
        run.close_all(token, wait)
        run.leave(self, token, written)

    def discard(self, run: Run, token: Token) -> None:
        """Terminate everything inside first; there is nothing yet if it could not be activated."""
        for scope in run.scopes_of(token):
            run.clear_scope(scope)
            run.close_scope(scope)
        super().discard(run, token)
