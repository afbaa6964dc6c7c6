"""The waits of a run: what resting tokens wait for, and what listens beside them."""

from typing import Any, Literal

from bpm.bpmn.effects import CloseWait, Effect
from bpm.bpmn.run.tokens import FEW
from bpm.bpmn.state import PROCESS, Instance, Status, Token, Wait, element_of

INCIDENT = "incident"


class Waits:
    """Opens and closes waits; whoever opens one says by an effect of its own what is waited for."""

    __slots__ = ("_asked", "_by_token", "_effects", "_has_incidents", "_instance", "_open")

    def __init__(self, instance: Instance, effects: list[Effect]) -> None:
        self._instance = instance
        self._open = instance.waits
        self._effects = effects
        self._by_token: dict[int, list[int]] | None = None
        self._asked = 0
        self._has_incidents = instance.status is Status.ERROR

    def open(self, kind: str, element: str, token: Token, data: Any = None) -> int:
        """Open a wait that `element` answers for a token; returns its id."""
        wait = Wait(self._instance.next_id(), kind, element, token.id, 1, data)
        self._open[wait.id] = wait
        self._has_incidents = self._has_incidents or kind == INCIDENT
        if self._by_token is not None:
            self._by_token.setdefault(token.id, []).append(wait.id)
        return wait.id

    def replace(self, wait: Wait) -> None:
        """Put a changed wait in the place of the one with its id."""
        self._open[wait.id] = wait
        self._has_incidents = self._has_incidents or wait.kind == INCIDENT

    def close(self, wait: Wait, reason: Literal["answered", "cancelled"] = "answered") -> None:
        """Close one wait."""
        del self._open[wait.id]
        self._effects.append(CloseWait(wait.id, element_of(wait.element), reason, wait.kind))

    def close_all(self, token: Token, answered: Wait | None = None) -> None:
        """Close every wait of a token; all but the answered one are cancelled."""
        for wait in self.of(token):
            self.close(wait, "answered" if answered and wait.id == answered.id else "cancelled")

    def forget(self, token: Token) -> None:
        """Take back every wait of a token, as if it had never been opened."""
        for wait in self.of(token):
            del self._open[wait.id]

    def of(self, token: Token) -> list[Wait]:
        """The open waits of a token, oldest first; those of all are put in order when more are asked for."""
        if self._by_token is None and self._asked < FEW:
            self._asked += 1
            return [wait for wait in self._open.values() if wait.token == token.id]
        if self._by_token is None:
            self._by_token = {}
            for wait in self._open.values():
                self._by_token.setdefault(wait.token, []).append(wait.id)
        return [self._open[wait_id] for wait_id in self._by_token.get(token.id, ()) if wait_id in self._open]

    def forget_index(self) -> None:
        """Waits were added by somebody else."""
        self._by_token = None

    def of_kind(self, kind: str) -> list[Wait]:
        """The open waits of a kind, oldest first."""
        return [wait for wait in self._open.values() if wait.kind == kind]

    def failed(self, *phases: str) -> frozenset[int]:
        """The ids of the tokens that rest as incidents of some phases."""
        incidents = self.of_kind(INCIDENT) if self._has_incidents else ()
        return frozenset([wait.token for wait in incidents if wait.data[0] in phases])

    def token(self, wait: Wait) -> Token:
        """The token that waits; `PROCESS` where the process itself listens."""
        return self._instance.tokens[wait.token] if wait.token else PROCESS
