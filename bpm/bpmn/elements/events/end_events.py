"""End events: none, terminate, error and cancel; the others throw as intermediate events do."""

from typing import ClassVar

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.elements.node import Node
from bpm.bpmn.elements.process_index import ProcessIndex
from bpm.bpmn.run import Run
from bpm.bpmn.run.error_propagation import is_caught, throw
from bpm.bpmn.state import ROOT, Token


class EndEvent(Node):
    """Uses up the token."""


class TerminateEndEvent(Node):
    """Ends its whole process or sub-process at once, other tokens included (BPMN 2.0.2, 13.5.6).

    With Flowable's `terminateAll` it ends the instance from wherever it stands.
    """

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.ends_all = element.extensions.terminates_all

    def contribute(self, parts: ProcessIndex) -> None:
        """A process that would end those that call it can't be called."""
        super().contribute(parts)
        if self.ends_all:
            parts.ends_callers.append(self.id)

    def activate(self, run: Run, token: Token) -> None:
        """Remove every other token of the scope, then this one."""
        if self.ends_all and token.scope != ROOT:
            run.record(self.id, "completed", token)
            run.empty()
            return
        run.clear_around(token)
        run.leave(self, token)


class ErrorEndEvent(Node):
    """Throws an error to what catches it around it; uncaught, it is an incident (BPMN 2.0.2, 10.5.6)."""

    is_left: ClassVar[bool] = False

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.code = compilation.thrown_code(element)
        if not self.code:
            compilation.problem(element, "it names no error; set errorRef to an <error> with an errorCode")

    def activate(self, run: Run, token: Token) -> None:
        """Throw the error."""
        if not is_caught(run, "error", token, self.code):
            message = f"error '{self.code}' was thrown and no error boundary event catches it"
            run.fail(token, message, "activate", code=self.code)
            return
        run.record(self.id, "completed", token)
        throw(run, "error", token, self.code, f"error '{self.code}' at '{self.name or self.id}'")
