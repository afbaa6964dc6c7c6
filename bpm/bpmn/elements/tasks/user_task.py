"""User task: offered to people, completed by one of them."""

from collections.abc import Mapping, Set
from datetime import datetime
from typing import Any, ClassVar, cast

from bpm.bpmn.binding import Binding
from bpm.bpmn.compilation.bindings import bind
from bpm.bpmn.compilation.compilation import Compilation
from bpm.bpmn.compilation.form_fields import FormFields
from bpm.bpmn.compilation.values import Evaluator, is_constant
from bpm.bpmn.definition import Element
from bpm.bpmn.effects import OpenUserTask
from bpm.bpmn.elements.activity import Activity
from bpm.bpmn.elements.process_index import ProcessIndex
from bpm.bpmn.run import Run
from bpm.bpmn.state import Token, Wait
from bpm.bpmn.timers import parse_date, parse_duration
from bpm.bpmn.view import View
from bpm.expressions import EvaluationError
from bpm.model_files.names import name_of

MAX_CANDIDATES = 1_000
"""Maximum number of users, and of groups, that a task is offered to."""


class UserTask(Activity):
    """Waits for a person (BPMN 2.0.2, 10.3.3.3); what the form gives becomes variables."""

    is_answered: ClassVar[bool] = True

    def __init__(self, element: Element, compilation: Compilation) -> None:
        super().__init__(element, compilation)
        extensions = element.extensions
        self.merges_result = True
        self.form = read_form(element, compilation)
        self.form_key = compilation.value(element, "its form key", extensions.form_key)
        self.assignee = compilation.value(element, "its assignee", extensions.assignee)
        self.candidate_users = compilation.value(element, "its candidate users", extensions.candidate_users)
        self.candidate_groups = compilation.value(element, "its candidate groups", extensions.candidate_groups)
        self.due_date = compilation.value(element, "its due date", extensions.due_date)
        self.priority = compilation.value(element, "its priority", extensions.priority)
        self.schema = extensions.form_schema
        self.fields = FormFields(element, compilation) if extensions.form_fields else None
        if self.schema and self.fields:
            compilation.contradiction(element, "it has a form schema beside its form's fields; leave one of them")
        if extensions.script:
            compilation.problem(element, "its Script is not executed; put a script task before the user task")

    def contribute(self, parts: ProcessIndex) -> None:
        """A deployment checks that the form is there."""
        super().contribute(parts)
        if self.form is not None:
            parts.forms[self.id] = self.form

    @property
    def declared(self) -> Set[str]:
        """Those at the top of its form's schema, and its form's fields, too."""
        properties = cast("dict[str, dict[str, Any]]", self.schema or {}).get("properties", {})
        return super().declared | properties.keys() | (self.fields.names if self.fields else set[str]())

    def activate(self, run: Run, token: Token) -> None:
        """Arm the boundary events and offer the task."""
        self.arm_boundaries(run, token)
        view = run.variables.view(token.scope)
        inputs = self.enter(run, token) if self.inputs else None
        local = view.within(inputs) if inputs else view
        run.effects.append(
            OpenUserTask(
                wait_id=run.waits.open("user", self.id, token),
                element_id=self.id,
                name=self.name,
                form_key=_text(self.form_key, local),
                assignee=_assignee(self.assignee(local)),
                candidate_users=_names(run, self.candidate_users(local), "candidate users"),
                candidate_groups=_names(run, self.candidate_groups(local), "candidate groups"),
                due=_due(self.due_date, local),
                priority=_priority(self.priority(local)),
                variables=inputs,
                schema=self.fields.schema(local) if self.fields else self.schema,
                form=self.form,
            )
        )
        run.record(self.id, "activated", token, inputs or {})
        run.tokens.rest(token)

    def complete(self, run: Run, token: Token, wait: Wait | None, result: Any, values: Mapping[str, Any]) -> None:
        """Take what the form gives, and its defaults for the rest."""
        if self.fields is not None and isinstance(result, dict):
            result = self.fields.filled(cast("dict[str, Any]", result), run.variables.view_of(token))
        super().complete(run, token, wait, result, values)


def read_form(element: Element, compilation: Compilation) -> tuple[str, Binding] | None:
    """Return the id of the form that a task names, and which version is meant."""
    named = element.extensions.form
    if named is None:
        return None
    if not named.id:
        compilation.problem(element, "its form's binding is not executed; it names no form by its id")
    elif not is_constant(named.id):
        compilation.problem(element, f"its form's id '{named.id}' is an expression, which is not executed")
    return named.id, bind(named.version, element, compilation)


def _text(evaluator: Evaluator, view: View) -> str | None:
    value = evaluator(view)
    return None if value in (None, "") else str(value)


def _assignee(value: Any) -> str | None:
    return None if value in (None, "") else name_of(value, "its assignee")


def _names(run: Run, value: Any, what: str) -> tuple[str, ...]:
    """Names from a list or from a text with commas; each is a row to write."""
    given = cast("list[Any]", value) if isinstance(value, list) else str(value or "").split(",")
    names = [str(name).strip() for name in given]
    if len(names) > MAX_CANDIDATES:
        raise EvaluationError(f"its {what} are more than {MAX_CANDIDATES}; name a group")
    run.steps.spend(len(names))
    return tuple([name_of(name, f"each of its {what}") for name in names if name])


def _due(evaluator: Evaluator, view: View) -> datetime | None:
    """A due date, or how long from now."""
    value = evaluator(view)
    if value in (None, ""):
        return None
    return parse_duration(value).after(view.now) if str(value).startswith("P") else parse_date(value)


def _priority(value: Any) -> int | None:
    if value in (None, ""):
        return None
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise EvaluationError(f"its priority '{value}' is not a whole number") from None
