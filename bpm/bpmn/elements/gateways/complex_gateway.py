"""Complex gateway: goes on when enough tokens have come, and begins anew when no more can."""

from collections.abc import Mapping, Sequence

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import History
from bpm.bpmn.elements.gateways.inclusive_gateway import InclusiveGateway
from bpm.bpmn.elements.node import Node
from bpm.bpmn.run import Run, Way
from bpm.bpmn.state import Token
from bpm.bpmn.view import View
from bpm.expressions import EvaluationError

SPENT = "spent"
"""What is kept for a token that counts for the present turn already."""


class ComplexGateway(InclusiveGateway):
    """Waits until its activation condition holds for the flows by which tokens have come (BPMN 2.0.2, 13.4.5).

    Then one token of each of these flows is spent: they rest until the gateway is reset, when every other flow has a
    token, too, or can't get one any more. Flows without a condition are taken at the first moment; those with one are
    asked at both, where `waitingForStart` tells which it is.
    """

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.activation = compilation.loop_condition(element, element.condition)

    def attach(self, element: Element, nodes: Mapping[str, Node], compilation: Compilation) -> None:
        """See whether there is something to wait for."""
        super().attach(element, nodes, compilation)
        if self.waits and self.activation is None:
            compilation.problem(element, "it joins several flows without an activationCondition; write one")
        elif not self.waits and element.condition:
            compilation.problem(element, "its activationCondition decides nothing where one flow comes in; remove it")

    def activate(self, run: Run, token: Token) -> None:
        """Go on if enough have come; beyond that wait for what is left."""
        if not self.waits:
            run.leave(self, token)
            return
        arrived = [*self._arrived(run, token.scope), token]
        starts = self._starts(run, token.scope, arrived)
        run.record(self.id, "activated", token)
        run.tokens.rest(token)
        if starts:
            self._start(run, token.scope, arrived)

    def choose(self, view: View) -> Way:
        """The flows to take when enough tokens have come."""
        return super().choose(view.within({"waitingForStart": True}))

    def merge(self, run: Run, scope: int) -> bool:
        """Begin anew, unless more may come."""
        arrived = self._arrived(run, scope)
        filled = {token.flow for token in arrived}
        if not any(_is_spent(run, token) for token in arrived) or any(_is_halted(run, token) for token in arrived):
            return False
        if any(self._may_bring(token, filled) for token in run.tokens.each_in(scope)):
            return False
        try:
            self._reset(run, scope, arrived)
        except EvaluationError as error:
            run.fail(arrived[-1], str(error), "join")
        return True

    def _arrived(self, run: Run, scope: int) -> list[Token]:
        """The tokens that have come to it in a scope, in their order; not those that failed in doing so."""
        arrivals = run.joins.arrivals(self.key, scope)
        ids = [each for flow in arrivals if flow in self.incoming for each in arrivals[flow]]
        return [run.tokens.resting[each] for each in sorted(ids)]

    def _starts(self, run: Run, scope: int, arrived: Sequence[Token]) -> bool:
        if self.activation is None or any(_is_spent(run, token) for token in arrived):
            return False
        counts = {"activationCount": len({token.flow for token in arrived}), "waitingForStart": True}
        return bool(arrived) and self.activation.holds(run.variables.view(scope).within(counts))

    def _start(self, run: Run, scope: int, arrived: Sequence[Token]) -> None:
        """Spend the first token of each flow, and send a new one on."""
        for token in _firsts(arrived):
            run.tokens.beside[token.id] = {SPENT: True}
        run.leave(self, run.tokens.add(self.key, scope))

    def _reset(self, run: Run, scope: int, arrived: Sequence[Token]) -> None:
        """Use up what was spent and what has come late, and take the flows whose conditions hold now."""
        view = run.variables.view(scope).within({"waitingForStart": False})
        flows = [flow for condition, flow in self.conditions if condition is not None and condition.holds(view)]
        spent = [token for token in arrived if _is_spent(run, token)]
        flown = {token.flow for token in spent}
        late = _firsts([token for token in arrived if token.flow not in flown])
        last, *others = [*spent, *late]
        for token in others:
            run.waits.close_all(token)
            run.tokens.consume(token)
        run.waits.close_all(last)
        if flows:
            way = Way.along(*flows)
            run.effects.append(History(self.id, "completed", run.now, last.id, flows=way.ids))
            run.tokens.go(last, way)
        else:
            run.tokens.consume(last)
        self._start_anew(run, scope, self._arrived(run, scope))

    def _start_anew(self, run: Run, scope: int, left: Sequence[Token]) -> None:
        """Go on at once if enough are left; a condition that can't be evaluated fails the last of them."""
        try:
            if self._starts(run, scope, left):
                self._start(run, scope, left)
        except EvaluationError as error:
            run.fail(left[-1], str(error), "activate")


def _is_spent(run: Run, token: Token) -> bool:
    return SPENT in run.tokens.beside.get(token.id, ())


def _is_halted(run: Run, token: Token) -> bool:
    """Whether its reset failed and nobody has retried that."""
    return any(wait.kind == "incident" for wait in run.waits.of(token))


def _firsts(tokens: Sequence[Token]) -> list[Token]:
    """The first token of each flow."""
    firsts: dict[str | None, Token] = {}
    for token in tokens:
        firsts.setdefault(token.flow, token)
    return list(firsts.values())
