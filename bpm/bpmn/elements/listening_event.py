"""Events that listen while something else runs: boundary events and the starts of event sub-processes."""

from collections.abc import Mapping, Sequence
from typing import Any

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.elements.results import ResultNode
from bpm.bpmn.elements.subscriptions import KINDS, MessageSubscription, Subscription, subscribe, waits_for_others
from bpm.bpmn.run import Run
from bpm.bpmn.state import Token, Wait

CODED = ("error", "escalation")
"""The kinds that are thrown at somebody and caught on the way out, instead of waited for."""


class ListeningEvent(ResultNode):
    """Starts a path of its own when something happens to the `host`, a token that rests on an activity.

    As a node it merely passes the new token on; its waits belong to the host. What an error brings goes to the
    result variable, by default `lastError`, as `{"code", "message"}`. All events of an element that have to happen
    `together` are known to each of them.
    """

    def __init__(self, element: Element, compilation: Compilation, interrupts: bool) -> None:
        super().__init__(element, compilation)
        self.interrupts = interrupts
        self.together: Sequence[ListeningEvent] = ()
        self.kind = element.events[0].kind
        self.subscription: Subscription | None = None
        if self.kind in KINDS:
            self.subscription = subscribe(element, compilation)
        self.merges_result = isinstance(self.subscription, MessageSubscription) or self.kind == "signal"
        if self.default_result:
            self.merges_result = False
        self.merges_beside = self.merges_result and element.extensions.keeps_answer
        self.code = compilation.caught_code(element) if self.kind in CODED else ""
        self.code_variable = element.extensions.error_code_variable
        self.message_variable = element.extensions.error_message_variable
        if self.kind == "error":
            self.default_result = "lastError"
        if self.kind == "error" and not interrupts:
            compilation.problem(element, "an error event always interrupts; let it do so")

    @property
    def stored_shape(self) -> tuple[object, ...]:
        """What it listens for."""
        return (self.kind, len(self.together))

    @property
    def begins(self) -> str:
        """See `Catcher.begins`."""
        return ""

    def scope(self, run: Run, host: Token) -> int:
        """The scope whose variables it sees and in which its path begins."""
        return host.scope

    def start(self, run: Run, host: Token, written: Mapping[str, Any]) -> None:
        """Write what it brought and begin the path."""
        raise NotImplementedError

    def activate(self, run: Run, token: Token) -> None:
        """Pass the new token on; what it brought is written already."""
        self.leave(run, token)

    def arm(self, run: Run, host: Token) -> None:
        """Begin to wait."""
        if self.subscription:
            self.subscription.open(run, self.wait_key, host, self.scope(run, host))

    def holds(self, run: Run, wait: Wait) -> bool:
        """Whether its condition holds."""
        return self.subscription is not None and self.subscription.holds(
            run.variables.view(self.scope(run, run.waits.token(wait)))
        )

    def complete(self, run: Run, token: Token, wait: Wait | None, result: Any, values: Mapping[str, Any]) -> None:
        """It has happened; one that does not interrupt goes on waiting."""
        written = self.results(run.variables.view(self.scope(run, token)), result, values)
        run.variables.check(written)
        self._happened(run, token, wait, written)

    def _happened(self, run: Run, host: Token, wait: Wait | None, written: Mapping[str, Any]) -> None:
        if wait and self.together and waits_for_others(run, host, wait):
            run.waits.close(wait)
            run.variables.write(self.scope(run, host), written)
            run.record(self.id, "happened", host, written)
            return
        if wait and not self.interrupts:
            self._listen_on(run, host, wait)
        if wait:
            run.waits.close(wait)
        self.start(run, host, written)

    def _listen_on(self, run: Run, host: Token, wait: Wait) -> None:
        """Go on waiting; all events of an element together do unless one of them, a timer, is over."""
        if self.subscription and not self.together:
            self.subscription.renew(run, wait, self.wait_key, host, self.scope(run, host))
        elif not any(each.kind == "timer" for each in self.together):
            for each in self.together:
                each.arm(run, host)

    def precision(self, kind: str, code: str | None) -> int:
        """See `Catcher.precision`."""
        if kind != self.kind:
            return 0
        return 1 if not self.code else 2 if self.code == code else 0

    def codes(self, kind: str) -> Sequence[str | None]:
        """See `Catcher.codes`."""
        return [self.code or None] if kind == self.kind else []

    def catch(self, run: Run, host: Token, code: str | None, message: str) -> None:
        """Take what was thrown."""
        named = {self.code_variable: code, self.message_variable: message}
        values = {name: value for name, value in named.items() if name}
        thrown = {"code": code, "message": message} if self.kind == "error" else None
        self.start(run, host, self.results(run.variables.view(self.scope(run, host)), thrown, values))

    def skip(self, run: Run, token: Token, wait: Wait, values: Mapping[str, Any]) -> None:
        """Begin the path with these values instead of the ones that could not be mapped."""
        if token.element == self.key:
            super().skip(run, token, wait, values)
        else:
            self._happened(run, token, wait, values)
