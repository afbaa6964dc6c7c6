"""Scripts in mappings: run in the sandbox before an activity begins, and before its outputs are written.

Each sees what the entries before its own have set. What it comes to is kept, so that neither a retry of the activity
nor that of another script runs it again.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.compilation.values import Mapped
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import RunScript
from bpm.bpmn.elements.activity import Activity
from bpm.bpmn.elements.auxiliary.work_node import AuxiliaryNode
from bpm.bpmn.elements.process_index import ProcessIndex
from bpm.bpmn.elements.results import ResultNode
from bpm.bpmn.elements.scripts import Script
from bpm.bpmn.run import Run
from bpm.bpmn.state import Token
from bpm.bpmn.view import View


class MappingScript:
    """One script of a mapping."""

    kind = "script"

    def __init__(self, source: str) -> None:
        self.script = Script(source)

    def request(self, wait_id: int, element_id: str, view: View) -> RunScript:
        """Run it."""
        return self.script.request(wait_id, 1, element_id, view)


class MappingScripts(AuxiliaryNode):
    """The scripts of one mapping; `scripts` is kept with what those that have run came to."""

    def __init__(self, element: Element, key: str, mapped: Mapped, compilation: Compilation) -> None:
        super().__init__(element, key, [MappingScript(source) for source in mapped.scripts], compilation)
        self.mapped = mapped

    def contribute(self, parts: ProcessIndex) -> None:
        """A deployment checks the scripts."""
        parts.scripts += [(self.id, source) for source in self.mapped.scripts]

    def view(self, run: Run, token: Token) -> View:
        """The variables, and what the entries before the script's own set."""
        kept = self.kept(run, token)
        view = self.around(run, token).with_scripts(kept.get("scripts", ()))
        return view.within(self.mapped.evaluate(view, until=self.number(run, token)))

    def around(self, run: Run, token: Token) -> View:
        """What the mapping as a whole sees."""
        return run.variables.view_of(token)

    def take(self, run: Run, token: Token, number: int, result: Any, values: Mapping[str, Any]) -> None:
        """Keep the result; variables that the script changed are its own."""
        self.keep(run, token, scripts=[*self.kept(run, token).get("scripts", ()), result])


class InputScripts(MappingScripts):
    """Runs before an activity begins, which then evaluates the mapping with what they came to."""

    phase: ClassVar[str] = "inputs"

    def __init__(self, element: Element, host: Activity, mapped: Mapped, compilation: Compilation) -> None:
        super().__init__(element, host.key, mapped, compilation)
        self.next = host.key

    def done(self, run: Run, token: Token) -> None:
        """Let the activity begin."""
        run.tokens.hand_over(token, self.next)


class OutputScripts(MappingScripts):
    """Runs when an activity has its result; then the outputs are written, and the activity is left."""

    phase: ClassVar[str] = "outputs"

    def __init__(self, element: Element, host: ResultNode, mapped: Mapped, compilation: Compilation) -> None:
        super().__init__(element, host.key, mapped, compilation)
        self.host = host

    def around(self, run: Run, token: Token) -> View:
        """The variables, the values of the input mapping, and the result."""
        return run.variables.view_of(token).within(self.kept(run, token)["seen"])

    def take(self, run: Run, token: Token, number: int, result: Any, values: Mapping[str, Any]) -> None:
        """Keep the result; when it is the last one, what is to be written."""
        results = [*self.kept(run, token).get("scripts", ()), result]
        if number + 1 < len(self.work):
            self.keep(run, token, scripts=results)
        else:
            self.keep(run, token, scripts=results, written=self.host.held_results(run, token, results))

    def done(self, run: Run, token: Token) -> None:
        """Write what the mapping came to, and leave the activity."""
        self.host.write_held(run, token)
