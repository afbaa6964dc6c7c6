"""End events: none, message, error and terminate."""

from typing import Any

from ..compilation import Compilation
from ..definition import Element
from ..effects import EmitMessage
from ..run import Run
from ..state import Token
from .message import MessageSubscription
from .node import Node


class EndEvent(Node, element="endEvent"):
    """Uses up the token."""


class MessageEndEvent(Node, element="endEvent", event="message"):
    """Publishes a message, then uses up the token; without a payload of its own the message is empty."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        extensions = element.extensions
        self.message = MessageSubscription(element, compilation)
        self.body = compilation.value(element, "its payload", extensions.body or {})
        self.inputs = compilation.mapping(element, "its payload", extensions.inputs)
        if extensions.command:
            compilation.problem(element, "it sends a command; use a service task before the end")

    def activate(self, run: Run, token: Token) -> None:
        """Publish the message and end."""
        view = run.view(token.scope)
        payload: dict[str, Any] = {**self.body(view), **(self.inputs.evaluate(view) if self.inputs else {})}
        run.effects.append(EmitMessage(self.id, self.message.name, self.message.evaluate_key(view), payload))
        run.leave(self, token)


class TerminateEndEvent(Node, element="endEvent", event="terminate"):
    """Ends its whole process or sub-process at once, other tokens included (BPMN 2.0.2, 13.5.6)."""

    def activate(self, run: Run, token: Token) -> None:
        """Remove every other token of the scope, then this one."""
        run.clear_scope(token.scope)
        run.instance.active[token.scope] = 1
        run.leave(self, token)


class ErrorEndEvent(Node, element="endEvent", event="error"):
    """Throws an error to the boundary events of the sub-processes around it; uncaught, it is an incident."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        declaration = compilation.declaration(element.events[0].reference)
        self.code = (declaration.code or declaration.name) if declaration else ""
        if not self.code:
            compilation.problem(element, "it names no error; set errorRef to an <error> with an errorCode")

    def activate(self, run: Run, token: Token) -> None:
        """Throw the error."""
        caught = run.find_catcher(run.host_of(token.scope), self.code)
        if caught is None:
            message = f"error '{self.code}' was thrown and no error boundary event catches it"
            run.fail(token, message, "activate", code=self.code)
            return
        catcher, host = caught
        run.record(self.id, "completed", token)
        catcher.catch(run, host, self.code, f"error '{self.code}' at '{self.name or self.id}'")
