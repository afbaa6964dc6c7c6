"""Repeated activities: standard loops, and multi-instance activities one after the other or all at once.

`A` is repeated: a token rests on the node `A`, which opens a scope for each turn; in it a token of its own runs the
activity itself, the node `A#`. Boundary events belong to the whole.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import Event
from bpm.bpmn.elements.activity import Activity, BoundaryHost
from bpm.bpmn.reader.loop_characteristics import LoopCharacteristics
from bpm.bpmn.run import Run
from bpm.bpmn.state import TURN, Done, Token
from bpm.bpmn.view import View
from bpm.expressions import EvaluationError
from bpm.number import whole
from bpm.shown import shown

MAX_TURNS = 10_000
MOST_TOGETHER = 16
"""Of more turns than so many, or tokens in one scope, each is stored by itself."""


class Loop(BoundaryHost):
    """All turns of an activity together."""

    leaves_as: Event = "repeated"
    reads_inputs: ClassVar[bool] = True
    reads_outputs: ClassVar[bool] = True
    names_versions: ClassVar[bool] = True
    names_activities: ClassVar[bool] = True

    def __init__(self, element: Element, inner: Activity, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        assert element.loop is not None
        self.loop: LoopCharacteristics = element.loop
        self.inner = inner
        self.is_undone_by_turn = self.loop.counts_from == 0
        inner.key = inner.entry = f"{element.id}{TURN}"
        self.condition = compilation.loop_condition(element, self.loop.condition)

    def turn(self, run: Run, token: Token, index: int, variables: dict[str, Any], parent: int | None = None) -> None:
        """Begin the turn of an index, counted from 0."""
        run.steps.add_turn()
        variables["loopCounter"] = index + self.loop.counts_from
        run.tokens.spawn(self.inner.entry, run.scopes.open(token, variables, parent, index))

    def end_turn(self, run: Run, scope: int) -> list[Done]:
        """Close a turn's scope; what can be compensated keeps the turn's own variables."""
        variables = run.variables[scope]
        return [one._replace(variables={**variables, **one.variables}) for one in run.scopes.close(scope)]

    def finish(self, run: Run, token: Token, written: Mapping[str, Any], done: Iterable[Done], turns: int = 1) -> None:
        """Leave behind the last turn; a handler is done once, but for each of the `turns` in files for Camunda 7."""
        run.variables.write(token.scope, written)
        run.waits.close_all(token)
        inner = list(done)
        if self.handler and self.is_undone_by_turn:
            run.scopes.add_done(token.scope, *[Done(self.key, {}, [])] * turns)
        elif self.handler or inner:
            run.scopes.add_done(token.scope, Done(self.key, {}, inner))
        run.leave(self, token, written)


class StandardLoop(Loop):
    """Repeats while its condition holds, at most `loopMaximum` times (BPMN 2.0.2, 10.3.8.1)."""

    def __init__(self, element: Element, inner: Activity, compilation: Compilation) -> None:
        super().__init__(element, inner, compilation)
        text = self.loop.maximum
        self.maximum = int(text) if text.isascii() and text.isdigit() else None
        if text and self.maximum is None:
            compilation.problem(element, f"its loopMaximum '{text}' is not a whole number")
        elif self.condition is None and not text:
            compilation.problem(element, "it would loop for ever; give it a loopCondition or a loopMaximum")

    def activate(self, run: Run, token: Token) -> None:
        """Begin, unless there is nothing to do."""
        if self.loop.checks_first and not self._goes_on(run.variables.view(token.scope), 0):
            self.leave(run, token)
            return
        self.arm_boundaries(run, token)
        run.tokens.rest(token)
        self.turn(run, token, 0, {})

    def emptied(self, run: Run, token: Token, scope: int) -> None:
        """Go round again, or on."""
        turns = run.scopes[scope].note + 1
        goes_on = self._goes_on(run.variables.view(scope), turns)
        done = self.end_turn(run, scope)
        if goes_on:
            self.turn(run, token, turns, {})
            run.scopes.add_done(run.scopes.first(token), *done)
        else:
            self.finish(run, token, {}, done)

    def _goes_on(self, view: View, turns: int) -> bool:
        if self.maximum is not None and turns >= self.maximum:
            return False
        return self.condition is None or self.condition.holds(view)


class MultiInstance(Loop):
    """Once for each element of a collection, or as often as `loopCardinality` says (BPMN 2.0.2, 10.3.8.2).

    The scope around the turns holds Camunda's counters; its note is `[items, total, begun, ended, outputs]`. Items and
    outputs are kept one by one; earlier versions wrote those that were left into the note.
    """

    def __init__(self, element: Element, inner: Activity, compilation: Compilation) -> None:
        super().__init__(element, inner, compilation)
        loop = self.loop
        self.is_sequential = loop.kind == "sequential"
        self.cardinality = compilation.formula(element, "its loopCardinality", loop.cardinality)
        self.collection = compilation.formula(element, "its collection", loop.collection)
        self.output = compilation.formula(element, "its output element", loop.output_item)
        self.local = compilation.name_in(loop.output_item)
        if not loop.cardinality and not loop.collection:
            compilation.problem(element, "it says neither a collection nor a loopCardinality")
        if bool(loop.output_collection) != bool(loop.output_item):
            compilation.contradiction(element, "it names the collection of its outputs or their element, but not both")

    @property
    def stored_shape(self) -> tuple[object, ...]:
        """What the note of its scope holds."""
        return (self.is_sequential, self.collection is None, self.output is None)

    def activate(self, run: Run, token: Token) -> None:
        """Begin all turns, or the first one."""
        items, total = self._items(run.variables.view(token.scope))
        run.check_tokens(min(total, 1) if self.is_sequential else total)
        self.arm_boundaries(run, token)
        run.tokens.rest(token)
        begun = 0 if self.is_sequential else total
        body = run.scopes.open(token, _counters(total, begun, 0), note=[None, total, begun, 0, None])
        if not total:
            self._finish(run, token, body)
        elif self.is_sequential:
            run.kept.put_items(body, (items or ())[:total])
            self._begin_next(run, token, body)
        else:
            for index in range(total):
                self._begin(run, token, body, index, None if items is None else items[index])

    def _items(self, view: View) -> tuple[list[Any] | None, int]:
        items: list[Any] | None = None
        if self.collection is not None:
            value = self.collection(view)
            if not isinstance(value, list):
                raise EvaluationError(f"its collection must be a list, not {shown(value)}")
            items = cast("list[Any]", value)
        total = len(items or ()) if self.cardinality is None else self.cardinality(view)
        total = whole(total)
        if isinstance(total, bool) or not isinstance(total, int) or not 0 <= total <= MAX_TURNS:
            raise EvaluationError(
                f"the number of its turns must be a whole number up to {MAX_TURNS}, not {shown(total)}"
            )
        return items, min(total, len(items)) if items is not None else total

    def _begin_next(self, run: Run, token: Token, body: int) -> None:
        items, total, begun, ended, outputs = run.scopes[body].note
        if items:
            item, *items = items
        else:
            item = None if self.collection is None else run.kept.item(body, begun)
        run.scopes.note(body, [items or None, total, begun + 1, ended, outputs])
        run.variables.write_locally(body, _counters(total, begun + 1, ended))
        self._begin(run, token, body, begun, item)

    def _begin(self, run: Run, token: Token, body: int, index: int, item: Any) -> None:
        variables: dict[str, Any] = {}
        if self.local and self.local != self.loop.item:
            variables[self.local] = None
        if self.loop.index:
            variables[self.loop.index] = index
        if self.collection is not None and self.loop.item:
            variables[self.loop.item] = item
        self.turn(run, token, index, variables, body)

    def emptied(self, run: Run, token: Token, scope: int) -> None:
        """A turn has ended: collect what it came to, and see whether others follow."""
        body = run.scopes.first(token)
        items, total, begun, ended, outputs = run.scopes[body].note
        view = run.variables.view(scope)
        output = self.output(view) if self.output else None
        counters = _counters(total, begun, ended + 1)
        is_over = self.condition is not None and self.condition.holds(view.within({**counters, **_zeebe(counters)}))
        if self.output:
            run.kept.put_output(body, run.scopes[scope].note, output)
        run.scopes.add_done(body, *self.end_turn(run, scope))
        run.scopes.note(body, [items, total, begun, ended + 1, outputs])
        run.variables.write_locally(body, counters)
        if is_over or ended + 1 == total:
            self._finish(run, token, body)
        elif self.is_sequential:
            self._begin_next(run, token, body)

    def _finish(self, run: Run, token: Token, body: int) -> None:
        _, total, begun, ended, _ = run.scopes[body].note
        if ended < begun:
            run.gather(body)
            run.close_scopes(*run.scopes.of(token)[1:])
        collects = self.output and self.loop.output_collection
        written = {self.loop.output_collection: self._outputs(run, body, total)} if collects else {}
        self.finish(run, token, written, run.scopes.close(body), ended)

    def _outputs(self, run: Run, body: int, total: int) -> list[Any]:
        """What all turns came to, in their order; null for one that has not ended."""
        outputs = run.scopes[body].note[4] or [None] * total
        found = run.kept.outputs(body)
        return [found.get(index, before) for index, before in enumerate(outputs)]

    def discard(self, run: Run, token: Token) -> None:
        """Close what was opened for the token, turns that are not at hand as well."""
        if run.scopes.of(token):
            run.gather(run.scopes.first(token))
        super().discard(run, token)

    def keeps_apart(self, note: Any) -> bool:
        """Whether the values of its turns are to be stored one by one."""
        return isinstance(note, list) and cast("list[Any]", note)[1] > MOST_TOGETHER

    def has_turns_apart(self, note: Any) -> bool:
        """Whether its turns are to be stored one by one."""
        return self.keeps_apart(note) and not self.is_sequential


def repeat(element: Element, activity: Activity, compilation: Compilation) -> Loop:
    """The loop around an activity, which takes its place."""
    assert element.loop is not None
    loop = StandardLoop if element.loop.kind == "standard" else MultiInstance
    return loop(element, activity, compilation)


def _counters(total: int, begun: int, ended: int) -> dict[str, Any]:
    """Camunda 7's names of them."""
    return {"nrOfInstances": total, "nrOfCompletedInstances": ended, "nrOfActiveInstances": begun - ended}


def _zeebe(counters: Mapping[str, Any]) -> dict[str, Any]:
    """Camunda 8's names of the counters."""
    return {name.replace("nrOf", "numberOf"): value for name, value in counters.items()}
