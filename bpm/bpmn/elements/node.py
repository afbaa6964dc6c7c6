"""What all flow nodes share: identity, outgoing flows, and the lifecycle activate, complete, terminate."""

from collections.abc import Mapping, Sequence, Set
from typing import Any, ClassVar

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element, SequenceFlow
from bpm.bpmn.effects import NOTHING, Event
from bpm.bpmn.elements.process_index import ProcessIndex
from bpm.bpmn.run import Catcher, Flow, Run, Way
from bpm.bpmn.state import Token, Wait
from bpm.bpmn.view import View
from bpm.expressions import EvaluationError, Expression


class Node:
    """A flow node. Without a method of its own it passes tokens on along every outgoing flow.

    `always` is the way when no condition decides; otherwise `choose` does, as the standard says for
    conditional flows (BPMN 2.0.2, 13.2.1): all whose condition holds, else the default.

    `key` is what tokens know the node by, `wait_key` what its waits do, `entry` where tokens begin that come to it.
    `reads_inputs` and `reads_outputs`: a mapping there has a meaning; where it has none, it is refused.
    `names_versions`: it may say which version of another process or decision it means, `names_activities` which of
    those inside it begin. `is_entered`: tokens come to it; `is_left`: they go on from it along its flows, or are used
    up there.
    """

    is_join: ClassVar[bool] = False
    throws: ClassVar[bool] = True
    is_entered: ClassVar[bool] = True
    is_left: ClassVar[bool] = True
    leaves_as: Event = "completed"
    reads_inputs: ClassVar[bool] = False
    reads_outputs: ClassVar[bool] = False
    names_versions: ClassVar[bool] = False
    names_activities: ClassVar[bool] = False
    event_starts: tuple[Any, ...] = ()

    def __init__(self, element: Element, compilation: Compilation) -> None:
        self.id = element.id
        self.key = element.id
        self.entry = element.id
        self.wait_key = element.id
        self.name = element.name
        self.conditions: tuple[tuple[Expression | None, Flow], ...] = ()
        self.default: Way | None = None
        self.always: Way | None = Way.along()
        if element.extensions.inputs is not None and not self.reads_inputs:
            compilation.problem(element, "its input mapping is not executed; a task before it can set variables")
        if element.extensions.outputs and not self.reads_outputs:
            compilation.problem(element, "its output mapping is not executed; a task behind it can set variables")
        if element.extensions.named_version is not None and not self.names_versions:
            compilation.problem(element, "its binding is not executed; it names no process or decision")
        if element.extensions.active_elements and not self.names_activities:
            compilation.problem(element, "its active elements are not executed; only an ad hoc sub-process has some")

    def connect(
        self, outgoing: Sequence[SequenceFlow], incoming: Sequence[str], default: str, compilation: Compilation
    ) -> None:
        """Take the flows that leave the node, and the ids of those that enter it."""
        flows = {flow.id: Flow(flow.id, compilation.way_to(flow)) for flow in outgoing}
        self.default = Way.along(flows.pop(default)) if default in flows else None
        self.conditions = tuple(
            [(compilation.condition(flow), flows[flow.id]) for flow in outgoing if flow.id in flows]
        )
        is_free = self.default is None and not any(condition for condition, _ in self.conditions)
        self.always = Way.along(*flows.values()) if is_free else None

    def attach(self, element: Element, nodes: Mapping[str, "Node"], compilation: Compilation) -> None:
        """Take its place among the other nodes, when all of them have their flows; most stand for themselves."""

    def contribute(self, parts: ProcessIndex) -> None:
        """Say what the process as a whole has to know of the element; most have nothing to say."""

    @property
    def stored_shape(self) -> tuple[object, ...]:
        """What a running instance relies on beside the node's type: only one of equal shape can take over from it."""
        return ()

    def keeps_apart(self, note: Any) -> bool:
        """Whether the values kept for the turns of a scope with this note are to be stored one by one."""
        return False

    def has_turns_apart(self, note: Any) -> bool:
        """Whether the turns in a scope with this note are to be stored one by one."""
        return False

    def keys_in(self, note: Any) -> Sequence[str]:
        """The keys of other nodes that the note of a scope it opened still needs."""
        return ()

    @property
    def compensated_by(self) -> str:
        """The id of the activity that undoes it; empty for none."""
        return ""

    @property
    def listening_events(self) -> "Sequence[Node]":
        """The events that wait beside a token while it rests here; most elements have none."""
        return ()

    @property
    def waiting_flows(self) -> int:
        """How many incoming flows it watches for tokens that may still come; most elements watch none."""
        return 0

    @property
    def catchers(self) -> Sequence[Catcher[Run]]:
        """What catches errors and escalations thrown inside: nothing here."""
        return ()

    def activate(self, run: Run, token: Token) -> None:
        """Pass the token on."""
        self.leave(run, token)

    def leave(self, run: Run, token: Token, values: Mapping[str, Any] = NOTHING) -> None:
        """The element has completed: move its token on."""
        run.leave(self, token, values)

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
        run.waits.close_all(token, wait)
        self.leave(run, token, values)

    def undeclared(self, brought: Any) -> Set[str]:
        """The variables that an answer names itself; one to this node becomes none."""
        return frozenset()

    def emptied(self, run: Run, token: Token, scope: int) -> None:
        """A scope opened for the token has no tokens any more; only nodes that open scopes know what then."""

    def holds(self, run: Run, wait: Wait) -> bool:
        """Whether the condition holds that the wait is for; there is none here."""
        return False

    def merge(self, run: Run, scope: int) -> bool:
        """Go on from an inclusive join; this is none."""
        return False

    def begin_inside(
        self, run: Run, token: Token, activities: Sequence[str], variables: Mapping[str, Any], *, is_last: bool
    ) -> None:
        """Begin some activities inside; only ad hoc sub-processes let somebody choose."""
        raise EvaluationError("it is no ad hoc sub-process")

    def admits(self, run: Run, scope: int) -> bool:
        """Whether somebody may put a token into the scope that it has opened."""
        return True

    def waits_empty(self, run: Run, scope: int) -> bool:
        """Whether its scope may lose its last token: it would end, which nobody asked for."""
        return False

    def take_thrown(self, run: Run, token: Token, values: Mapping[str, Any]) -> None:
        """The process that was called threw something; nothing is called here."""

    def retry(self, run: Run, token: Token, wait: Wait) -> None:
        """Start anew."""
        run.waits.close(wait)
        run.tokens.again(token)

    def ask(self, run: Run, token: Token, wait: Wait) -> None:
        """Ask for work that was put off; no work is asked for here."""
        raise EvaluationError("it asks nobody for anything")

    def discard(self, run: Run, token: Token) -> None:
        """Close what was opened for the token, the inside first."""
        run.close_scopes(*run.scopes.of(token))
        run.waits.close_all(token)

    def terminate(self, run: Run, token: Token) -> None:
        """Something else ends what the token is doing."""
        self.discard(run, token)
        run.record(self.id, "terminated", token)

    def skip(self, run: Run, token: Token, wait: Wait, values: Mapping[str, Any]) -> None:
        """Give up an incident and go on as if the element had completed with these values."""
        self.discard(run, token)
        run.record(self.id, "skipped", token)
        run.variables.write(token.scope, values)
        self.leave(run, token, values)
