"""Call activity: another process, run as an instance of its own."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from bpm.bpmn.compilation.bindings import read_binding
from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import NOTHING, CallProcess
from bpm.bpmn.elements.tasks.job import JobTask
from bpm.bpmn.reader.extensions import Called
from bpm.bpmn.run import Run
from bpm.bpmn.run.error_propagation import caught_codes
from bpm.bpmn.state import Caller, Token
from bpm.expressions import EvaluationError
from bpm.model_files.names import name_of
from bpm.shown import shown

_PREFIX = re.compile(r"[\w.-]+:(?=[\w.-]+$)")
"""The namespace prefix of a qualified name, which BPMN allows for a process of another file."""


class CallActivity(JobTask):
    """Starts a process and waits for its end (BPMN 2.0.2, 10.3.6).

    All variables go in and come back unless a mapping says which. Errors and escalations that the called process
    does not catch itself are thrown here; `camunda:out` maps variables then, too, as in Camunda 7.
    """

    kind = "call"
    names_versions: ClassVar[bool] = True

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        called = element.extensions.called or Called()
        name = called.process or _PREFIX.sub("", element.attributes.get("calledElement", "").strip())
        self.process = compilation.value(element, "its called process", name)
        self.binding = read_binding(element, compilation)
        self.business_key = compilation.value(element, "its business key", called.business_key)
        self.inherits_key = called.inherits_key
        self.passes_all = element.extensions.inputs is None if called.passes_all is None else called.passes_all
        self.returns_thrown = called.returns_thrown
        self.merges_beside = called.returns_beside
        self.merges_result = not element.extensions.outputs if called.returns_all is None else called.returns_all
        if not called.keeps_inputs:
            self.local_names = frozenset()
        if not name:
            compilation.problem(element, "it names no process; set calledElement to a process's id")

    def take_thrown(self, run: Run, token: Token, values: Mapping[str, Any]) -> None:
        """Write what is mapped of a process that threw, if its words say so."""
        if self.returns_thrown:
            run.variables.write(token.scope, self.results(run.variables.view_of(token), dict(values), NOTHING))

    def request(self, run: Run, token: Token, wait_id: int, attempt: int) -> CallProcess:
        """The process with its variables, and what is caught around here."""
        view = run.variables.view(token.scope)
        process = self.process(view)
        if not isinstance(process, str) or not process:
            raise EvaluationError(f"the id of the process to call must be a text, not {shown(process)}")
        process = name_of(process, "the id of the process to call")
        variables: dict[str, Any] = {**(view if self.passes_all else {}), **self.enter(run, token)}
        key = self.business_key(view)
        return CallProcess(
            wait_id,
            attempt,
            self.id,
            process,
            self.binding,
            variables,
            None if key in (None, "") else name_of(key, "the business key of the process to call"),
            Caller(caught_codes(run, "error", token), caught_codes(run, "escalation", token)),
            self.inherits_key,
        )
