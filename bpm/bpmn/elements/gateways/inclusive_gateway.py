"""Inclusive gateway: some of the ways, and a join that waits for whatever may still come."""

from collections.abc import Container, Mapping, Sequence
from typing import ClassVar

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.compilation.paths import reachable_flows
from bpm.bpmn.definition import Element, SequenceFlow
from bpm.bpmn.elements.node import Node
from bpm.bpmn.elements.process_index import ProcessIndex
from bpm.bpmn.run import Run
from bpm.bpmn.state import Token, element_of

_NONE: frozenset[str] = frozenset()


class InclusiveGateway(Node):
    """Takes every flow whose condition holds, else the default (BPMN 2.0.2, 13.4.3).

    As a join it goes on when it holds a token and no token elsewhere in the scope could still reach an empty
    incoming flow, except one that could as well reach a flow where a token waits already. `reach` says which
    incoming flows can be reached from a node without passing the gateway itself, by boundary events, too;
    `flow_reach` which can be along sequence flows alone: only those excuse a token, as the standard words it.
    """

    is_join: ClassVar[bool] = True

    def connect(
        self, outgoing: Sequence[SequenceFlow], incoming: Sequence[str], default: str, compilation: Compilation
    ) -> None:
        """Take the flows."""
        self.incoming = frozenset(incoming)
        self.reach: Mapping[str, frozenset[str]] = {}
        self.flow_reach: Mapping[str, frozenset[str]] = {}
        super().connect(outgoing, incoming, default, compilation)

    def attach(self, element: Element, nodes: Mapping[str, Node], compilation: Compilation) -> None:
        """Find out from where tokens may still come."""
        if self.waits:
            self.reach = reachable_flows(self.key, compilation.steps, self.incoming)
            self.flow_reach = reachable_flows(self.key, compilation.flow_steps, self.incoming)

    def contribute(self, parts: ProcessIndex) -> None:
        """It is asked again whenever everything that can move has moved."""
        if self.waits:
            parts.joins.append(self.key)
            parts.merging.append(self.key)

    @property
    def waiting_flows(self) -> int:
        """All that come in, when it joins."""
        return len(self.incoming) if self.waits else 0

    @property
    def waits(self) -> bool:
        """Whether it joins; with one incoming flow there is nothing to wait for."""
        return len(self.incoming) > 1

    def activate(self, run: Run, token: Token) -> None:
        """Fork at once; join when everything that can move has moved."""
        if not self.waits:
            run.leave(self, token)
            return
        run.record(self.id, "activated", token)
        run.tokens.rest(token)

    def merge(self, run: Run, scope: int) -> bool:
        """Join what has arrived, unless more may come."""
        arrivals = run.joins.arrivals(self.key, scope)
        if self.incoming.isdisjoint(arrivals):
            return False
        if any(self._may_bring(token, arrivals) for token in run.tokens.each_in(scope)):
            return False
        last = max(tokens[0] for tokens in arrivals.values())
        run.leave(self, run.joins.join(arrivals, last))
        return True

    def _may_bring(self, token: Token, filled: Container[str | None]) -> bool:
        """Whether a token of its scope could still reach an empty flow, and none that has a token already."""
        element = element_of(token.element)
        if element == self.key or all(flow in filled for flow in self.reach.get(element, _NONE)):
            return False
        return not any(flow in filled for flow in self.flow_reach.get(element, _NONE))
