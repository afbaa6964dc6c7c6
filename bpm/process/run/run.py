"""One `advance` at work: a changeable copy of the instance, the tokens under way and the effects so far.

A `Run` moves tokens and keeps the books; what an element means is the nodes' business. It knows them only as
`Behavior`.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from bpm.expressions import EvaluationError

from ..effects import NOTHING, CloseWait, Completed, Effect, Event, History, Incident, Thrown
from ..state import PROCESS, ROOT, Done, Instance, Scope, Status, Token, Wait
from ..view import View
from .behavior import Behavior, Catcher, Model

MACHINE_WORK = frozenset({"command", "script"})


class Run:
    """The workspace of one trigger. Nodes call its methods; `finish` settles the status."""

    __slots__ = (
        "_arrivals",
        "_emptied",
        "_queue",
        "_scopes",
        "_views",
        "_waits",
        "_written",
        "changed",
        "effects",
        "instance",
        "model",
        "nodes",
        "now",
        "steps",
    )

    def __init__(self, model: "Model[Run]", instance: Instance, now: datetime, max_steps: int) -> None:
        self.model = model
        self.nodes = model.nodes
        self.instance = instance.copy()
        self.now = now
        self.steps = max_steps
        self.effects: list[Effect] = []
        self.changed = False
        self._queue: deque[Token] = deque()
        self._emptied: list[int] = []
        self._written: set[int] = set()
        self._views: dict[int, View] = {}
        self._waits: dict[int, list[int]] | None = None
        self._scopes: dict[int, list[int]] | None = None
        self._arrivals: dict[tuple[str, int], dict[str | None, list[int]]] | None = None

    # Moving

    def proceed(self) -> None:
        """Move tokens until every one of them rests or is gone."""
        while True:
            self._move()
            if self._emptied:
                self._complete_scope(self._emptied.pop())
            elif not (self.changed and self._fire_condition()) and not (self.model.joins and self._merge()):
                return

    def _move(self) -> None:
        queue, nodes = self._queue, self.nodes
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

    def leave(self, node: "Behavior[Run]", token: Token, values: Mapping[str, Any] = NOTHING) -> None:
        """Move a token on along the node's flows; without any it is consumed."""
        way = node.always
        if way is None:
            try:
                way = node.choose(self.view(token.scope))
            except EvaluationError as error:
                self.fail(token, str(error), "leave")
                return
        self.effects.append(History(node.id, node.leaves_as, self.now, token.id, values, way.ids))
        if way.target is None:
            self.consume(token)
            return
        self.instance.tokens.pop(token.id, None)
        self._queue.append(Token(token.id, way.target, token.scope, way.ids[0] if way.ids else None))
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

    def empty(self, scope: int) -> None:
        """Look again at a scope that has no tokens, whose end could not be evaluated."""
        self._emptied.append(scope)

    # Joins

    def arrivals(self, element: str, scope: int) -> dict[str | None, list[int]]:
        """The tokens that rest at a join in a scope, by the flow they came by."""
        if self._arrivals is None:
            self._arrivals = {}
            waits = self.instance.waits.values()
            not_arrived = {wait.token for wait in waits if wait.kind == "incident" and wait.data[0] == "activate"}
            for other in self.instance.tokens.values():
                if self.nodes[other.element].is_join and other.id not in not_arrived:
                    self._arrived_at(self._arrivals, other.element, other.scope)[other.flow].append(other.id)
        return self._arrived_at(self._arrivals, element, scope)

    @staticmethod
    def _arrived_at(
        arrivals: dict[tuple[str, int], dict[str | None, list[int]]], element: str, scope: int
    ) -> dict[str | None, list[int]]:
        return arrivals.setdefault((element, scope), defaultdict(list))

    def join(self, arrivals: dict[str | None, list[int]], last: int) -> Token:
        """Use up one token of each flow that has one, but for the `last`: it goes on."""
        for flow in list(arrivals):
            joined = self.instance.tokens[arrivals[flow].pop(0)]
            if not arrivals[flow]:
                del arrivals[flow]
            self.close_all(joined)
            if joined.id != last:
                self.consume(joined)
        return self.instance.tokens[last]

    def _merge(self) -> bool:
        """Let one inclusive join go on that has waited long enough."""
        waiting = {(token.element, token.scope): None for token in self.instance.tokens.values()}
        return any(self.nodes[element].merge(self, scope) for element, scope in waiting if element in self.model.joins)

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
            self.changed = True
        for name, value in values.items():
            home = scope
            while home != ROOT and name not in self.instance.variables[home]:
                home = self.instance.scopes[home].parent or ROOT
            self._own(home)[name] = value

    def write_locally(self, scope: int, values: Mapping[str, Any]) -> None:
        """Set variables of a scope itself."""
        self._views.clear()
        self.changed = True
        self._own(scope).update(values)

    def _own(self, scope: int) -> dict[str, Any]:
        """A scope's variables, copied before they are written for the first time."""
        if scope not in self._written:
            self._written.add(scope)
            self.instance.variables[scope] = self.instance.variables[scope].copy()
        return self.instance.variables[scope]

    def open_scope(self, host: Token, variables: dict[str, Any], parent: int | None = None, note: Any = None) -> int:
        """Open a scope that belongs to a resting token, in its own scope or in the one given."""
        scope = self.next_id()
        self.instance.scopes[scope] = Scope(host.element, host.id, host.scope if parent is None else parent, note)
        self.instance.active[scope] = 0
        self.instance.variables[scope] = variables
        self._written.add(scope)
        if self._scopes is not None:
            self._scopes.setdefault(host.id, []).append(scope)
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

    def close_scope(self, scope: int) -> tuple[Done, ...]:
        """Forget a scope that has no tokens any more; gives what could have been compensated in it."""
        record = self.instance.scopes[scope]
        if self._scopes is not None and record.token is not None:
            self._scopes[record.token].remove(scope)
        for part in (self.instance.scopes, self.instance.active, self.instance.variables):
            del part[scope]
        self._views.pop(scope, None)
        return self.instance.done.pop(scope, ())

    def scopes_of(self, host: Token) -> tuple[int, ...]:
        """The scopes that were opened for a resting token, oldest first."""
        if self._scopes is None:
            self._scopes = {}
            for key, scope in self.instance.scopes.items():
                if scope.token is not None:
                    self._scopes.setdefault(scope.token, []).append(key)
        return tuple(self._scopes.get(host.id, ()))

    def inside(self, host: Token) -> int:
        """The scope of the process, or of the sub-process that a token rests on."""
        return ROOT if host is PROCESS else self.scopes_of(host)[0]

    def note(self, scope: int, note: Any) -> None:
        """Keep something about a scope."""
        self.instance.scopes[scope] = self.instance.scopes[scope]._replace(note=note)

    def host_of(self, scope: int) -> Token:
        """The token that a scope was opened for; `PROCESS` for that of the process."""
        host = self.instance.scopes[scope].token
        return PROCESS if host is None else self.instance.tokens[host]

    def note_done(self, scope: int, *done: Done) -> None:
        """Keep what could be compensated in a scope."""
        if done:
            self.instance.done[scope] = (*self.instance.done.get(scope, ()), *done)

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
        self.effects.append(CloseWait(wait.id, wait.element, reason, wait.kind))

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

    def token_of(self, wait: Wait) -> Token:
        """The token that waits; `PROCESS` where the process itself listens."""
        return self.instance.tokens[wait.token] if wait.token else PROCESS

    def answerer(self, wait: Wait) -> "Behavior[Run]":
        """The node that answers a wait: the one its token rests on, or an event that listens beside it."""
        if wait.token:
            node = self.nodes[self.instance.tokens[wait.token].element]
            if node.id == wait.element:
                return node
        return self.nodes[wait.element]

    def _fire_condition(self) -> bool:
        """Let the first conditional event go on whose condition has become true since variables were written."""
        for wait in [wait for wait in self.instance.waits.values() if wait.kind == "condition"]:
            try:
                holds = self.answerer(wait).holds(self, wait)
                if holds and not wait.data:
                    self.steps -= 1
                    self.answerer(wait).complete(self, self.token_of(wait), wait, None, NOTHING)
                    return True
            except EvaluationError as error:
                self.fail_wait(wait, str(error), "condition")
                continue
            if holds is not wait.data:
                self.replace(wait._replace(data=holds))
        self.changed = False
        return False

    # Errors, escalations and incidents

    def throw(
        self, kind: Literal["error", "escalation", "cancel"], token: Token, code: str | None, message: str
    ) -> bool:
        """Hand something thrown at a token to what catches it, here or in the calling instance.

        Tells whether it ended what the token was doing; it is for the thrower to go on if it did not.
        """
        found = self._find_catcher(kind, token, code)
        if found is not None:
            catcher, host = found
            catcher.catch(self, host, code, message)
            return catcher.interrupts
        if kind == "cancel" or self.instance.caller is None or not self.instance.caller.catches(kind, code):
            return False
        self.effects.append(Thrown(kind, code, message))
        if kind == "error":
            self.end(Status.CANCELLED)
        return kind == "error"

    def catches(self, kind: str, token: Token, code: str | None) -> bool:
        """Whether something catches what a token throws."""
        caller = self.instance.caller
        return self._find_catcher(kind, token, code) is not None or bool(caller and caller.catches(kind, code))

    def _find_catcher(self, kind: str, token: Token, code: str | None) -> "tuple[Catcher[Run], Token] | None":
        for catchers, host in self._around(token):
            best = max(catchers, key=lambda catcher: catcher.precision(kind, code), default=None)
            if best is not None and best.precision(kind, code):
                return best, host
        return None

    def codes(self, kind: str, token: Token) -> list[str | None]:
        """Every code of this kind that is caught around a token, null for any."""
        caller = self.instance.caller
        outside = caller.codes(kind) if caller else ()
        caught = [code for catchers, _ in self._around(token) for one in catchers for code in one.codes(kind)]
        return list(dict.fromkeys([*caught, *outside]))

    def _around(self, token: Token) -> Iterable["tuple[Sequence[Catcher[Run]], Token]"]:
        """What may catch, from the inside out: boundary events, then event sub-processes, of each level."""
        while token is not PROCESS:
            yield self.nodes[token.element].catchers, token
            scope = self.instance.scopes[token.scope]
            host = self.host_of(token.scope)
            if scope.note != INTERRUPTED:
                yield self.event_starts(scope), host
            token = host

    def event_starts(self, scope: Scope) -> "Sequence[Catcher[Run]]":
        """What starts the event sub-processes of a scope."""
        return self.model.event_starts if scope.element is None else self.nodes[scope.element].event_starts

    def fail(self, token: Token, message: str, phase: str, *data: Any, code: str | None = None) -> None:
        """Let a token rest as an incident; `phase` and `data` say how it goes on when retried."""
        self.rest(token)
        element = self.nodes[token.element].id
        wait_id = self.open("incident", element, token, [phase, *data])
        self._report(token.id, wait_id, element, message, code)

    def fail_wait(self, wait: Wait, message: str, phase: str, *data: Any, code: str | None = None) -> None:
        """Turn an open wait into an incident."""
        self.replace(wait._replace(kind="incident", data=[phase, *data]))
        self._report(wait.token, wait.id, wait.element, message, code)

    def _report(self, token: int, wait_id: int, element: str, message: str, code: str | None) -> None:
        values = {"message": message} if code is None else {"message": message, "code": code}
        self.effects.append(History(element, "failed", self.now, token, values))
        self.effects.append(Incident(wait_id, element, message, code))

    def _undo(self, token: Token, mark: int) -> None:
        """Take back what an activation did before it failed: its effects, and the waits and scopes it opened."""
        del self.effects[mark:]
        for scope in self.scopes_of(token):
            self.close_scope(scope)
        for wait in self.waits_of(token):
            del self.instance.waits[wait.id]

    # Ending

    def end(self, status: Status) -> None:
        """End the instance at once, whatever its tokens do."""
        self.clear_scope(ROOT)
        self.close_all(PROCESS)
        self.instance.status = status

    def _complete_scope(self, scope: int) -> None:
        instance = self.instance
        if instance.active.get(scope) != 0 or instance.status.is_final:
            return
        if scope == ROOT:
            self.close_all(PROCESS)
            instance.status = Status.COMPLETED
            self.effects.append(Completed(instance.variables[ROOT]))
            return
        host = self.host_of(scope)
        try:
            self.nodes[host.element].emptied(self, host, scope)
        except EvaluationError as error:
            self.fail(host, str(error), "emptied", scope)

    def finish(self) -> Instance:
        """Settle status and version, and give the new instance."""
        instance = self.instance
        if not instance.status.is_final:
            if instance.tokens and not any(wait.token for wait in instance.waits.values()):
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


INTERRUPTED = "interrupted"
"""The note of a scope whose event sub-process has taken over."""
