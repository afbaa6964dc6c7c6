"""What all flow nodes share: identity, outgoing flows, and the lifecycle activate, complete, terminate."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from bpm.expressions import EvaluationError, Expression

from ..compilation import Compilation
from ..definition import Element, SequenceFlow
from ..run import Catcher, Flow, Run, Way
from ..state import Token, Wait
from ..view import View

REGISTRY: dict[tuple[str, str], type["Node"]] = {}


class Node:
    """A flow node. Without a method of its own it passes tokens on along every outgoing flow.

    `always` is the way when no condition decides; otherwise `choose` does, as the standard says for
    conditional flows (BPMN 2.0.2, 13.2.1): all whose condition holds, else the default.
    """

    is_join: ClassVar[bool] = False
    event: ClassVar[str] = ""

    def __init_subclass__(cls, *, element: str = "", event: str = "") -> None:
        """Register the class for a tag, with an event definition's kind if it needs one."""
        super().__init_subclass__()
        if element:
            cls.event = event
            REGISTRY[element, event] = cls

    def __init__(self, element: Element, compilation: Compilation) -> None:
        self.id = element.id
        self.name = element.name
        self.conditions: tuple[tuple[Expression | None, Flow], ...] = ()
        self.default: Way | None = None
        self.always: Way | None = None

    def connect(self, outgoing: Sequence[SequenceFlow], incoming: int, default: str, compilation: Compilation) -> None:
        """Take the flows that leave the node, and how many enter it."""
        flows = {flow.id: Flow(flow.id, flow.target) for flow in outgoing}
        self.default = Way.along(flows.pop(default)) if default in flows else None
        self.conditions = tuple(
            [(compilation.condition(flow), flows[flow.id]) for flow in outgoing if flow.id in flows]
        )
        is_free = self.default is None and not any(condition for condition, _ in self.conditions)
        self.always = Way.along(*flows.values()) if is_free else None

    def activate(self, run: Run, token: Token) -> None:
        """Pass the token on."""
        run.leave(self, token)

    def choose(self, view: View) -> Way:
        """Every flow whose condition holds or that has none, else the default flow."""
        flows = [flow for condition, flow in self.conditions if condition is None or condition.holds(view)]
        return Way.along(*flows) if flows else self.default_way()

    def default_way(self) -> Way:
        """The default flow; raises EvaluationError when there is none, for the token can't go anywhere."""
        if self.default is None:
            raise EvaluationError("no outgoing sequence flow has a condition that holds, and there is no default")
        return self.default

    def complete(self, run: Run, token: Token, wait: Wait | None, result: Any, values: Mapping[str, Any]) -> None:
        """What the token waited for has come: close every wait of the token and go on."""
        run.close_all(token, wait)
        run.leave(self, token, values)

    def retry(self, run: Run, token: Token, wait: Wait) -> None:
        """Start anew."""
        run.close(wait)
        run.again(token)

    def discard(self, run: Run, token: Token) -> None:
        """Close what was opened for the token."""
        run.close_all(token)

    def terminate(self, run: Run, token: Token) -> None:
        """Something else ends what the token is doing."""
        self.discard(run, token)
        run.record(self.id, "terminated", token)

    def skip(self, run: Run, token: Token, wait: Wait, values: Mapping[str, Any]) -> None:
        """Give up an incident and go on as if the element had completed with these values."""
        self.discard(run, token)
        run.record(self.id, "skipped", token)
        run.write(token.scope, values)
        run.leave(self, token, values)

    def catcher(self, code: str | None) -> Catcher | None:
        """What catches an error thrown inside: nothing here."""
        return None
