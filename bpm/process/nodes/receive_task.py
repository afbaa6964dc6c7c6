"""Receive task: waits for a message."""

from ..compiling.compilation import Compilation
from ..definition import Element
from ..run import Run
from ..state import Token
from .activity import Activity
from .catch_events import Awaiting
from .subscriptions import MessageSubscription


class ReceiveTask(Activity, Awaiting, element="receiveTask"):
    """Waits for its message (BPMN 2.0.2, 10.3.3.2); an object's members become variables unless it names one.

    The standard lets the message away; such a task waits for whoever answers the instance, as in Camunda 7.
    """

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.merges_result = not self.default_result
        self.subscription = MessageSubscription(element, compilation, is_named=False)
        if element.attributes.get("instantiate") == "true":
            compilation.problem(element, "a receive task can't start a process; use a message start event")

    def activate(self, run: Run, token: Token) -> None:
        """Arm the boundary events and wait."""
        self.arm_boundaries(run, token)
        self.arm(run, token)
        run.record(self.id, "activated", token)
        run.tokens.rest(token)
