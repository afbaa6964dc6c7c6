"""Intermediate catch events: the token waits for a message or a timer."""

from ..compilation import Compilation
from ..definition import Element
from ..effects import OpenTimer
from ..run import Run
from ..state import Token
from .message import MessageSubscription
from .node import Node
from .results import ResultNode


class TimerCatchEvent(Node, element="intermediateCatchEvent", event="timer"):
    """Waits for a duration or until a date."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.timer = compilation.timer(element, element.events[0])
        if self.timer.timing == "cycle":
            compilation.problem(element, "a timer in the flow fires once; write a timeDuration or timeDate")

    def activate(self, run: Run, token: Token) -> None:
        """Set the timer."""
        due, _ = self.timer.schedule(run.view(token.scope))
        run.effects.append(OpenTimer(run.open("timer", self.id, token), self.id, due))
        run.record(self.id, "activated", token, {"due": due.isoformat()})
        run.rest(token)


class MessageCatchEvent(ResultNode, element="intermediateCatchEvent", event="message"):
    """Waits for a message, as a receive task does."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.merges_result = not self.default_result
        self.message = MessageSubscription(element, compilation)

    def activate(self, run: Run, token: Token) -> None:
        """Wait."""
        self.message.open(run, self.id, token)
        run.record(self.id, "activated", token)
        run.rest(token)
