"""Receive task: waits for a message."""

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.elements.activity import Activity
from bpm.bpmn.elements.events.catch_events import Awaiting
from bpm.bpmn.elements.subscriptions import MessageSubscription
from bpm.bpmn.run import Run
from bpm.bpmn.state import Token


class ReceiveTask(Activity, Awaiting):
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
        self.enter(run, token)
        self.arm(run, token)
        run.record(self.id, "activated", token)
        run.tokens.rest(token)
