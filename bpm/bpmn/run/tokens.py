"""The tokens of a run: those on their way, those that rest, and the scopes that lost their last one."""

from collections import deque
from collections.abc import Iterator, Mapping, Set

from bpm.bpmn.run.flows import Way
from bpm.bpmn.state import Arrivals, Instance, Token

FEW = 3
"""What belongs to so many is found by looking through all that there is; for more an index is worth its cost."""


class Tokens:
    """Moves tokens and counts them: each scope knows how many it has, whether they rest or are on their way.

    `moving` are on their way to the element they name, the first one first; `resting` are by id. `emptied` are
    scopes whose last token is gone. With a token that leaves or ends goes what its activity kept for its outputs.
    `beside` is what scripts and listeners beside an element keep, by the token's id. `joins` are the elements at
    which tokens wait for one another: which have arrived there is found once, and then kept as tokens come and go.
    """

    __slots__ = (
        "_active",
        "_asked",
        "_instance",
        "_joins",
        "_locals",
        "_rested_in",
        "beside",
        "emptied",
        "moving",
        "resting",
    )

    def __init__(self, instance: Instance, joins: Set[str]) -> None:
        self._instance = instance
        self._joins = joins
        self._active = instance.active
        self._locals = instance.locals
        self.beside = instance.beside
        self.resting = instance.tokens
        self._rested_in: dict[int, dict[int, None]] | None = None
        self._asked = 0
        self.moving: deque[Token] = deque()
        self.emptied: list[int] = []

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.resting) + len(self.moving) + self._instance.absent.tokens

    def spawn(self, element: str, scope: int, flow: str | None = None) -> None:
        """Put a new token on its way to an element."""
        self._active[scope] += 1
        self.moving.append(Token(self._instance.next_id(), element, scope, flow))

    def add(self, element: str, scope: int) -> Token:
        """A new token that is at an element."""
        self._active[scope] += 1
        return Token(self._instance.next_id(), element, scope)

    def rest(self, token: Token) -> None:
        """Let a token stay where it is until a trigger or another token moves it."""
        arrived = self._instance.arrived
        if arrived is not None and token.id not in self.resting:
            self._note_arrival(arrived, token)
        self.resting[token.id] = token
        if self._rested_in is not None:
            self._rested_in.setdefault(token.scope, {})[token.id] = None

    def go(self, token: Token, way: Way) -> None:
        """Move a token on; where the way ends it is consumed."""
        if way.target is None:
            self.consume(token)
            return
        self.forget(token)
        self.moving.append(Token(token.id, way.target, token.scope, way.ids[0] if way.ids else None))
        for flow in way.others:
            self.spawn(flow.target, token.scope, flow.id)

    def again(self, token: Token) -> None:
        """Let a resting token arrive at its element once more."""
        self._rest_no_longer(token)
        self.moving.append(token)

    def hand_over(self, token: Token, key: str) -> None:
        """Let a token arrive at another node of its element; what is kept for it stays."""
        self._rest_no_longer(token)
        self.moving.append(token._replace(element=key))

    def consume(self, token: Token) -> None:
        """Remove a token; its scope is emptied when it was the last, or looked at because it has a note."""
        self.forget(token)
        self._active[token.scope] -= 1
        if not self._active[token.scope] or self._instance.scopes[token.scope].note is not None:
            self.emptied.append(token.scope)

    def forget(self, token: Token) -> None:
        """Let a token rest no longer, wherever it goes from here."""
        self._rest_no_longer(token)
        self._locals.pop(token.id, None)
        self.beside.pop(token.id, None)

    def _rest_no_longer(self, token: Token) -> None:
        rested = self.resting.pop(token.id, None)
        arrived = self._instance.arrived
        if rested is None or arrived is None or rested.element not in self._joins:
            return
        join = rested.element, rested.scope
        ids = tuple([each for each in arrived[join][rested.flow] if each != rested.id])
        if ids:
            arrived[join][rested.flow] = ids
            return
        del arrived[join][rested.flow]
        if not arrived[join]:
            del arrived[join]

    def at_joins(self) -> Mapping[tuple[str, int], Arrivals]:
        """Which tokens rest at joins, by the join and the scope."""
        if self._instance.arrived is None:
            self._instance.arrived = {}
            for token in self.resting.values():
                self._note_arrival(self._instance.arrived, token)
        return self._instance.arrived

    def _note_arrival(self, arrived: dict[tuple[str, int], Arrivals], token: Token) -> None:
        if token.element in self._joins:
            flows = arrived.setdefault((token.element, token.scope), {})
            flows[token.flow] = (*flows.get(token.flow, ()), token.id)

    def each_in(self, scope: int) -> Iterator[Token]:
        """The tokens that rest in a scope itself, for one who looks until it has found what it seeks."""
        if self._rested_in is not None:
            return iter(self.resting_in(scope))
        return (token for token in self.resting.values() if token.scope == scope)

    def resting_in(self, scope: int) -> list[Token]:
        """The tokens that rest in a scope itself, oldest first; an index is made when more are asked for."""
        if self._rested_in is None and self._asked < FEW:
            self._asked += 1
            return sorted([token for token in self.resting.values() if token.scope == scope])
        if self._rested_in is None:
            self._rested_in = {}
            for token in self.resting.values():
                self._rested_in.setdefault(token.scope, {})[token.id] = None
        return [self.resting[each] for each in sorted(self._rested_in.get(scope, ())) if each in self.resting]

    def lacks_some(self, scope: int) -> bool:
        """Whether tokens of a scope may not be at hand."""
        return self._instance.absent.tokens > 0 and len(self.resting_in(scope)) < self._active[scope]

    def forget_index(self) -> None:
        """Tokens were added by somebody else."""
        self._rested_in = None

    def stop(self, *scopes: int) -> None:
        """Remove the tokens of some scopes that are on their way."""
        gone = frozenset(scopes)
        others = [token for token in self.moving if token.scope not in gone]
        if len(others) < len(self.moving):
            self.moving.clear()
            self.moving.extend(others)

    def count(self, scope: int, number: int) -> None:
        """Set how many tokens a scope has."""
        self._active[scope] = number

    def is_empty(self, scope: int) -> bool:
        """Whether a scope is open and has no token."""
        return self._active.get(scope) == 0
