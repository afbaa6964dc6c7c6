"""What receive tasks and message events share: a name and a correlation key."""

from bpm.expressions import EvaluationError

from ..compilation import Compilation
from ..compiled import Evaluator
from ..definition import Element
from ..effects import OpenMessageWait
from ..run import Run
from ..state import Token
from ..view import View


class MessageSubscription:
    """The message an element waits for or throws, by name and by the value of its correlation key."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        references = [event.reference for event in element.events if event.kind == "message"]
        references.append(element.attributes.get("messageRef", ""))
        declaration = compilation.declaration(next(filter(None, references), ""))
        self.name = element.extensions.message or (declaration.name if declaration else "")
        key = element.extensions.correlation_key or (declaration.correlation_key if declaration else "")
        self.key: Evaluator | None = compilation.value(element, "its correlation key", key) if key else None
        if not self.name:
            compilation.problem(element, "it names no message; set messageRef to a <message> with a name")

    def evaluate_key(self, view: View) -> str | None:
        """The key's value as text, None without one; raises EvaluationError unless it is a text or a number."""
        if self.key is None:
            return None
        value = self.key(view)
        if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
            raise EvaluationError(
                f"the correlation key of message '{self.name}' must be a text or number, not {value!r}"
            )
        return str(value)

    def open(self, run: Run, element_id: str, token: Token) -> None:
        """Wait for the message."""
        key = self.evaluate_key(run.view(token.scope))
        wait_id = run.open("message", element_id, token)
        run.effects.append(OpenMessageWait(wait_id, element_id, self.name, key))
