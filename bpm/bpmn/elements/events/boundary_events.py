"""Boundary events, interrupting or not."""

from collections.abc import Mapping
from typing import Any, ClassVar

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.elements.activity import BoundaryHost
from bpm.bpmn.elements.listening_event import ListeningEvent
from bpm.bpmn.elements.node import Node
from bpm.bpmn.run import Run
from bpm.bpmn.state import Token


class BoundaryEvent(ListeningEvent):
    """While its activity runs; an interrupting one terminates it and uses up its token (BPMN 2.0.2, 10.5.4)."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation, element.attributes.get("cancelActivity", "true") != "false")
        self.host = element.attributes.get("attachedToRef", "")

    @property
    def stored_shape(self) -> tuple[object, ...]:
        """What it listens for, and where."""
        return (self.kind, self.host, len(self.together))

    def attach(self, element: Element, nodes: Mapping[str, Node], compilation: Compilation) -> None:
        """Join the other boundary events of its activity."""
        host = nodes.get(element.attributes.get("attachedToRef", ""))
        if not isinstance(host, BoundaryHost):
            return
        if self.kind == "cancel" and compilation.elements[host.id].kind != "transaction":
            compilation.problem(element, f"only a transaction can be cancelled; '{host.id}' is none")
        host.boundaries.append(self)

    def start(self, run: Run, host: Token, written: Mapping[str, Any]) -> None:
        """Begin beside the activity, or in its place."""
        run.variables.write(host.scope, written)
        run.tokens.spawn(run.nodes[self.id].entry, host.scope)
        if self.interrupts:
            run.nodes[host.element].terminate(run, host)
            run.tokens.consume(host)


class CompensationBoundaryEvent(ListeningEvent):
    """Ties an activity to what compensates it; no token ever comes here (BPMN 2.0.2, 10.7.1)."""

    is_entered: ClassVar[bool] = False
    is_left: ClassVar[bool] = False

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation, interrupts=True)

    def attach(self, element: Element, nodes: Mapping[str, Node], compilation: Compilation) -> None:
        """Tell its activity what compensates it."""
        host = nodes.get(element.attributes.get("attachedToRef", ""))
        if not isinstance(host, BoundaryHost):
            return
        others = [other for other in compilation.associated.get(element.id, ()) if other in compilation.elements]
        handlers = [
            other for other in others if compilation.elements[other].attributes.get("isForCompensation") == "true"
        ]
        if len(handlers) == 1:
            host.handler = handlers[0]
        else:
            compilation.problem(
                element, 'an association must lead from it to one activity with isForCompensation="true"'
            )
