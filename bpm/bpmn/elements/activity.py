"""What all activities share: boundary events, an input mapping, and what compensates them."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import NOTHING
from bpm.bpmn.elements.node import Node
from bpm.bpmn.elements.results import ResultNode
from bpm.bpmn.run import Catcher, Run
from bpm.bpmn.state import Done, Token

_UNSUPPORTED_MARKERS = {
    "complexBehaviorDefinition": "throws events between its turns",
}


class BoundaryHost(Node):
    """What boundary events are attached to: an activity, or all the turns of a repeated one.

    `handler` is the key of the activity that compensates it.
    """

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.boundaries: list[Any] = []
        self.handler = ""

    @property
    def catchers(self) -> Sequence[Catcher[Run]]:
        """Its boundary events."""
        return self.boundaries

    @property
    def listening_events(self) -> Sequence[Node]:
        """Its boundary events."""
        return self.boundaries

    @property
    def compensated_by(self) -> str:
        """Its compensation handler."""
        return self.handler

    def arm_boundaries(self, run: Run, token: Token) -> None:
        """Open the waits of the boundary events."""
        for boundary in self.boundaries:
            boundary.arm(run, token)

    def leave(self, run: Run, token: Token, values: Mapping[str, Any] = NOTHING) -> None:
        """Move on; from now on it can be compensated."""
        if self.handler:
            run.scopes.add_done(token.scope, Done(self.key, {}, []))
        run.leave(self, token, values)


class Activity(BoundaryHost, ResultNode):
    """A task or sub-process."""

    reads_inputs: ClassVar[bool] = True
    runs_output_scripts: ClassVar[bool] = True

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        inputs = element.extensions.inputs
        self.inputs = compilation.mapping(element, "its input mapping", inputs, runs_scripts=True)
        if self.inputs:
            self.local_names = self.inputs.names
        for marker in element.markers:
            compilation.problem(element, f"it {_UNSUPPORTED_MARKERS[marker]}, which is not executed")
        for attribute in ("startQuantity", "completionQuantity"):
            if element.attributes.get(attribute, "1") != "1":
                compilation.problem(element, f"its {attribute} is not 1, which is not executed")

    def input_values(self, run: Run, token: Token) -> dict[str, Any]:
        """What the input mapping gives; empty without one. Its scripts and listeners have run before."""
        if self.inputs is None:
            return {}
        view, kept = run.variables.view(token.scope), run.tokens.beside.get(token.id, NOTHING)
        if self.inputs.scripts:
            view = view.with_scripts(kept["scripts"])
        inputs = self.inputs.evaluate(view)
        return {**inputs, **kept["changed"]} if "changed" in kept else inputs

    def enter(self, run: Run, token: Token) -> dict[str, Any]:
        """What the input mapping gives for a token that has come, kept if the output mapping will see it."""
        inputs = self.input_values(run, token)
        if inputs and self.outputs and self.local_names:
            run.variables.keep(token, inputs)
        return inputs

    def activate(self, run: Run, token: Token) -> None:
        """Pass the token on; there is no result, but an output mapping counts."""
        self.enter(run, token)
        super().activate(run, token)
