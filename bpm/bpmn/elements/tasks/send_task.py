"""Send task, and the events that throw a message."""

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import NOTHING, EmitMessage
from bpm.bpmn.elements.subscriptions import MessageSubscription
from bpm.bpmn.elements.tasks.service_task import CommandTask
from bpm.bpmn.run import Run
from bpm.bpmn.state import Token


class SendTask(CommandTask):
    """Sends its command, or else publishes its message for others to correlate (BPMN 2.0.2, 10.3.3.2).

    The payload is what its parameters give; without any the message is empty.
    """

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.message = None if self.command else MessageSubscription(element, compilation)

    @property
    def stored_shape(self) -> tuple[object, ...]:
        """Whether it asks for work at all."""
        return (bool(self.command),)

    def activate(self, run: Run, token: Token) -> None:
        """Send."""
        if self.message is None:
            super().activate(run, token)
            return
        view, inputs = run.variables.view(token.scope), self.enter(run, token)
        payload = self.parameters(view, inputs)
        name, key = self.message.evaluate_name(view), self.message.evaluate_key(view)
        run.effects.append(EmitMessage(self.id, name, key, payload))
        if self.outputs:
            self.complete(run, token, None, {}, NOTHING)
        else:
            self.leave(run, token)


class MessageThrowEvent(SendTask):
    """Sends and goes on (BPMN 2.0.2, 10.5.4)."""


class MessageEndEvent(SendTask):
    """Sends, then uses up the token."""
