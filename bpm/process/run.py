"""One `advance` at work: a changeable copy of the instance, the tokens under way and the effects so far.

A `Run` moves tokens and keeps the books; what an element means is the nodes' business. It knows them only as
`Behavior`.
"""

from collections import defaultdict, deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from bpm.expressions import EvaluationError

from .effects import NOTHING, CloseWait, Completed, Effect, Event, History, Incident
from .state import ROOT, Instance, Scope, Status, Token, Wait
from .view import View

MACHINE_WORK = frozenset({"command", "script"})


class Flow(NamedTuple):
    """A sequence flow, and the element it leads to."""

    id: str
    target: str


class Way(NamedTuple):
    """Where a token goes from an element: on to `target`, with a new token on each of the `others`."""

    ids: tuple[str, ...]
    target: str | None
    others: tuple[Flow, ...]

    @classmethod
    def along(cls, *flows: Flow) -> "Way":
        """The way along some flows; along none the token is used up."""
        return cls(tuple([flow.id for flow in flows]), flows[0].target if flows else None, flows[1:])


class Behavior(Protocol):
    """An element as a run sees it. Any of its methods may raise EvaluationError before it changes anything."""

    id: str
    always: Way | None
    is_join: ClassVar[bool]

    def activate(self, run: "Run", token: Token) -> None:
        """A token has arrived."""
        ...

    def terminate(self, run: "Run", token: Token) -> None:
        """The resting token is about to be removed: close what was opened for it."""
        ...

    def choose(self, view: View) -> Way:
        """The flows to take when they are not `always` the same."""
        ...

    def complete(self, run: "Run", token: Token, wait: Wait | None, result: Any, values: Mapping[str, Any]) -> None:
        """What the token waited for has come; a sub-process waits for its scope to become empty."""
        ...

    def skip(self, run: "Run", token: Token, wait: Wait, values: Mapping[str, Any]) -> None:
        """Give up an incident and go on behind it."""
        ...

    def retry(self, run: "Run", token: Token, wait: Wait) -> None:
        """Ask for a failed task again under the next attempt of its wait."""
        ...

    def catcher(self, code: str | None) -> "Catcher | None":
        """The boundary event that catches an error of this code inside the element."""
        ...


class Catcher(Protocol):
    """An error boundary event as a run sees it."""

    def catch(self, run: "Run", token: Token, code: str | None, message: str) -> None:
        """Take the error; `token` rests on the activity."""
        ...


