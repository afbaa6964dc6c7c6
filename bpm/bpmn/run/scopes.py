"""The scopes of a run: the process, and each sub-process, turn or compensation handler that is running in it."""

from typing import Any

from bpm.bpmn.state import ITEMS, OUTPUTS, PROCESS, ROOT, Done, Instance, Scope, Token

INTERRUPTED = "interrupted"
"""The note of a scope whose event sub-process has taken over, and of a transaction that is being cancelled."""


AD_HOC = "adHoc"
"""Begins the note of a scope in which somebody chooses what is done, and is the kind of the wait for that."""


class Scopes:
    """Opens and closes scopes, and knows which of them belong to a resting token: their host."""

    __slots__ = ("_by_host", "_instance")

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._by_host: dict[int, dict[int, None]] | None = None

    def __getitem__(self, scope: int) -> Scope:
        return self._instance.scopes[scope]

    def open(self, host: Token, variables: dict[str, Any], parent: int | None = None, note: Any = None) -> int:
        """Open a scope that belongs to a resting token, inside the token's own scope or the one given."""
        instance = self._instance
        scope = instance.next_id()
        instance.scopes[scope] = Scope(host.element, host.id, host.scope if parent is None else parent, note)
        instance.active[scope] = 0
        instance.variables[scope] = variables
        if self._by_host is not None:
            self._by_host.setdefault(host.id, {})[scope] = None
        return scope

    def close(self, scope: int) -> tuple[Done, ...]:
        """Forget a scope that has no tokens any more; gives what could have been compensated in it."""
        instance = self._instance
        host = instance.scopes[scope].token
        if self._by_host is not None and host is not None:
            del self._by_host[host][scope]
        for part in (instance.scopes, instance.active, instance.variables):
            del part[scope]
        for kind in (ITEMS, OUTPUTS):
            instance.kept.pop((kind, scope), None)
        return self.take_done(scope)

    def of(self, host: Token) -> tuple[int, ...]:
        """The scopes at hand that were opened for a resting token, oldest first."""
        return tuple(self._opened_for(host))

    def first(self, host: Token) -> int:
        """The oldest scope that was opened for a resting token."""
        return next(iter(self._opened_for(host)))

    def _opened_for(self, host: Token) -> dict[int, None]:
        if self._by_host is None:
            self._by_host = {}
            for key, scope in self._instance.scopes.items():
                if scope.token is not None:
                    self._by_host.setdefault(scope.token, {})[key] = None
        return self._by_host.get(host.id, {})

    def forget_index(self) -> None:
        """Scopes were added by somebody else."""
        self._by_host = None

    def inside(self, host: Token) -> int:
        """The scope of the process, or of the sub-process that a token rests on."""
        return ROOT if host is PROCESS else self.first(host)

    def host(self, scope: int) -> Token:
        """The token that a scope was opened for; `PROCESS` for that of the process."""
        host = self._instance.scopes[scope].token
        return PROCESS if host is None else self._instance.tokens[host]

    def is_ad_hoc(self, scope: int) -> bool:
        """Whether a scope is open in which somebody chooses what is done."""
        record = self._instance.scopes.get(scope)
        return record is not None and isinstance(record.note, list) and record.note[:1] == [AD_HOC]

    def note(self, scope: int, note: Any) -> None:
        """Keep something about a scope, in place of what was kept before."""
        self._instance.scopes[scope] = self._instance.scopes[scope]._replace(note=note)

    def add_done(self, scope: int, *done: Done) -> None:
        """Keep what can be compensated in a scope from now on."""
        if done:
            self._instance.done[scope] = (*self._instance.done.get(scope, ()), *done)

    def take_done(self, scope: int) -> tuple[Done, ...]:
        """What could be compensated in a scope, and can't any more."""
        return self._instance.done.pop(scope, ())
