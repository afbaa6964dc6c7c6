"""Start events of processes and sub-processes."""

from typing import ClassVar

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.compilation.form_fields import FormFields
from bpm.bpmn.definition import Element
from bpm.bpmn.elements.node import Node
from bpm.bpmn.elements.process_index import ProcessIndex
from bpm.bpmn.elements.results import ResultNode
from bpm.bpmn.elements.subscriptions import MessageSubscription


class Start(Node):
    """What all start events share.

    `trigger` says in words what begins it; two start events of a scope may not have the same. Empty: any number may.
    `has_form`: somebody is asked who begins an instance there.
    """

    trigger = ""
    has_form: ClassVar[bool] = False

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.fields = FormFields(element, compilation) if element.extensions.form_fields else None
        if self.fields and not (self.has_form and element.scope == compilation.process.id):
            compilation.contradiction(element, "nobody gives its form's fields; only who starts a process is asked")


class StartEvent(Start, ResultNode):
    """Where a process or sub-process begins when it is started directly."""

    trigger = "without a trigger"
    has_form: ClassVar[bool] = True

    def contribute(self, parts: ProcessIndex) -> None:
        """A direct start begins here."""
        parts.starts[None] = self.id
        parts.start_fields = self.fields


class MessageStartEvent(StartEvent):
    """Begins a new instance for each message of its name; its output mapping sees the message's variables."""

    has_form: ClassVar[bool] = False

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        name = MessageSubscription(element, compilation).name
        self.message = compilation.fixed(element, "its message's name", name)
        self.trigger = f"for message '{self.message}'" if self.message else StartEvent.trigger

    def contribute(self, parts: ProcessIndex) -> None:
        """Its message begins here."""
        parts.starts[self.message] = self.id


class SignalStartEvent(StartEvent):
    """Begins a new instance whenever its signal is broadcast."""

    has_form: ClassVar[bool] = False

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.signal = compilation.fixed(element, "its signal's name", compilation.signal_name(element))
        self.trigger = f"for signal '{self.signal}'"

    def contribute(self, parts: ProcessIndex) -> None:
        """Its signal begins here."""
        parts.start_signals[self.signal] = self.id


class ConditionalStartEvent(Start):
    """Begins a new instance when somebody asks and its condition holds for the variables that are given."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.condition = compilation.event_condition(element)

    def contribute(self, parts: ProcessIndex) -> None:
        """Its condition begins here."""
        if self.condition is not None:
            parts.start_conditions[self.id] = self.condition


class TimerStartEvent(Start):
    """Begins a new instance at a time, or again and again; nobody's variables are there to compute it from."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.timer = compilation.timer(element, element.events[0])

    def contribute(self, parts: ProcessIndex) -> None:
        """Its time begins here."""
        parts.start_timers[self.id] = self.timer
