"""Where the result of a task or the payload of a message goes."""

from collections.abc import Mapping, Sequence, Set
from typing import Any, ClassVar, cast

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import NOTHING
from bpm.bpmn.elements.node import Node
from bpm.bpmn.run import Run
from bpm.bpmn.state import Token, Wait
from bpm.bpmn.view import View


class ResultNode(Node):
    """A node that something is answered to.

    The answer is written by the output mapping and to the result variable where there are such (beside an output
    mapping of Camunda 8 the result variable is local); otherwise an
    object's members become variables if the node merges, else it goes to the default result variable. What its
    input mapping made local stays so: the output mapping alone sees a member or a changed variable of such a name.
    With `merges_beside` members become variables beside an output mapping as well: those of an answer (`is_answered`)
    of a person, message or signal do in the words of Camunda 7. `runs_output_scripts`: its output
    mapping may hold scripts; then `held_at` is the key of the node that runs them and writes the results.
    `is_heard`: listeners see what is answered before it is mapped.
    """

    local_names: frozenset[str] = frozenset()
    reads_outputs: ClassVar[bool] = True
    runs_output_scripts: ClassVar[bool] = False
    held_at: str = ""
    is_heard: bool = False
    is_answered: ClassVar[bool] = False

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        extensions = element.extensions
        self.outputs = compilation.mapping(
            element, "its output mapping", extensions.outputs, runs_scripts=self.runs_output_scripts
        )
        self.result_variable = extensions.result_variable
        self.result_is_local = extensions.result_is_local
        self.default_result = extensions.default_result
        self.merges_result = extensions.merges_result
        self.merges_beside = self.is_answered and extensions.keeps_answer and not self.result_variable

    @property
    def declared(self) -> Set[str]:
        """The variables that an answer may set by their names, since the model has named them."""
        return {name for name in (self.result_variable, self.default_result) if name}

    def undeclared(self, brought: Any) -> Set[str]:
        """The variables that an answer names itself, beside those that the model does."""
        written, _ = self._given(brought, NOTHING)
        return (written.keys() | self._heard(brought)) - self.declared

    def _heard(self, brought: Any) -> Set[str]:
        """What listeners see in the place of variables, though the output mapping does not name it."""
        if not self.is_heard or self.outputs is None or not isinstance(brought, dict):
            return frozenset()
        return cast("dict[str, Any]", brought).keys() - self.outputs.names

    def results(self, view: View, result: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The variables to write for a result; `values` are to be written as they are."""
        written, seen = self._given(result, values)
        return {**written, **self.outputs.evaluate(view.within(seen), merge=True)} if self.outputs else written

    def _given(self, result: Any, values: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """What is written of a result whatever the output mapping says, and what that sees."""
        named = {self.result_variable: result} if self.result_variable else NOTHING
        members = cast("dict[str, Any]", result) if isinstance(result, dict) else NOTHING
        written = self._outer(values) if self.outputs and self.result_is_local else {**self._outer(values), **named}
        if self.outputs:
            local: dict[str, Any] = {**members, "result": result, **values, **named}
            beside = self._outer(members) if self.merges_beside else NOTHING
            return {**beside, **written}, local
        if self.result_variable:
            return written, NOTHING
        if self.merges_result and (members or result is None):
            return {**self._outer(members), **written}, NOTHING
        return {**written, self.default_result: result} if self.default_result else written, NOTHING

    def _outer(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Those of some values that are not local to the activity."""
        if self.local_names.isdisjoint(values):
            return values
        return {name: value for name, value in values.items() if name not in self.local_names}

    def activate(self, run: Run, token: Token) -> None:
        """Pass the token on; there is no result, but an output mapping counts."""
        if self.outputs:
            self.complete(run, token, None, None, NOTHING)
        else:
            self.leave(run, token)

    def complete(self, run: Run, token: Token, wait: Wait | None, result: Any, values: Mapping[str, Any]) -> None:
        """Write the results, close all waits and go on."""
        if self.held_at:
            self.hold(run, token, wait, result, values)
            return
        written = self.results(run.variables.view_of(token), result, values)
        run.variables.write(token.scope, written)
        run.waits.close_all(token, wait)
        self.leave(run, token, written)

    def hold(self, run: Run, token: Token, wait: Wait | None, result: Any, values: Mapping[str, Any]) -> None:
        """Keep a result for the scripts that are to run before it is written."""
        written, seen = self._given(result, values)
        kept = {"written": dict(written), "seen": dict(seen)}
        run.variables.check(kept)
        run.waits.close_all(token, wait)
        run.tokens.beside[token.id] = kept
        run.tokens.hand_over(token, self.held_at)

    def held_results(self, run: Run, token: Token, scripts: Sequence[Any] = ()) -> dict[str, Any]:
        """The variables to write for a result that was kept, when the scripts of its output mapping have run."""
        kept = run.tokens.beside[token.id]
        if self.outputs is None:
            return kept["written"]
        view = run.variables.view_of(token).within(kept["seen"]).with_scripts(scripts)
        return {**kept["written"], **self.outputs.evaluate(view, merge=True)}

    def write_held(self, run: Run, token: Token) -> None:
        """Write what a kept result has come to, and go on."""
        written = run.tokens.beside[token.id]["written"]
        run.variables.write(token.scope, written)
        self.leave(run, token, written)
