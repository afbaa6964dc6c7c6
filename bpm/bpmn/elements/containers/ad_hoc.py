"""Ad hoc sub-process: somebody says which of its activities are done, when, and how often."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import OpenAdHoc
from bpm.bpmn.elements.containers.sub_process import SubProcess
from bpm.bpmn.elements.node import Node
from bpm.bpmn.run import Run
from bpm.bpmn.run.scopes import AD_HOC
from bpm.bpmn.state import Token
from bpm.bpmn.view import View
from bpm.expressions import EvaluationError
from bpm.shown import shown


class AdHocSubProcess(SubProcess):
    """Begins the activities that its expression names, and those that it is asked for (BPMN 2.0.2, 10.3.5.2).

    Its completion condition is asked whenever a path inside has ended; without one it ends when nothing runs in it any
    more. The note of its scope is `AD_HOC`, then the activities that wait for their turn where only one may run.
    """

    names_activities: ClassVar[bool] = True

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        ordering = element.attributes.get("ordering", "Parallel")
        self.is_sequential = ordering == "Sequential"
        self.cancels_rest = element.attributes.get("cancelRemainingInstances") != "false"
        self.condition = compilation.loop_condition(element, element.condition)
        self.chosen = compilation.formula(element, "its active elements", element.extensions.active_elements)
        if ordering not in ("Parallel", "Sequential"):
            compilation.problem(element, f"its ordering '{ordering}' is neither Parallel nor Sequential")
        if element.extensions.command:
            compilation.problem(
                element, "a job that chooses its activities is not executed; send ActivateAdHocActivitiesCommand"
            )

    @property
    def stored_shape(self) -> tuple[object, ...]:
        """Whether the note of its scope may name activities."""
        return (self.is_sequential,)

    def keys_in(self, note: Any) -> Sequence[str]:
        """The activities that wait for their turn."""
        return cast("list[str]", note)[1:] if isinstance(note, list) else ()

    def attach(self, element: Element, nodes: Mapping[str, Node], compilation: Compilation) -> None:
        """See what stands in it: activities, and neither starts nor ends."""
        inside = [one for one in compilation.process.elements if one.scope == element.id]
        if not inside:
            compilation.problem(element, "it holds no activity")
        for one in inside:
            if one.kind in ("startEvent", "endEvent"):
                compilation.problem(one, "an ad hoc sub-process has no start and end events; leave it out")

    def activate(self, run: Run, token: Token) -> None:
        """Open the scope, begin what is named, and wait for more."""
        inputs = self.input_values(run, token)
        chosen = self._named(run.variables.view(token.scope).within(inputs))
        self.arm_boundaries(run, token)
        run.record(self.id, "activated", token, inputs)
        scope = run.scopes.open(token, dict(inputs), note=[AD_HOC])
        for start in self.event_starts:
            start.arm(run, token)
        wait_id = run.waits.open(AD_HOC, self.id, token)
        run.effects.append(OpenAdHoc(wait_id, self.id, self.name, self.starts))
        run.tokens.rest(token)
        self._begin(run, scope, chosen)

    def _named(self, view: View) -> list[str]:
        """The activities that the diagram itself begins."""
        value: Any = self.chosen(view) if self.chosen else []
        if not isinstance(value, list):
            raise EvaluationError(f"its active elements must be a list of ids, not {shown(value, 200)}")
        return self._known(cast("list[Any]", value))

    def _known(self, activities: Sequence[Any]) -> list[str]:
        for name in activities:
            if name not in self.starts:
                some = ", ".join(self.starts[:20])
                raise EvaluationError(f"{name!r:.200} can't be begun in '{self.id}'; what can is {some}")
        return list(activities)

    def begin_inside(
        self, run: Run, token: Token, activities: Sequence[str], variables: Mapping[str, Any], *, is_last: bool
    ) -> None:
        """Begin some of its activities; `is_last`: no others will follow."""
        scope = run.scopes.first(token)
        if not run.scopes.is_ad_hoc(scope):
            raise EvaluationError(f"an event sub-process has taken over in '{self.id}'")
        chosen = self._known(activities)
        run.check_tokens(len(chosen))
        run.variables.write(scope, variables)
        self._begin(run, scope, chosen)
        if is_last:
            self._close(run, token)
            run.tokens.emptied.append(scope)

    def admits(self, run: Run, scope: int) -> bool:
        """Whether a token may be put into its scope; where activities are done in sequence, only beside none."""
        return not self.is_sequential or run.tokens.is_empty(scope)

    def waits_empty(self, run: Run, scope: int) -> bool:
        """Go on waiting as long as more may be begun; what waits for its turn is begun now."""
        if not run.scopes.is_ad_hoc(scope) or not self._is_open(run, run.scopes.host(scope)):
            return False
        self._begin(run, scope, ())
        return True

    def _begin(self, run: Run, scope: int, activities: Sequence[str]) -> None:
        begun = list(activities)
        if self.is_sequential:
            queue = [*self.keys_in(run.scopes[scope].note), *activities]
            begun = queue[:1] if run.tokens.is_empty(scope) else []
            run.scopes.note(scope, [AD_HOC, *queue[len(begun) :]])
        for name in begun:
            run.tokens.spawn(run.nodes[name].entry, scope)

    def _close(self, run: Run, token: Token) -> bool:
        """Let nothing more be begun; tells whether anything could be."""
        waits = [wait for wait in run.waits.of(token) if wait.kind == AD_HOC]
        for wait in waits:
            run.waits.close(wait)
        return bool(waits)

    def emptied(self, run: Run, token: Token, scope: int) -> None:
        """A path inside has ended: end with it, begin what is next, or wait."""
        is_empty = run.tokens.is_empty(scope)
        if not run.scopes.is_ad_hoc(scope):
            super().emptied(run, token, scope)
        elif self.condition is not None and self.condition.holds(run.variables.view(scope)):
            self._end(run, token, scope, is_empty=is_empty)
        elif is_empty and self.keys_in(run.scopes[scope].note):
            self._begin(run, scope, ())
        elif is_empty and (self.condition is None or not self._is_open(run, token)):
            super().emptied(run, token, scope)

    def _end(self, run: Run, token: Token, scope: int, *, is_empty: bool) -> None:
        """Its condition holds: end at once, or when what runs has ended."""
        run.scopes.note(scope, [AD_HOC])
        if self.cancels_rest and not is_empty:
            run.clear(scope)
        if self.cancels_rest or is_empty:
            super().emptied(run, token, scope)
        else:
            self._close(run, token)

    def _is_open(self, run: Run, token: Token) -> bool:
        return any(wait.kind == AD_HOC for wait in run.waits.of(token))
