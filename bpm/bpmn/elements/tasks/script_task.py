"""Script task: Python in the sandbox, or an expression evaluated in place."""

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.compilation.languages import EXPRESSION, PYTHON
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import NOTHING, RunScript
from bpm.bpmn.elements.process_index import ProcessIndex
from bpm.bpmn.elements.scripts import Script
from bpm.bpmn.elements.tasks.job import JobTask
from bpm.bpmn.run import Run
from bpm.bpmn.state import Token


class ScriptTask(JobTask):
    """Runs its script (BPMN 2.0.2, 10.3.3.5); the result goes to `lastScriptResult` unless it names a variable."""

    kind = "script"

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        extensions = element.extensions
        self.default_result = "lastScriptResult"
        self.merges_result = False
        source = element.text if element.text.strip() else extensions.script
        language = (element.attributes.get("scriptFormat") or extensions.script_format).strip().lower()
        expression = extensions.expression or (source.strip() if language in EXPRESSION else "")
        self.expression = compilation.formula(element, "its expression", expression)
        self.script = Script("" if expression else source)
        if language not in PYTHON | EXPRESSION:
            compilation.problem(element, f"its script is written in {language}; scripts are Python")
        elif not self.expression and not source.strip():
            worker = (
                f"the job worker '{extensions.command}' has it; make it a service task" if extensions.command else ""
            )
            compilation.problem(element, f"its script is empty{worker and ': '}{worker}")

    @property
    def stored_shape(self) -> tuple[object, ...]:
        """Whether it asks for work at all."""
        return (self.expression is None,)

    def contribute(self, parts: ProcessIndex) -> None:
        """A deployment checks the script."""
        if self.expression is None:
            parts.scripts.append((self.id, self.script.source))

    def activate(self, run: Run, token: Token) -> None:
        """Evaluate an expression at once; run anything else as a job."""
        if self.expression is None:
            super().activate(run, token)
            return
        inputs = self.enter(run, token)
        result = self.expression(run.variables.view(token.scope).within(inputs))
        self.complete(run, token, None, result, NOTHING)

    def request(self, run: Run, token: Token, wait_id: int, attempt: int) -> RunScript:
        """The script with the variables it can see."""
        seen = run.variables.view(token.scope).within(self.enter(run, token))
        return self.script.request(wait_id, attempt, self.id, seen)
