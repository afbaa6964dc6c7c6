"""Tasks that wait for people."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from bpm.bpmn.triggers import CompleteUserTask
from bpm.bus import Command, Context, Id, Moment, Page, PagedQuery, Query, View, handles
from bpm.errors import Invalid, NotFound
from bpm.exact_json import write_json
from bpm.forms import shown_fields
from bpm.process import wait_tables
from bpm.process.rows import WaitRow
from bpm.process.runtime import ProcessRuntime
from bpm.process.sealing import restored_wait
from bpm.process.task_tables import narrowed_to, select_user_tasks
from bpm.process.wait_tables import ProcessWait
from bpm.schemas import SchemaError, problems
from commands.processes.assignment import person_of
from commands.processes.forms import TaskFormView, check_given, evaluating, given_form, task_form
from commands.processes.views import InstanceStateView, own_instance, state_view, visible_data

Name = Annotated[str, Field(min_length=1, max_length=200)]


class UserTaskView(View):
    """A task that waits for a person.

    `schema` is the JSON Schema that the form's values must satisfy, `form` the deployed form that it names.
    """

    instance_id: int
    wait_id: int
    element_id: str
    name: str | None
    form_key: str | None = None
    """What the model names the form."""
    assignee: str | None = None
    """Who is to do it."""
    candidate_users: list[str] = Field(default_factory=list[str])
    """Who may do it."""
    candidate_groups: list[str] = Field(default_factory=list[str])
    """Whose members may do it."""
    priority: int | None = None
    """How urgent it is."""
    variables: dict[str, Any] | None = None
    form_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    """The JSON Schema that the values must satisfy."""
    form: TaskFormView | None = None
    """The form that it shows."""
    due_at: Moment | None
    created_at: Moment


class GetUserTaskListQuery(PagedQuery[Page[UserTaskView]]):
    """List the open user tasks, the oldest first unless sorted otherwise; filters narrow the list together.

    `mine` are those that are `assigned` to you, or that you may claim (`offered`): by your user name, by a role of
    yours as a group, or because they are offered to nobody in particular.
    """

    permission = "processes:read"
    succeeded = "User tasks retrieved successfully"

    sort_direction: Literal["asc", "desc"] = "asc"
    """Whether the rows rise or fall."""
    instance_id: Id | None = None
    assignee: Name | None = None
    """Those of this person."""
    candidate_user: Name | None = None
    """Those that this person may do."""
    candidate_group: Name | None = None
    """Those that members of this group may do."""
    mine: Literal["assigned", "offered"] | None = None
    """Those that are assigned to you, or those that you may claim."""


@handles
def list_user_tasks(query: GetUserTaskListQuery, context: Context) -> Page[UserTaskView]:
    """Return one page."""
    wanted = (("assignee", query.assignee), ("user", query.candidate_user), ("group", query.candidate_group))
    statement = select_user_tasks(query.instance_id, [(kind, name) for kind, name in wanted if name is not None])
    if query.mine is not None:
        person = person_of(context)
        statement = narrowed_to(statement, person.name, person.groups, is_theirs=query.mine == "assigned")
    columns = {"createdAt": "created_at", "dueAt": "due_at", "instanceId": "instance_id", "name": "name"}
    search = ("name", "element_id")

    def show(row: ProcessWait) -> UserTaskView:
        return _user_task(row, context)

    return query.page(context, statement, ProcessWait, show, search=search, sortable=columns)


class OptionView(View):
    """What may be chosen in a field."""

    value: Any
    """What the field holds when it is chosen."""
    label: str
    """What people see of it."""


class ShownFieldView(View):
    """A field that is shown, or a list of rows."""

    path: str
    """Where its value stands, as in `order.rows[0].price`."""
    value: Any
    """What it holds."""
    is_locked: bool
    """Whether nobody can change it."""
    is_required: bool
    """Whether the task can't be completed without it."""
    options: list[OptionView] | None = None
    """What may be chosen; null where anything may be entered."""


