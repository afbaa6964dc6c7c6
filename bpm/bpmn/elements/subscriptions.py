"""What an event can wait for, wherever it stands: a message, a signal, a timer or a condition.

A subscription opens its wait for a token with the variables of a scope; `renew` opens it again for an event that
does not interrupt and has just happened.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.compilation.values import Evaluator
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import NOTHING, OpenMessageWait, OpenSignalWait, OpenTimer
from bpm.bpmn.run import Run
from bpm.bpmn.run.conditions import watch
from bpm.bpmn.state import Token, Wait, element_of
from bpm.bpmn.timers import next_time
from bpm.bpmn.view import View
from bpm.expressions import EvaluationError
from bpm.model_files.names import MAX_KEY, MAX_NAME, is_name, key_text
from bpm.shown import shown

_NAMELESS = "it names no message; set messageRef to a <message> with a name, or name its message flow"

KINDS = ("message", "signal", "timer", "conditional")
"""The kinds of event definition that a subscription can be made for."""


class Subscription(Protocol):
    """How to wait for one kind of event."""

    def open(self, run: Run, wait_key: str, token: Token, scope: int) -> Mapping[str, Any]:
        """Open the wait that the node of this key answers; gives what the history shows of it."""
        ...

    def renew(self, run: Run, wait: Wait, wait_key: str, token: Token, scope: int) -> None:
        """Open the wait once more behind the one that was answered, if it may happen again."""
        ...

    def holds(self, view: View) -> bool:
        """Whether what it waits for is so already; only conditions can be."""
        ...


def subscribe(element: Element, compilation: Compilation) -> Subscription:
    """The subscription for the event definition of an element."""
    return _SUBSCRIPTIONS[element.events[0].kind if element.events else "message"](element, compilation)


class MessageSubscription:
    """A message by name, which may be an expression, and by the value of its correlation key.

    One that need not be named waits for an answer to the instance itself.
    """

    def __init__(self, element: Element, compilation: Compilation, *, is_named: bool = True) -> None:
        references = [event.reference for event in element.events if event.kind == "message"]
        references.append(element.attributes.get("messageRef", ""))
        reference = next(filter(None, references), "")
        declared, declared_key = compilation.message(element, reference)
        extensions = element.extensions
        self.name = extensions.message or declared
        self.key_source = key = extensions.correlation_key or declared_key
        self.key: Evaluator | None = compilation.value(element, "its correlation key", key) if key else None
        if reference and self.name != declared:
            compilation.contradiction(
                element, f"it waits for '{self.name}', but its messageRef names '{declared}'; leave one"
            )
        if key != (declared_key or key):
            compilation.contradiction(
                element, "its correlation key is not that of the message it refers to; leave one of them"
            )
        self.name_value = compilation.value(element, "its message's name", self.name)
        if is_named and not self.name:
            compilation.problem(element, _NAMELESS)

    def evaluate_name(self, view: View) -> str:
        """The message's name; raises EvaluationError unless it is a text."""
        name = self.name_value(view)
        if not isinstance(name, str) or (self.name and not name) or len(name) > MAX_NAME or "\0" in name:
            raise EvaluationError(
                f"the name of its message must be a text of at most {MAX_NAME} characters, not {shown(name, 300)}"
            )
        return name

    def evaluate_key(self, view: View) -> str | None:
        """The key's value as text, None without one; raises EvaluationError unless it is a text or a number."""
        if self.key is None:
            return None
        value = self.key(view)
        text = key_text(value)
        if text is None or not is_name(text, MAX_KEY):
            raise EvaluationError(
                f"the correlation key of message '{self.name}' must be a text or number of at most {MAX_KEY}"
                f" characters, not {shown(value, 500)}"
            )
        return text

    def open(self, run: Run, wait_key: str, token: Token, scope: int) -> Mapping[str, Any]:
        """Wait for the message."""
        view = run.variables.view(scope)
        name, key = self.evaluate_name(view), self.evaluate_key(view)
        run.effects.append(OpenMessageWait(run.waits.open("message", wait_key, token), element_of(wait_key), name, key))
        return NOTHING

    def renew(self, run: Run, wait: Wait, wait_key: str, token: Token, scope: int) -> None:
        """Go on listening."""
        self.open(run, wait_key, token, scope)

    def holds(self, view: View) -> bool:
        """A message is never there before it comes."""
        return False


class SignalSubscription:
    """A signal by name, which may be an expression."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        self.name = compilation.signal(element)

    def open(self, run: Run, wait_key: str, token: Token, scope: int) -> Mapping[str, Any]:
        """Listen for the signal."""
        name = self.name(run.variables.view(scope))
        run.effects.append(OpenSignalWait(run.waits.open("signal", wait_key, token), element_of(wait_key), name))
        return NOTHING

    def renew(self, run: Run, wait: Wait, wait_key: str, token: Token, scope: int) -> None:
        """Go on listening."""
        self.open(run, wait_key, token, scope)

    def holds(self, view: View) -> bool:
        """A signal is never there before it comes."""
        return False


class TimerSubscription:
    """A duration, a date or a cycle."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        self.timer = compilation.timer(element, element.events[0])

    def open(self, run: Run, wait_key: str, token: Token, scope: int) -> Mapping[str, Any]:
        """Set the timer."""
        due, data = self.timer.schedule(run.variables.view(scope))
        run.effects.append(OpenTimer(run.waits.open("timer", wait_key, token, data), element_of(wait_key), due))
        return {"due": due.isoformat()}

    def renew(self, run: Run, wait: Wait, wait_key: str, token: Token, scope: int) -> None:
        """Set a cycle's next time."""
        again = next_time(wait.data, run.now) if wait.data else None
        if again:
            due, data = again
            run.effects.append(OpenTimer(run.waits.open("timer", wait_key, token, data), element_of(wait_key), due))

    def holds(self, view: View) -> bool:
        """The clock is not asked in between."""
        return False


class ConditionSubscription:
    """A condition over the variables, asked whenever some were written (BPMN 2.0.2, 10.5.5).

    It happens when the condition becomes true, which may be so from the start. A wait's data is what it was last.
    """

    def __init__(self, element: Element, compilation: Compilation) -> None:
        self.condition = compilation.event_condition(element)

    def open(self, run: Run, wait_key: str, token: Token, scope: int) -> Mapping[str, Any]:
        """Watch the condition."""
        watch(run, wait_key, token, was=False)
        return NOTHING

    def renew(self, run: Run, wait: Wait, wait_key: str, token: Token, scope: int) -> None:
        """Go on watching: it happens again after it was false in between."""
        watch(run, wait_key, token, was=True)

    def holds(self, view: View) -> bool:
        """Whether the condition holds."""
        return self.condition is not None and self.condition.holds(view)


_SUBSCRIPTIONS = {
    "message": MessageSubscription,
    "signal": SignalSubscription,
    "timer": TimerSubscription,
    "conditional": ConditionSubscription,
}


def waits_for_others(run: Run, token: Token, wait: Wait) -> bool:
    """Whether other events of the same element have still to happen for a token."""
    element = element_of(wait.element)
    return any(each.id != wait.id and element_of(each.element) == element for each in run.waits.of(token))
