"""What all activities share: boundary events and an input mapping."""

from collections.abc import Mapping
from typing import Any

from ..compilation import Compilation
from ..definition import Element
from ..run import NOTHING, Catcher, Run
from ..state import Token, Wait
from ..view import View
from .results import ResultNode

_UNSUPPORTED_MARKERS = {
    "multiInstanceLoopCharacteristics": "is a multi-instance activity",
    "standardLoopCharacteristics": "is a loop activity",
    "assignment": "computes in a data association",
    "transformation": "computes in a data association",
}


class BoundaryEvent(ResultNode):
    """Starts a path of its own when something happens while its activity runs.

    An interrupting one terminates the activity, whose token is used up. As a node it merely passes the new token
    on; its waits belong to the token on the activity.
    """

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.interrupts = element.attributes.get("cancelActivity", "true") != "false"

    def arm(self, run: Run, token: Token) -> None:
        """Begin to wait while the token rests on the activity."""

    def catches(self, code: str | None) -> bool | None:
        """Whether it is for errors of exactly this code (True), of any (False), or not for this one (None)."""
        return None

    def catch(self, run: Run, token: Token, code: str | None, message: str) -> None:
        """Take the error it said it catches."""
        self.fire(run, token, NOTHING)

    def fire(self, run: Run, token: Token, written: Mapping[str, Any]) -> None:
        """Start the path; `token` is the activity's."""
        run.write(token.scope, written)
        run.spawn(self.id, token.scope)
        if self.interrupts:
            run.nodes[token.element].terminate(run, token)
            run.consume(token)

    def skip(self, run: Run, token: Token, wait: Wait, values: Mapping[str, Any]) -> None:
        """Start the path with these values instead of the ones that could not be mapped."""
        if token.element == self.id:
            super().skip(run, token, wait, values)
            return
        run.close(wait)
        if not self.interrupts:
            self.arm(run, token)
        self.fire(run, token, values)


class Activity(ResultNode):
    """A task or sub-process."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.boundaries: list[BoundaryEvent] = []
        self.inputs = compilation.mapping(element, "its input mapping", element.extensions.inputs)
        for marker in element.markers:
            compilation.problem(element, f"it {_UNSUPPORTED_MARKERS[marker]}, which is not executed")
        for attribute in ("startQuantity", "completionQuantity"):
            if element.attributes.get(attribute, "1") != "1":
                compilation.problem(element, f"its {attribute} is not 1, which is not executed")
        if element.attributes.get("isForCompensation") == "true":
            compilation.problem(element, "it is for compensation, which is not executed")

    def arm_boundaries(self, run: Run, token: Token) -> None:
        """Open the waits of the boundary events."""
        for boundary in self.boundaries:
            boundary.arm(run, token)

    def input_values(self, view: View) -> dict[str, Any]:
        """What the input mapping gives; empty without one."""
        return self.inputs.evaluate(view) if self.inputs else {}

    def catcher(self, code: str | None) -> Catcher | None:
        """The boundary event for the error's code, else one for all errors."""
        by_precision = {boundary.catches(code): boundary for boundary in reversed(self.boundaries)}
        return by_precision.get(True) or by_precision.get(False)
