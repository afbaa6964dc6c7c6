"""Event-based gateway: whichever event happens first decides."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element, SequenceFlow
from bpm.bpmn.elements.events.catch_events import Awaiting
from bpm.bpmn.elements.node import Node
from bpm.bpmn.run import Run
from bpm.bpmn.state import Token


class EventBasedGateway(Node):
    """Its token waits for all the events behind it at once (BPMN 2.0.2, 10.6.6).

    The first one to happen takes the token along and withdraws the others.
    """

    is_left: ClassVar[bool] = False

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.events: list[Awaiting] = []
        if element.attributes.get("instantiate") == "true":
            compilation.problem(element, "starting a process by an event-based gateway is not executed")
        if element.attributes.get("eventGatewayType", "Exclusive") != "Exclusive":
            compilation.problem(element, "a parallel event-based gateway is not executed")

    @property
    def listening_events(self) -> Sequence[Node]:
        """The events behind it."""
        return self.events

    def connect(
        self, outgoing: Sequence[SequenceFlow], incoming: Sequence[str], default: str, compilation: Compilation
    ) -> None:
        """Take the flows; their conditions would have nothing to decide."""
        for flow in outgoing:
            if flow.listeners:
                compilation.problem(flow, f"its listener is not executed behind the event-based gateway '{self.id}'")
            if flow.condition:
                compilation.problem(
                    flow, f"it leaves the event-based gateway '{self.id}', so it can't have a condition"
                )
        super().connect(outgoing, incoming, "", compilation)

    def attach(self, element: Element, nodes: Mapping[str, Node], compilation: Compilation) -> None:
        """Take the events behind it."""
        if not self.conditions:
            compilation.problem(element, "no event stands behind it")
        for _, flow in self.conditions:
            node = nodes.get(flow.target)
            if isinstance(node, Awaiting) and node.is_together:
                compilation.problem(element, f"'{node.id}' behind it waits for several events; one must be enough")
            elif isinstance(node, Awaiting) and node.entry != node.key:
                compilation.problem(element, f"'{node.id}' behind it can't have scripts or start listeners")
            elif isinstance(node, Awaiting):
                self.events.append(node)
                node.behind[self.key] = flow.id
            elif node is not None:
                compilation.problem(element, f"'{node.id}' stands behind it; only catch events and receive tasks may")

    def activate(self, run: Run, token: Token) -> None:
        """Wait for every event."""
        for event in self.events:
            event.arm(run, token)
        run.record(self.id, "activated", token)
        run.tokens.rest(token)
