"""Service task: a message on the bus."""

from typing import Any

from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import NOTHING, SendCommand
from bpm.bpmn.elements.command_use import CommandUse, fields_given
from bpm.bpmn.elements.process_index import ProcessIndex
from bpm.bpmn.elements.retries import compile_retries, count_retries
from bpm.bpmn.elements.tasks.job import JobTask
from bpm.bpmn.run import Run
from bpm.bpmn.state import Token
from bpm.bpmn.view import View


class CommandTask(JobTask):
    """Sends the command that its extensions name; `command` is empty where they name none."""

    kind = "command"

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        extensions = element.extensions
        self.default_result = "lastServiceResult"
        self.command = extensions.command
        self.fields = fields_given(extensions.inputs, extensions.body)
        self.is_mapped = extensions.inputs is not None or extensions.body is not None
        self.body = compilation.value(element, "its parameters", extensions.body) if extensions.body else None
        self.retries = compile_retries(element, extensions.retries, compilation)

    def contribute(self, parts: ProcessIndex) -> None:
        """A deployment checks the command."""
        if self.command:
            parts.commands.append(CommandUse(self.id, self.command, self.fields))

    def request(self, run: Run, token: Token, wait_id: int, attempt: int) -> Any:
        """The command with its parameters."""
        view, inputs = run.variables.view(token.scope), self.enter(run, token)
        parameters = self.parameters(view, inputs) if self.is_mapped else view
        retries = count_retries(self.retries(view.within(inputs) if inputs else view))
        return SendCommand(wait_id, attempt, self.id, self.command, parameters, self.is_mapped, retries)

    def parameters(self, view: View, inputs: dict[str, Any]) -> dict[str, Any]:
        """What the body and the mapping give; the mapping counts where both name a field."""
        return {**self.body(view), **inputs} if self.body else inputs


class ServiceTask(CommandTask):
    """Sends its command (BPMN 2.0.2, 10.3.3.1), or evaluates Camunda's `expression` in place."""

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        self.expression = compilation.formula(element, "its expression", element.extensions.expression)
        if not self.command and self.expression is None:
            compilation.problem(
                element,
                'it names no command; add <bpm:command type="…"/>, <zeebe:taskDefinition type="…"/>, '
                'camunda:type="external" with a camunda:topic, or the custom property ConnectorKey',
            )

    @property
    def stored_shape(self) -> tuple[object, ...]:
        """Whether it asks for work at all."""
        return (bool(self.command),)

    def activate(self, run: Run, token: Token) -> None:
        """Evaluate an expression at once; send anything else."""
        if self.expression is None or self.command:
            super().activate(run, token)
            return
        inputs = self.enter(run, token)
        result = self.expression(run.variables.view(token.scope).within(inputs))
        self.complete(run, token, None, result, NOTHING)
