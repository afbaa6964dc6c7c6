"""Intermediate throw events, and the end events that throw the same: none, signal, escalation."""

from typing import Any, ClassVar

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import EmitSignal
from bpm.bpmn.elements.node import Node
from bpm.bpmn.run import Run
from bpm.bpmn.run.error_propagation import throw
from bpm.bpmn.state import Token


class ThrowEvent(Node):
    """Marks a place in the flow; the token passes."""


class SignalThrowEvent(Node):
    """Broadcasts a signal; its input mapping is the payload."""

    reads_inputs: ClassVar[bool] = True

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.signal = compilation.signal(element)
        self.body = compilation.value(element, "its payload", element.extensions.body or {})
        self.inputs = compilation.mapping(element, "its payload", element.extensions.inputs)

    def activate(self, run: Run, token: Token) -> None:
        """Broadcast and go on."""
        view = run.variables.view(token.scope)
        payload: dict[str, Any] = {**self.body(view), **(self.inputs.evaluate(view) if self.inputs else {})}
        run.effects.append(EmitSignal(self.id, self.signal(view), payload))
        self.leave(run, token)


class SignalEndEvent(SignalThrowEvent):
    """Broadcasts a signal, then uses up the token."""


class EscalationThrowEvent(Node):
    """Tells what catches the escalation around it, and goes on unless that ends it (BPMN 2.0.2, 10.5.6)."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.code = compilation.thrown_code(element)

    def activate(self, run: Run, token: Token) -> None:
        """Escalate; nobody has to catch it."""
        mark = len(run.effects)
        if throw(run, "escalation", token, self.code or None, self.name or self.id):
            run.record(self.id, "completed", token)
            run.effects.insert(mark, run.effects.pop())
        else:
            self.leave(run, token)


class EscalationEndEvent(EscalationThrowEvent):
    """Escalates, then uses up the token."""