class ShownFormView(View):
    """What of a task's form is shown; what is not among the fields is asked for nothing."""

    fields: list[ShownFieldView]
    """The fields in the order of the form."""


class GetUserTaskFormQuery(Query[ShownFormView]):
    """Say what of a task's deployed form is shown for the values that have been entered so far.

    Without `variables` its fields hold the variables of their names that the task sees.

    Its conditions, options and limits are evaluated here as when the task is completed, so that whoever draws the form
    needs no expressions.
    """

    permission = "processes:read"
    succeeded = "Form retrieved successfully"

    instance_id: Id
    wait_id: Id
    variables: dict[str, Any] | None = None
    """What has been entered."""


@handles
def show_form(query: GetUserTaskFormQuery, context: Context, processes: ProcessRuntime) -> ShownFormView:
    """Evaluate the form that the task names."""
    own_instance(context, query.instance_id)
    wait = wait_tables.find_wait(context.tx, query.instance_id, query.wait_id)
    form_id = restored_wait(wait.data, context.box).get("formDefinitionId") if wait is not None else None
    form = given_form(context, form_id) if form_id is not None else None
    if form is None:
        raise NotFound("no open task with a deployed form found with the specified ID")
    seen = processes.seen(context, query.instance_id, query.wait_id)
    with evaluating(form):
        found = shown_fields(form, query.variables, seen, context.now())
    return ShownFormView(fields=[ShownFieldView.model_validate(field) for field in found])


class CompleteUserTaskCommand(Command[InstanceStateView]):
    """Complete a user task with what its form gave; it must satisfy the task's form and schema, if it has such."""

    permission = "processes:write"
    succeeded = "User task completed successfully"
    failed = "Completion failed"

    instance_id: Id
    wait_id: Id
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])
    """What the form gave."""


@handles
def complete_user_task(
    command: CompleteUserTaskCommand, context: Context, processes: ProcessRuntime
) -> InstanceStateView:
    """Go on behind the task."""
    own_instance(context, command.instance_id)
    check_form(
        wait_tables.find_wait(context.tx, command.instance_id, command.wait_id),
        command.variables,
        context,
        processes,
    )
    completed = CompleteUserTask(command.wait_id, command.variables)
    return state_view(processes.advance(context, command.instance_id, completed))


def check_form(wait: WaitRow | None, variables: Mapping[str, Any], context: Context, processes: ProcessRuntime) -> None:
    """Raise `Invalid` when a form's values do not satisfy the form or the schema of the task that waits for them."""
    data = restored_wait(wait.data, context.box) if wait is not None else {}
    if wait is not None and (form_id := data.get("formDefinitionId")) is not None:
        check_given(context, processes, form_id, (wait.instance_id, wait.wait_id), dict(variables))
    schema = data.get("schema")
    if schema is not None:
        check_values(schema, variables)


def check_values(schema: Any, variables: Mapping[str, Any]) -> None:
    """Raise `Invalid` when values do not satisfy a form's JSON Schema."""
    try:
        found = problems(write_json(schema).decode(), dict(variables))
    except SchemaError as error:  # of a version that was deployed before schemas were checked
        raise Invalid(f"the form's schema {error}; deploy a version with another one") from error
    if found:
        raise Invalid(*(f"variables{problem.removeprefix('data')}" for problem in found))


def _user_task(row: ProcessWait, context: Context) -> UserTaskView:
    data = visible_data(restored_wait(row.data, context.box)) or {}
    form_id = data.get("formDefinitionId")
    return UserTaskView.model_validate(
        {
            "instance_id": row.instance_id,
            "wait_id": row.wait_id,
            "element_id": row.element_id,
            "name": row.name,
            "due_at": row.due_at,
            "created_at": row.created_at,
            "form": None if form_id is None else task_form(context, form_id),
            **data,
        },
        by_alias=True,
        by_name=True,
    )
