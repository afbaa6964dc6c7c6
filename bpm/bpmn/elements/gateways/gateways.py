"""Exclusive and parallel gateways."""

from collections.abc import Sequence
from typing import ClassVar

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import SequenceFlow
from bpm.bpmn.elements.node import Node
from bpm.bpmn.elements.process_index import ProcessIndex
from bpm.bpmn.run import Run, Way
from bpm.bpmn.state import Token
from bpm.bpmn.view import View


class ExclusiveGateway(Node):
    """One flow: the first in the file whose condition holds, else the default (BPMN 2.0.2, 13.4.2)."""

    def connect(
        self, outgoing: Sequence[SequenceFlow], incoming: Sequence[str], default: str, compilation: Compilation
    ) -> None:
        """Take the flows. One without a condition counts as the default when it is the only one, and none is named."""
        bare = [flow for flow in outgoing if not flow.condition and flow.id != default]
        if len(outgoing) > 1 and len(bare) == 1 and not default:
            default = bare.pop().id
        if len(outgoing) > 1:
            for flow in bare:
                compilation.problem(
                    flow, f"it leaves the exclusive gateway '{self.id}' without a condition and is not its default"
                )
        super().connect(outgoing, incoming, default, compilation)
        self.ways = tuple([(condition, Way.along(flow)) for condition, flow in self.conditions])

    def choose(self, view: View) -> Way:
        """The first flow whose condition holds, else the default."""
        for condition, way in self.ways:
            if condition is None or condition.holds(view):
                return way
        return self.default_way()


class ParallelGateway(Node):
    """Waits for one token on every incoming flow, then takes every outgoing one (BPMN 2.0.2, 13.4.1)."""

    is_join: ClassVar[bool] = True

    def connect(
        self, outgoing: Sequence[SequenceFlow], incoming: Sequence[str], default: str, compilation: Compilation
    ) -> None:
        """Take the flows, none of which may have a condition."""
        self.incoming = len(incoming)
        for flow in outgoing:
            if flow.condition:
                compilation.problem(flow, f"it leaves the parallel gateway '{self.id}', so it can't have a condition")
        super().connect(outgoing, incoming, "", compilation)

    def contribute(self, parts: ProcessIndex) -> None:
        """Tokens wait at it for one another."""
        if self.incoming > 1:
            parts.joins.append(self.key)

    def activate(self, run: Run, token: Token) -> None:
        """Join, then fork."""
        if self.incoming < 2:
            run.leave(self, token)
            return
        run.tokens.rest(token)
        arrivals = run.joins.arrivals(self.key, token.scope)
        if len(arrivals) < self.incoming:
            run.record(self.id, "activated", token)
            return
        run.leave(self, run.joins.join(arrivals, token.id))
