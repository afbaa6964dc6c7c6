"""Embedded sub-process: a scope of its own inside the process."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import NOTHING
from bpm.bpmn.elements.activity import Activity
from bpm.bpmn.elements.node import Node
from bpm.bpmn.run import Run
from bpm.bpmn.state import TURN, Done, Token


class SubProcess(Activity):
    """Runs what it contains, and goes on when its last token is gone (BPMN 2.0.2, 13.3.4).

    The variables of its input mapping and those of its data objects live inside; everything else is written through
    to the process. `starts` are where it begins, none for one that is empty; `event_starts` start its event
    sub-processes. `undone_by` is the event sub-process for its compensation.
    """

    is_event_triggered: ClassVar[bool] = False
    runs_output_scripts: ClassVar[bool] = False

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.starts: tuple[str, ...] = ()
        self.event_starts: tuple[Any, ...] = ()
        self.undone_by = ""
        self.data = {one.name: one.value for one in compilation.process.data if one.scope == element.id}

    @property
    def listening_events(self) -> Sequence[Node]:
        """Its boundary events, and what starts its event sub-processes."""
        return [*self.boundaries, *self.event_starts]

    @property
    def compensated_by(self) -> str:
        """Its compensation handler, or the event sub-process for its compensation."""
        return self.handler or self.undone_by

    def activate(self, run: Run, token: Token) -> None:
        """Arm the boundary events, open the scope, listen and start inside."""
        self.arm_boundaries(run, token)
        inputs = self.input_values(run, token)
        run.record(self.id, "activated", token, inputs)
        scope = run.scopes.open(token, {**self.data, **inputs})
        for start in self.event_starts:
            start.arm(run, token)
        run.tokens.rest(token)
        for start in self.starts:
            run.tokens.spawn(run.nodes[start].entry, scope)
        if not self.starts:
            run.tokens.emptied.append(scope)

    def emptied(self, run: Run, token: Token, scope: int) -> None:
        """Map the outputs, which see the variables inside, and go on outside."""
        written = self.outputs.evaluate(run.variables.view(scope), merge=True) if self.outputs else NOTHING
        self.finish(run, token, scope, written)

    def finish(self, run: Run, token: Token, scope: int, written: Mapping[str, Any]) -> None:
        """Close the scope, keeping what can be compensated, and leave."""
        local = run.variables[scope]
        done = run.scopes.close(scope)
        run.variables.write(token.scope, written)
        run.waits.close_all(token)
        if self.handler or self.undone_by or done:
            run.scopes.add_done(token.scope, Done(self.key, dict(local), list(done)))
        run.leave(self, token, written)


def find_sub_process(nodes: Mapping[str, Node], element_id: str) -> SubProcess | None:
    """The sub-process of an id, without the loop around it; None if that is something else."""
    node = nodes.get(f"{element_id}{TURN}") or nodes.get(element_id)
    return node if isinstance(node, SubProcess) else None
