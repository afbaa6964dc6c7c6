"""Event sub-process: begins when something happens in the scope it stands in (BPMN 2.0.2, 10.3.5 and 13.3.4)."""

from collections.abc import Mapping
from typing import Any

from ..compilation import Compilation
from ..definition import Element
from ..run import INTERRUPTED, Run
from ..state import Token
from .listening import ListeningEvent
from .sub_process import SubProcess


class EventSubProcess(SubProcess, element="eventSubProcess"):
    """Has no flows; its start event listens for as long as the scope around it runs."""

    is_event_triggered = True


class EventStart(
    ListeningEvent,
    element="eventStart",
    events=("message", "signal", "timer", "conditional", "error", "escalation", "compensate"),
):
    """The start event of an event sub-process; an interrupting one ends everything else in the scope."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation, element.attributes.get("isInterrupting", "true") != "false")
        self.sub_process = element.scope
        if self.repeats and self.interrupts:
            compilation.problem(element, "it interrupts, so it fires once; write a timeDuration or timeDate")

    def scope(self, run: Run, host: Token) -> int:
        """The scope that the host runs."""
        return run.inside(host)

    def start(self, run: Run, host: Token, written: Mapping[str, Any]) -> None:
        """Begin beside the rest of the scope, or in its place."""
        scope = run.inside(host)
        if self.interrupts:
            run.clear_scope(scope)
            for wait in run.waits_of(host):
                if run.nodes[wait.element] in run.event_starts(run.instance.scopes[scope]):
                    run.close(wait, "cancelled")
            run.note(scope, INTERRUPTED)
        run.write(scope, written)
        run.spawn(self.sub_process, scope)
