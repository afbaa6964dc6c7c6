"""The joins of a run: which tokens have arrived at them, and by which flow."""

from bpm.bpmn.run.tokens import Tokens
from bpm.bpmn.run.waits import Waits
from bpm.bpmn.state import Token

Arrivals = dict[str | None, list[int]]
"""The ids of the tokens that rest at a join in a scope, by the flow they came by; the first one came first."""


class Joins:
    """Counts the tokens that rest at a join when it is first asked for, then those it is told of."""

    def __init__(self, tokens: Tokens, waits: Waits) -> None:
        self._tokens = tokens
        self._waits = waits
        self._arrivals: dict[tuple[str, int], Arrivals] = {}

    def _arrived(self, element: str, scope: int) -> Arrivals:
        """The tokens that rest at a join, but for those whose arrival or leaving failed."""
        failed = {wait.token for wait in self._waits.of_kind("incident") if wait.data[0] in ("activate", "leave")}
        resting = self._tokens.resting.values()
        here = [one for one in resting if one.element == element and one.scope == scope and one.id not in failed]
        arrivals: Arrivals = {token.flow: [] for token in here}
        for token in here:
            arrivals[token.flow].append(token.id)
        return arrivals

    def arrive(self, token: Token) -> Arrivals:
        """Count a token that has come to a join; gives what is there now."""
        arrivals = self.arrivals(token.element, token.scope)
        arrivals.setdefault(token.flow, []).append(token.id)
        return arrivals

    def arrivals(self, element: str, scope: int) -> Arrivals:
        """What has arrived at a join in a scope."""
        if (element, scope) not in self._arrivals:
            self._arrivals[element, scope] = self._arrived(element, scope)
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
