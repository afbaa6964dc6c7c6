"""What people and the outside tell waiting instances: messages, callbacks, completed tasks."""

from typing import Annotated, Any, Literal

from pydantic import Field

from bpm.bus import Command, Context, Id, Moment, PagedQuery, View, handles
from bpm.bus.paging import Page
from bpm.errors import Conflict, NotFound
from bpm.process import tables
from bpm.process.runtime import NewInstance, ProcessRuntime
from bpm.process.tables import ProcessWait
from bpm.process.triggers import CompleteUserTask, MessageArrived
from commands.processes.instances import InstanceStateView, Key, correlated, nobody_waits, own_instance, state_view


class CorrelateMessageCommand(Command[InstanceStateView]):
    """Give a message to the instance that waits for its name and key, the longest waiting first.

    When none waits, a process that begins with this message is started.
    """

    permission = "processes:write"
    succeeded = "Message correlated successfully"
    failed = "Correlation failed"

    message_name: Annotated[str, Field(min_length=1, max_length=200)]
    correlation_key: Key | None = None
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])


@handles
def correlate(command: CorrelateMessageCommand, context: Context, processes: ProcessRuntime) -> InstanceStateView:
    """Find who waits, and go on there."""
    name, key = command.message_name, command.correlation_key
    return correlated(context, processes, name, key, command.variables) or _started(command, context, processes)


def _started(command: CorrelateMessageCommand, context: Context, processes: ProcessRuntime) -> InstanceStateView:
    deployed = tables.started_by(context.session, command.message_name)
    if deployed is None:
        raise NotFound(f"{nobody_waits(command.message_name, command.correlation_key)}, and it starts none")
    new = NewInstance(
        variables=command.variables,
        message=command.message_name,
        origin=f"{context.envelope.request_id}:{deployed.id}",
    )
    return state_view(context, processes.start(context, deployed, new))


class ReturnCallbackCommand(Command[InstanceStateView]):
    """Give a message to one instance, named by its id."""

    permission = "processes:write"
    succeeded = "Callback returned successfully"
    failed = "Callback failed"

    instance_id: Id
    message_name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])


@handles
def return_callback(command: ReturnCallbackCommand, context: Context, processes: ProcessRuntime) -> InstanceStateView:
    """Find the wait inside the instance, and go on there."""
    own_instance(context, command.instance_id)
    waits = [
        wait
        for wait in tables.waits_of(context.tx, command.instance_id, "message")
        if command.message_name in (None, wait.name)
    ]
    if not waits:
        raise NotFound(f"process instance {command.instance_id} does not wait for that message")
    processes.advance(context, command.instance_id, MessageArrived(waits[0].wait_id, command.variables))
    return state_view(context, command.instance_id)


class SignalProcessInstanceCommand(Command[InstanceStateView]):
    """Let a waiting instance go on: complete the user task or give the message that `taskId` waits for.

    Without `taskId` the instance must wait at one place only.
    """

    permission = "processes:write"
    succeeded = "Process instance signalled successfully"
    failed = "Signal failed"

    instance_id: Id
    task_id: Annotated[str, Field(max_length=200)] | None = None
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])


@handles
def signal(command: SignalProcessInstanceCommand, context: Context, processes: ProcessRuntime) -> InstanceStateView:
    """Answer the one wait that is meant."""
    own_instance(context, command.instance_id)
    waits = [
        wait
        for wait in tables.waits_of(context.tx, command.instance_id, "user", "message")
        if command.task_id in (None, wait.element_id)
    ]
    if not waits:
        raise NotFound(f"process instance {command.instance_id} does not wait there for anybody")
    if len(waits) > 1:
        names = ", ".join(wait.element_id for wait in waits)
        raise Conflict(f"it waits at several places; name one as taskId: {names}")
    wait = waits[0]
    answer = CompleteUserTask if wait.kind == "user" else MessageArrived
    processes.advance(context, command.instance_id, answer(wait.wait_id, command.variables))
    return state_view(context, command.instance_id)


class UserTaskView(View):
    """A task that waits for a person."""

    instance_id: int
    wait_id: int
    element_id: str
    name: str | None
    form_key: str | None = None
    assignee: str | None = None
    candidate_users: list[str] = Field(default_factory=list[str])
    candidate_groups: list[str] = Field(default_factory=list[str])
    priority: int | None = None
    variables: dict[str, Any] | None = None
    due_at: Moment | None
    created_at: Moment


class GetUserTaskListQuery(PagedQuery[Page[UserTaskView]]):
    """List the open user tasks, the oldest first unless sorted otherwise."""

    permission = "processes:read"
    succeeded = "User tasks retrieved successfully"

    sort_direction: Literal["asc", "desc"] = "asc"
    instance_id: Id | None = None


@handles
def list_user_tasks(query: GetUserTaskListQuery, context: Context) -> Page[UserTaskView]:
    """Return one page."""
    statement = tables.select_user_tasks(query.instance_id)
    columns = {"createdAt": "created_at", "dueAt": "due_at", "instanceId": "instance_id", "name": "name"}
    return query.page(context, statement, ProcessWait, _user_task, search=("name", "element_id"), sortable=columns)


class CompleteUserTaskCommand(Command[InstanceStateView]):
    """Complete a user task with what its form gave."""

    permission = "processes:write"
    succeeded = "User task completed successfully"
    failed = "Completion failed"

    instance_id: Id
    wait_id: Id
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])


@handles
def complete_user_task(
    command: CompleteUserTaskCommand, context: Context, processes: ProcessRuntime
) -> InstanceStateView:
    """Go on behind the task."""
    own_instance(context, command.instance_id)
    processes.advance(context, command.instance_id, CompleteUserTask(command.wait_id, command.variables))
    return state_view(context, command.instance_id)


def _user_task(row: Any) -> UserTaskView:
    return UserTaskView.model_validate(
        {
            "instance_id": row.instance_id,
            "wait_id": row.wait_id,
            "element_id": row.element_id,
            "name": row.name,
            "due_at": row.due_at,
            "created_at": row.created_at,
            **(row.data or {}),
        },
        by_alias=True,
        by_name=True,
    )
