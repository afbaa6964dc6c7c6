"""Boundary events: timer and message, interrupting or not, and error."""

from collections.abc import Mapping
from typing import Any

from ..compilation import Compilation
from ..definition import Element
from ..effects import OpenTimer
from ..run import NOTHING, Run
from ..state import Token, Wait
from ..timers import next_time
from .activity import BoundaryEvent
from .message import MessageSubscription


class TimerBoundaryEvent(BoundaryEvent, element="boundaryEvent", event="timer"):
    """After a duration, at a date, or again and again."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.timer = compilation.timer(element, element.events[0])
        if self.timer.timing == "cycle" and self.interrupts:
            compilation.problem(element, "it interrupts, so it fires once; write a timeDuration or timeDate")

    def arm(self, run: Run, token: Token) -> None:
        """Set the timer."""
        self._open(run, token, *self.timer.schedule(run.view(token.scope)))

    def _open(self, run: Run, token: Token, due: Any, data: Any) -> None:
        run.effects.append(OpenTimer(run.open("timer", self.id, token, data), self.id, due))

    def complete(self, run: Run, token: Token, wait: Wait | None, result: Any, values: Mapping[str, Any]) -> None:
        """Fire, and set a cycle's next time."""
        if wait is None:
            return
        again = next_time(wait.data, run.now) if wait.data else None
        run.close(wait)
        if again:
            self._open(run, token, *again)
        self.fire(run, token, NOTHING)


class MessageBoundaryEvent(BoundaryEvent, element="boundaryEvent", event="message"):
    """At a message; one that does not interrupt goes on listening."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.merges_result = not self.default_result
        self.message = MessageSubscription(element, compilation)

    def arm(self, run: Run, token: Token) -> None:
        """Wait for the message."""
        self.message.open(run, self.id, token)

    def complete(self, run: Run, token: Token, wait: Wait | None, result: Any, values: Mapping[str, Any]) -> None:
        """Fire with the message's values."""
        written = self.results(run.view(token.scope), result, values)
        if wait:
            run.close(wait)
        if not self.interrupts:
            self.arm(run, token)
        self.fire(run, token, written)


class ErrorBoundaryEvent(BoundaryEvent, element="boundaryEvent", event="error"):
    """At an error of its code, or at any when it names none; always interrupts (BPMN 2.0.2, 10.5.6).

    The error goes to the result variable, by default `lastError`, as `{"code", "message"}`.
    """

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        extensions, event = element.extensions, element.events[0]
        declaration = compilation.declaration(event.reference)
        self.code = (declaration.code or declaration.name) if declaration else ""
        self.default_result = "lastError"
        self.merges_result = False
        self.code_variable = extensions.error_code_variable
        self.message_variable = extensions.error_message_variable
        if not self.interrupts:
            compilation.problem(element, 'an error boundary event always interrupts; remove cancelActivity="false"')

    def catches(self, code: str | None) -> bool | None:
        """Exactly its own code, or any."""
        if not self.code:
            return False
        return True if self.code == code else None

    def catch(self, run: Run, token: Token, code: str | None, message: str) -> None:
        """Fire with what is known of the error; `token` is the activity's."""
        named = {self.code_variable: code, self.message_variable: message}
        values = {name: value for name, value in named.items() if name}
        error = {"code": code, "message": message}
        self.fire(run, token, self.results(run.view(token.scope), error, values))