class Run:
    """The workspace of one trigger. Nodes call its methods; `finish` settles the status."""

    __slots__ = (
        "_arrivals",
        "_emptied",
        "_queue",
        "_views",
        "_waits",
        "_written",
        "effects",
        "instance",
        "nodes",
        "now",
        "steps",
    )

    def __init__(self, nodes: Mapping[str, Behavior], instance: Instance, now: datetime, max_steps: int) -> None:
        self.nodes = nodes
        self.instance = instance.copy()
        self.now = now
        self.steps = max_steps
        self.effects: list[Effect] = []
        self._queue: deque[Token] = deque()
        self._emptied: list[int] = []
        self._written: set[int] = set()
        self._views: dict[int, View] = {}
        self._waits: dict[int, list[int]] | None = None
        self._arrivals: dict[tuple[str, int], dict[str | None, list[int]]] | None = None

    # Moving

    def proceed(self) -> None:
        """Move tokens until every one of them rests or is gone."""
        queue, nodes = self._queue, self.nodes
        while True:
            while queue:
                token = queue.popleft()
                self.steps -= 1
                if self.steps < 0:
                    self.fail(token, "too many steps for one trigger: the process goes round in circles", "activate")
                    continue
                mark = len(self.effects)
                try:
                    nodes[token.element].activate(self, token)
                except EvaluationError as error:
                    self._undo(token, mark)
                    self.fail(token, str(error), "activate")
            if not self._emptied:
                return
            self._complete_scope(self._emptied.pop())

    def leave(self, node: Behavior, token: Token, values: Mapping[str, Any] = NOTHING) -> None:
        """Move a token on along the node's flows; without any it is consumed."""
        way = node.always
        if way is None:
            try:
                way = node.choose(self.view(token.scope))
            except EvaluationError as error:
                self.fail(token, str(error), "leave")
                return
        self.effects.append(History(node.id, "completed", self.now, token.id, values, way.ids))
        if way.target is None:
            self.consume(token)
            return
        self.instance.tokens.pop(token.id, None)
        self._queue.append(Token(token.id, way.target, token.scope, way.ids[0]))
        for flow in way.others:
            self.spawn(flow.target, token.scope, flow.id)

    def spawn(self, element: str, scope: int, flow: str | None = None) -> None:
        """Put a new token on its way to an element."""
        self.instance.active[scope] += 1
        self._queue.append(Token(self.next_id(), element, scope, flow))

    def rest(self, token: Token) -> None:
        """Let a token stay where it is until a trigger or another token moves it."""
        self.instance.tokens[token.id] = token

    def again(self, token: Token) -> None:
        """Activate the element of a resting token once more."""
        del self.instance.tokens[token.id]
        self._queue.append(token)

    def consume(self, token: Token) -> None:
        """Remove a token; its scope completes when it was the last."""
        self.instance.tokens.pop(token.id, None)
        active = self.instance.active
        active[token.scope] -= 1
        if not active[token.scope]:
            self._emptied.append(token.scope)

    def arrivals(self, token: Token) -> dict[str | None, list[int]]:
        """The tokens that rest at this token's join in its scope, by the flow they came by."""
        if self._arrivals is None:
            self._arrivals = {}
            waits = self.instance.waits.values()
            not_arrived = {wait.token for wait in waits if wait.kind == "incident" and wait.data[0] == "activate"}
            for other in self.instance.tokens.values():
                if self.nodes[other.element].is_join and other.id not in not_arrived:
                    self._arrived_at(self._arrivals, other)[other.flow].append(other.id)
        return self._arrived_at(self._arrivals, token)

    @staticmethod
    def _arrived_at(
        arrivals: dict[tuple[str, int], dict[str | None, list[int]]], token: Token
    ) -> dict[str | None, list[int]]:
        return arrivals.setdefault((token.element, token.scope), defaultdict(list))

    # Scopes and variables

    def view(self, scope: int) -> View:
        """The variables that can be seen in a scope."""
        view = self._views.get(scope)
        if view is None:
            view = self._views[scope] = View(self._visible(scope), self.now)
        return view

    def _visible(self, scope: int) -> Mapping[str, Any]:
        inner, parent = self.instance.variables[scope], self.instance.scopes[scope].parent
        return inner if parent is None else {**self._visible(parent), **inner}

    def write(self, scope: int, values: Mapping[str, Any]) -> None:
        """Set variables: each in the nearest scope that has it, a new one in the process."""
        if values:
            self._views.clear()
        for name, value in values.items():
            home = scope
            while home != ROOT and name not in self.instance.variables[home]:
                home = self.instance.scopes[home].parent or ROOT
            self._own(home)[name] = value

    def _own(self, scope: int) -> dict[str, Any]:
        """A scope's variables, copied before they are written for the first time."""
        if scope not in self._written:
            self._written.add(scope)
            self.instance.variables[scope] = self.instance.variables[scope].copy()
        return self.instance.variables[scope]

    def open_scope(self, host: Token, variables: dict[str, Any]) -> int:
        """Open a scope for a sub-process on which `host` rests."""
        scope = self.next_id()
        self.instance.scopes[scope] = Scope(host.element, host.id, host.scope)
        self.instance.active[scope] = 0
        self.instance.variables[scope] = variables
        self._written.add(scope)
        return scope

    def clear_scope(self, scope: int) -> None:
        """Terminate every token in a scope, nested scopes included; the scope itself stays, empty."""
        others = [token for token in self._queue if token.scope != scope]
        self._queue.clear()
        self._queue.extend(others)
        for token in [token for token in self.instance.tokens.values() if token.scope == scope]:
            self.nodes[token.element].terminate(self, token)
            self.instance.tokens.pop(token.id, None)
        self.instance.active[scope] = 0
        self._arrivals = None

    def close_scope(self, scope: int) -> None:
        """Forget a scope that has no tokens any more."""
        for part in (self.instance.scopes, self.instance.active, self.instance.variables):
            del part[scope]
        self._views.pop(scope, None)

    def scopes_of(self, host: Token) -> list[int]:
        """The scopes that were opened for a resting token."""
        return [key for key, scope in self.instance.scopes.items() if scope.token == host.id]

    # Waits

    def open(self, kind: str, element: str, token: Token, data: Any = None) -> int:
        """Open a wait that `element` answers for a token; returns its id."""
        wait = Wait(self.next_id(), kind, element, token.id, 1, data)
        self.instance.waits[wait.id] = wait
        if self._waits is not None:
            self._waits.setdefault(token.id, []).append(wait.id)
        return wait.id

    def replace(self, wait: Wait) -> None:
        """Put a changed wait in the place of the one with its id."""
        self.instance.waits[wait.id] = wait

    def close(self, wait: Wait, reason: Literal["answered", "cancelled"] = "answered") -> None:
        """Close one wait."""
        del self.instance.waits[wait.id]
        self.effects.append(CloseWait(wait.id, wait.element, reason))

    def close_all(self, token: Token, answered: Wait | None = None) -> None:
        """Close every wait of a token; all but the answered one are cancelled."""
        for wait in self.waits_of(token):
            self.close(wait, "answered" if answered and wait.id == answered.id else "cancelled")

    def waits_of(self, token: Token) -> list[Wait]:
        """The open waits of a token, oldest first."""
        waits = self.instance.waits
        if self._waits is None:
            self._waits = {}
            for wait in waits.values():
                self._waits.setdefault(wait.token, []).append(wait.id)
        return [waits[wait_id] for wait_id in self._waits.get(token.id, ()) if wait_id in waits]

    # Errors and incidents

    def find_catcher(self, token: Token | None, code: str | None) -> tuple["Catcher", Token] | None:
        """The boundary event that catches an error at a resting token, on its element or one around it.

        It comes with the token on its own activity.
        """
        while token is not None:
            if catcher := self.nodes[token.element].catcher(code):
                return catcher, token
            token = self.host_of(token.scope)
        return None

    def host_of(self, scope: int) -> Token | None:
        """The token that rests on the sub-process a scope was opened for."""
        host = self.instance.scopes[scope].token
        return None if host is None else self.instance.tokens[host]

    def fail(self, token: Token, message: str, phase: str, *data: Any, code: str | None = None) -> None:
        """Let a token rest as an incident; `phase` and `data` say how it goes on when retried."""
        self.rest(token)
        wait_id = self.open("incident", token.element, token, [phase, *data])
        self._report(token, wait_id, token.element, message, code)

    def fail_wait(self, wait: Wait, message: str, phase: str, *data: Any, code: str | None = None) -> None:
        """Turn an open wait into an incident."""
        self.replace(wait._replace(kind="incident", data=[phase, *data]))
        self._report(self.instance.tokens[wait.token], wait.id, wait.element, message, code)

    def _report(self, token: Token, wait_id: int, element: str, message: str, code: str | None) -> None:
        values = {"message": message} if code is None else {"message": message, "code": code}
        self.effects.append(History(element, "failed", self.now, token.id, values))
        self.effects.append(Incident(wait_id, element, message, code))

    def _undo(self, token: Token, mark: int) -> None:
        """Take back what an activation did before it failed: its effects and the waits it opened."""
        del self.effects[mark:]
        for wait in self.waits_of(token):
            del self.instance.waits[wait.id]

    # Ending

    def _complete_scope(self, scope: int) -> None:
        instance = self.instance
        if instance.active.get(scope) != 0 or instance.status.is_final:
            return
        host = self.host_of(scope)
        if host is None:
            instance.status = Status.COMPLETED
            self.effects.append(Completed(instance.variables[ROOT]))
            return
        try:
            self.nodes[host.element].complete(self, host, None, None, NOTHING)
        except EvaluationError as error:
            self.fail(host, str(error), "complete", None, {})

    def finish(self) -> Instance:
        """Settle status and version, and give the new instance."""
        instance = self.instance
        if not instance.status.is_final:
            if instance.tokens and not instance.waits:
                self._report_deadlock()
            instance.status = self._status()
        instance.version += 1
        return instance

    def _status(self) -> Status:
        kinds = {wait.kind for wait in self.instance.waits.values()}
        if "incident" in kinds:
            return Status.ERROR
        return Status.RUNNING if kinds & MACHINE_WORK else Status.WAITING

    def _report_deadlock(self) -> None:
        """Tokens rest at joins alone, and nothing is left that could bring the missing ones."""
        token = next(token for token in self.instance.tokens.values() if self.nodes[token.element].is_join)
        self.fail(token, "it waits for a token on another incoming flow, and none can come any more", "join")

    def next_id(self) -> int:
        """A new id, unique in the instance."""
        self.instance.counter += 1
        return self.instance.counter

    def record(self, element: str, event: Event, token: Token, values: Mapping[str, Any] = NOTHING) -> None:
        """Add a history record."""
        self.effects.append(History(element, event, self.now, token.id, values))
