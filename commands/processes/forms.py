"""Deploy the forms of user tasks, and look them up."""

from contextlib import AbstractContextManager
from functools import partial
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.exc import IntegrityError

from bpm.bus import Command, Context, EffectContext, Moment, Page, PagedQuery, View, handles
from bpm.errors import Conflict, Invalid
from bpm.exact_json import read_json
from bpm.forms import Form, problems, read_form
from bpm.process.form_tables import DeployedForm, find_form, newest_form, select_forms
from bpm.process.runtime import ProcessRuntime
from bpm.process.sealing import restored_source, stored_source
from bpm.process.unsuitable import refusing_unsuitable
from bpm.security.permissions import Authority
from bpm.security.secret_names import SOURCE_NAMES
from bpm.threads import in_thread

FormJson = Annotated[str, Field(min_length=1, max_length=256 * 1024)]


class FormView(View):
    """One version of a form; `key` is its id in the file."""

    id: int
    key: str
    """The id of the form in its file."""
    version: int
    version_tag: str | None = None
    created_at: Moment


class TaskFormView(FormView):
    """The form that a task shows; `definition` is the file."""

    definition: dict[str, Any]
    """The file of the form."""


SAMPLE = """{
  "type": "default",
  "id": "review",
  "components": [{"type": "checkbox", "key": "approved", "label": "Approved"}]
}
"""
"""The example that the catalogue shows."""


class CreateFormDefinitionCommand(Command[FormView]):
    """Deploy a form of Camunda's modeller (`.form`, JSON); one that is known already gets its next version.

    User tasks name it by its id. Components that are not known are refused, each with its key.
    """

    permission = "processes:write"
    succeeded = "Form deployed successfully"
    sources = SOURCE_NAMES
    failed = "Validation failed"
    sample = {"formJson": SAMPLE}

    form_json: FormJson
    """The text of a `.form` file."""


@handles
async def create(command: CreateFormDefinitionCommand, context: EffectContext) -> FormView:
    """Read the file, and keep the form's next version."""
    form = await in_thread(context.organization_id, partial(read_form, command.form_json))
    return await context.conclude(lambda inner: _deploy(command, inner, form))


def _deploy(command: CreateFormDefinitionCommand, context: Context, form: Form) -> FormView:
    newest = newest_form(context.session, form.id)
    row = DeployedForm(
        key=form.id,
        version=newest.version + 1 if newest is not None else 1,
        version_tag=form.version_tag or None,
        form_json=stored_source(command.form_json, context.box),
        author_id=context.principal.id,
        authority=context.principal.standing.to_json(),
        created_at=context.now(),
    )
    try:
        with context.tx.savepoint():
            context.session.add(row)
            context.session.flush()
            return FormView.model_validate(row)
    except IntegrityError as error:
        raise Conflict("another version was deployed at the same moment; try again") from error


class GetFormDefinitionListQuery(PagedQuery[Page[FormView]]):
    """List the versions of forms; `key` is a form's id in its file."""

    permission = "processes:read"
    succeeded = "Forms retrieved successfully"

    key: str | None = None
    """Those of this form, by its id in the file."""


@handles
def list_forms(query: GetFormDefinitionListQuery, context: Context) -> Page[FormView]:
    """Return one page, the newest first."""
    columns = {"createdAt": "created_at", "id": "id", "key": "key", "version": "version"}
    statement = select_forms(query.key)
    show = FormView.model_validate
    return query.page(
        context, statement, DeployedForm, show, search=("key",), sortable=columns, unloaded=("form_json",)
    )


def task_form(context: Context, form_id: int) -> TaskFormView | None:
    """Show a version of a form with all that is in it."""
    row = find_form(context.session, form_id)
    if row is None:
        return None
    definition = read_json(restored_source(row.form_json, context.box))
    return TaskFormView(**FormView.model_validate(row).model_dump(), definition=definition)


def given_form(context: Context, form_id: int) -> Form | None:
    """Return a version of a form, or None when it is gone."""
    row = find_form(context.session, form_id)
    return None if row is None else read_form(restored_source(row.form_json, context.box))


def check_given(
    context: Context, processes: ProcessRuntime, form_id: int, place: tuple[int, int], given: dict[str, Any]
) -> None:
    """Raise `Invalid` with what is wrong with the values given to a form; `place` is the instance and its wait.

    Whoever wrote the form says which values a step may have, so the instance's tasks act for them as well.
    """
    row = find_form(context.session, form_id)
    if row is None:
        return
    form = read_form(restored_source(row.form_json, context.box))
    seen = processes.seen(context, *place)
    with evaluating(form):
        found = problems(form, given, seen, context.now())
    if found:
        raise Invalid(*found)
    if given and row.authority is not None:
        processes.answer_for(context, place[0], Authority.from_json(row.authority))


def evaluating(form: Form) -> AbstractContextManager[None]:
    """Raise `Invalid` where an expression of the form can't be evaluated."""
    return refusing_unsuitable(f"the form {form.id} can't be evaluated", advice="deploy another version")
