"""Event sub-process: begins when something happens in the scope it stands in (BPMN 2.0.2, 10.3.5 and 13.3.4)."""

from collections.abc import Mapping
from typing import Any

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.elements.containers.sub_process import SubProcess, find_sub_process
from bpm.bpmn.elements.listening_event import ListeningEvent
from bpm.bpmn.elements.node import Node
from bpm.bpmn.elements.process_index import ProcessIndex
from bpm.bpmn.run import Run
from bpm.bpmn.run.event_sub_process_starts import take_over
from bpm.bpmn.state import Token


class EventSubProcess(SubProcess):
    """Has no flows; its start event listens for as long as the scope around it runs."""

    is_event_triggered = True


class EventStart(ListeningEvent):
    """The start event of an event sub-process; an interrupting one ends everything else in the scope."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation, element.attributes.get("isInterrupting", "true") != "false")
        self.sub_process = element.scope
        self.around = compilation.elements[element.scope].scope
        self.is_of_process = self.around == compilation.process.id

    @property
    def stored_shape(self) -> tuple[object, ...]:
        """What it listens for, and around what."""
        return (*super().stored_shape, "" if self.is_of_process else self.around)

    def attach(self, element: Element, nodes: Mapping[str, Node], compilation: Compilation) -> None:
        """Let the sub-process around the event sub-process listen; the process itself asks for its own."""
        sub_process = find_sub_process(nodes, self.around)
        if self.kind == "compensate":
            if sub_process is not None:
                sub_process.undone_by = self.sub_process
            elif self.is_of_process:
                compilation.problem(element, "the process itself is never compensated, so this can't start")
        elif sub_process is not None:
            sub_process.event_starts = (*sub_process.event_starts, self)

    def contribute(self, parts: ProcessIndex) -> None:
        """The process itself arms those that stand in no sub-process."""
        if self.is_of_process:
            parts.event_starts.append(self)

    @property
    def begins(self) -> str:
        """See `Catcher.begins`."""
        return self.sub_process

    def scope(self, run: Run, host: Token) -> int:
        """The scope that the host runs."""
        return run.scopes.inside(host)

    def start(self, run: Run, host: Token, written: Mapping[str, Any]) -> None:
        """Begin beside the rest of the scope, or in its place."""
        scope = run.scopes.inside(host)
        run.variables.write(scope, written)
        if self.interrupts:
            run.clear(scope)
            take_over(run, scope)
        run.tokens.spawn(run.nodes[self.sub_process].entry, scope)
