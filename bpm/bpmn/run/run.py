"""The workspace of one trigger: the nouns of a running instance side by side, and what concerns several of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bpm.bpmn.effects import NOTHING, Effect, Event, History, Incident
from bpm.bpmn.json_size import json_size
from bpm.bpmn.limits import Limits
from bpm.bpmn.run.behavior import Behavior, Model
from bpm.bpmn.run.joins import Joins
from bpm.bpmn.run.loop_values import LoopValues
from bpm.bpmn.run.scopes import Scopes
from bpm.bpmn.run.step_budget import LimitExceeded, StepBudget, WorkBudget
from bpm.bpmn.run.tokens import Tokens
from bpm.bpmn.run.variables import Variables
from bpm.bpmn.run.waits import Waits
from bpm.bpmn.state import PROCESS, ROOT, Instance, Status, Token, Wait, element_of
from bpm.expressions import EvaluationError

MAX_SENTENCE = 2_000
"""Maximum length of the reason for an incident, which is kept in three places."""


class Run:
    """A changeable copy of an instance, by its nouns, and the effects so far; elements work on it.

    `nodes` are the elements by key, `pace` counts how many of them may still be activated. `halted_by` is the
    incident that keeps the tokens from moving, 0 if none does.
    """

    __slots__ = (
        "effects",
        "halted_by",
        "instance",
        "joins",
        "kept",
        "model",
        "nodes",
        "now",
        "scopes",
        "steps",
        "tokens",
        "variables",
        "waits",
    )

    def __init__(
        self, model: "Model[Run]", instance: Instance, now: datetime, limits: Limits, budget: WorkBudget | None
    ) -> None:
        self.model = model
        self.nodes = model.nodes
        self.now = now
        self.halted_by = 0
        self.effects: list[Effect] = []
        self.instance = instance.copy()
        self.steps = StepBudget(self.instance, limits, budget)
        self.tokens = Tokens(self.instance, model.joins)
        self.scopes = Scopes(self.instance)
        self.variables = Variables(self.instance, now, self.steps)
        self.waits = Waits(self.instance, self.effects)
        self.kept = LoopValues(self.instance)
        self.joins = Joins(self.tokens, self.waits)

    def leave(self, node: "Behavior[Run]", token: Token, values: Mapping[str, Any] = NOTHING) -> None:
        """Move a token on along the node's flows; `values` are the variables that were written."""
        try:
            way = node.always or node.choose(self.variables.view(token.scope))
        except EvaluationError as error:
            self.fail(token, str(error), "leave")
            return
        self.effects.append(History(node.id, node.leaves_as, self.now, token.id, values, way.ids))
        self.tokens.go(token, way)
        if way.others and (problem := self._too_many_tokens(0)):
            self.steps.halt(problem)

    def check_tokens(self, number: int) -> None:
        """Raise OverLimit if so many further tokens would be too many."""
        if problem := self._too_many_tokens(number):
            raise LimitExceeded(problem)

    def _too_many_tokens(self, number: int) -> str:
        total, most = self.tokens.total + number, self.steps.limits.max_tokens
        return f"it would have {total} tokens, more than {most} (BPM_PROCESSES__MAX_TOKENS)" if total > most else ""

    def record(self, element: str, event: Event, token: Token, values: Mapping[str, Any] = NOTHING) -> None:
        """Add a history record; its values are kept, so they count even where they do not become variables."""
        if values:
            self.steps.write(json_size(values))
        self.effects.append(History(element, event, self.now, token.id, values))

    def answerer(self, wait: Wait) -> "Behavior[Run]":
        """The node that answers a wait: the one its token rests on, or an event that listens beside it."""
        if wait.token:
            node = self.nodes[self.tokens.resting[wait.token].element]
            if node.id == wait.element:
                return node
        return self.nodes[wait.element]

    def fail(self, token: Token, message: str, phase: str, *data: Any, code: str | None = None) -> None:
        """Let a token rest as an incident; `phase` and `data` say how it goes on when retried."""
        self.tokens.rest(token)
        element = self.nodes[token.element].id
        wait_id = self.waits.open("incident", element, token, [phase, *data])
        self.report(token.id, wait_id, element, message, code)

    def fail_wait(self, wait: Wait, message: str, phase: str, *data: Any, code: str | None = None) -> None:
        """Turn an open wait into an incident."""
        self.waits.replace(wait._replace(kind="incident", data=[phase, *data]))
        self.report(wait.token, wait.id, wait.element, message, code)

    def report(self, token: int, wait_id: int, element: str, message: str, code: str | None = None) -> None:
        """Say that an incident was opened; a sentence may name a value that is very large."""
        message = message if len(message) <= MAX_SENTENCE else f"{message[:MAX_SENTENCE]} …"
        values = {"message": message} if code is None else {"message": message, "code": code}
        element = element_of(element)
        self.effects.append(History(element, "failed", self.now, token, values))
        self.effects.append(Incident(wait_id, element, message, code))

    def gather(self, body: int | None = None) -> None:
        """Bring in the turns and branches of a scope, or all there are: something concerns every one of them."""
        instance = self.instance
        if instance.part_loader is None or not instance.absent.tokens:
            return
        for turn in instance.part_loader.turns(body):
            instance.absorb(turn)
        instance.put_in_order()
        for index in (self.tokens, self.scopes, self.waits):
            index.forget_index()

    def gather_lacking(self, scope: int) -> None:
        """Bring in the tokens of a scope that are not at hand, if there are any."""
        if self.tokens.lacks_some(scope):
            self.gather(scope)

    def clear(self, scope: int) -> None:
        """Terminate every token in a scope, nested scopes included; the scope itself stays, empty."""
        if self.tokens.moving:
            self.tokens.stop(scope)
        self.gather_lacking(scope)
        for token in self.tokens.resting_in(scope):
            self.nodes[token.element].terminate(self, token)
            self.tokens.forget(token)
        self.tokens.count(scope, 0)

    def close_scopes(self, *scopes: int) -> None:
        """Terminate every token in some scopes, and close them."""
        self.tokens.stop(*scopes)
        for scope in scopes:
            self.clear(scope)
            self.scopes.close(scope)

    def clear_around(self, token: Token) -> None:
        """Terminate every other token of a token's scope, while it is at its element."""
        self.clear(token.scope)
        self.tokens.count(token.scope, 1)

    def empty(self) -> None:
        """Terminate every token of the instance, which completes it."""
        self.gather()
        self.tokens.moving.clear()
        self.clear(ROOT)
        self.tokens.emptied = [ROOT]

    def end(self, status: Status) -> None:
        """End the instance at once, whatever its tokens do."""
        self.tokens.moving.clear()
        self.clear(ROOT)
        self.waits.close_all(PROCESS)
        self.instance.status = status
