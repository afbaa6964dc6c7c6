"""Start events."""

from ..compilation import Compilation
from ..definition import Element
from .message import MessageSubscription
from .node import Node


class StartEvent(Node, element="startEvent"):
    """Where a process or sub-process begins when it is started directly."""

    message = ""


class MessageStartEvent(Node, element="startEvent", event="message"):
    """Begins a new instance for each message of its name."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.message = MessageSubscription(element, compilation).name
