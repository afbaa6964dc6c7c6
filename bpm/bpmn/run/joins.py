"""The joins of a run: which tokens have arrived at them, and by which flow."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from bpm.bpmn.run.behavior import Behavior
from bpm.bpmn.run.tokens import Tokens
from bpm.bpmn.run.waits import Waits
from bpm.bpmn.state import Token

Arrivals = dict[str | None, list[int]]
"""The ids of the tokens that rest at a join in a scope, by the flow they came by; the first one came first."""


class Joins:
    """Counts the tokens that rest at joins, then those it is told of."""

    def __init__(self, nodes: Mapping[str, Behavior[Any]], tokens: Tokens, waits: Waits) -> None:
        self._nodes = nodes
        self._tokens = tokens
        self._waits = waits
        self._arrivals: defaultdict[tuple[str, int], Arrivals] = defaultdict(lambda: defaultdict(list))
        for token in self._arrived():
            self.arrive(token)

    def _arrived(self) -> Iterable[Token]:
        """The tokens that rest at joins, but for those whose arrival or leaving failed."""
        failed = {wait.token for wait in self._waits.of_kind("incident") if wait.data[0] in ("activate", "leave")}
        resting = self._tokens.resting.values()
        return [token for token in resting if self._nodes[token.element].is_join and token.id not in failed]

    def arrive(self, token: Token) -> Arrivals:
        """Count a token that has come to a join; gives what is there now."""
        arrivals = self.arrivals(token.element, token.scope)
        arrivals[token.flow].append(token.id)
        return arrivals

    def arrivals(self, element: str, scope: int) -> Arrivals:
        """What has arrived at a join in a scope."""
        return self._arrivals[element, scope]

    def join(self, arrivals: Arrivals, last: int) -> Token:
        """Use up one token of each flow that has one, but for the `last`: it goes on."""
        for flow in list(arrivals):
            joined = self._tokens.resting[arrivals[flow].pop(0)]
            if not arrivals[flow]:
                del arrivals[flow]
            self._waits.close_all(joined)
            if joined.id != last:
                self._tokens.consume(joined)
        return self._tokens.resting[last]
