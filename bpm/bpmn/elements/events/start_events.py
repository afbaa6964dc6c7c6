"""Start events of processes and sub-processes."""

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.elements.node import Node
from bpm.bpmn.elements.results import ResultNode
from bpm.bpmn.elements.subscriptions import MessageSubscription


class StartEvent(ResultNode, element="startEvent"):
    """Where a process or sub-process begins when it is started directly."""


class MessageStartEvent(ResultNode, element="startEvent", events=("message",)):
    """Begins a new instance for each message of its name; its output mapping sees the message's variables."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        name = MessageSubscription(element, compilation).name
        self.message = compilation.fixed(element, "its message's name", name)


class SignalStartEvent(ResultNode, element="startEvent", events=("signal",)):
    """Begins a new instance whenever its signal is broadcast."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.signal = compilation.fixed(element, "its signal's name", compilation.signal_name(element))


class TimerStartEvent(Node, element="startEvent", events=("timer",)):
    """Begins a new instance at a time, or again and again; nobody's variables are there to compute it from."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.timer = compilation.timer(element, element.events[0])
