"""What people and the outside tell waiting instances: messages, callbacks, completed tasks."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from bpm.bpmn.triggers import CompleteUserTask, MessageArrived
from bpm.bus import Command, Context, Id, Integer, View, handles
from bpm.errors import Conflict, NotFound
from bpm.process import wait_tables
from bpm.process.message_tables import keep_message, lock_name
from bpm.process.rows import WaitRow
from bpm.process.runtime import InstanceState, NewInstance, ProcessRuntime
from bpm.process.start_triggers import ProcessStarts
from bpm.security.sealing import seal_fields
from commands.processes.instances import correlated, nobody_waits
from commands.processes.user_tasks import check_form
from commands.processes.views import (
    Content,
    CurrentTaskView,
    InstanceStateView,
    Key,
    Status,
    own_instance,
    state_view,
)


class CorrelationView(View):
    """What became of a message.

    `outcome` says whether an instance went on (correlated), a new one was started, or nobody waited and the message
    is kept (buffered). The other fields show the instance, if there is one.
    """

    outcome: Literal["correlated", "started", "buffered"]
    """What became of the message."""
    instance_id: int | None = None
    status: Status | None = None
    """How the instance is."""
    variables: Annotated[dict[str, Any], Content] = Field(default_factory=dict[str, Any])
    current_tasks: list[CurrentTaskView] = Field(default_factory=list[CurrentTaskView])


class CorrelateMessageCommand(Command[CorrelationView]):
    """Give a message to the instance that waits for its name and key, the longest waiting first.

    When none waits, a process that begins with this message is started; when there is none of those either, the
    message is kept for `timeToLiveSeconds`, for the first instance that comes to wait for it.
    """

    permission = "processes:write"
    succeeded = "Message correlated successfully"
    failed = "Correlation failed"

    message_name: Annotated[str, Field(min_length=1, max_length=200)]
    correlation_key: Key | None = None
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])
    time_to_live_seconds: Annotated[Integer, Field(ge=0, le=30 * 86_400)] = 0
    """How long it is kept when nobody waits."""


@handles
def correlate(
    command: CorrelateMessageCommand, context: Context, processes: ProcessRuntime, process_starts: ProcessStarts
) -> CorrelationView:
    """Find who waits and go on there, start what begins with it, or keep it."""
    name, key = command.message_name, command.correlation_key
    standing = correlated(context, processes, name, key, command.variables)
    if standing is not None:
        return _correlation("correlated", standing)
    for trigger in process_starts.triggered(context, "message", name):
        origin = f"{context.envelope.work_key}:{trigger.definition_id}"
        new = NewInstance(command.variables, message=name, origin=origin)
        started = process_starts.begin(context, trigger.definition_id, new)
        if started is not None:
            return _correlation("started", started)
    if not command.time_to_live_seconds:
        raise NotFound(f"{nobody_waits(name, key)}, and it starts none")
    lock_name(context.tx, context.organization_id, name, key)
    standing = correlated(context, processes, name, key, command.variables)
    if standing is not None:
        return _correlation("correlated", standing)
    row = {
        "organization_id": context.organization_id,
        "name": name,
        "key": key,
        "variables": seal_fields(command.variables, context.box),
        "authority": context.principal.standing.to_json(),
        "expires_at": context.now() + timedelta(seconds=command.time_to_live_seconds),
        "created_at": context.now(),
    }
    keep_message(context.tx, row)
    return CorrelationView(outcome="buffered")


def _correlation(outcome: Literal["correlated", "started"], standing: InstanceState) -> CorrelationView:
    return CorrelationView(outcome=outcome, **state_view(standing).model_dump())


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
    waits = wait_tables.waits_of(context.tx, command.instance_id, "message", limit=1, name=command.message_name)
    if not waits:
        raise NotFound(f"process instance {command.instance_id} does not wait for that message")
    arrived = MessageArrived(waits[0].wait_id, command.variables)
    return state_view(processes.advance(context, command.instance_id, arrived))


class SignalProcessInstanceCommand(Command[InstanceStateView]):
    """Let a waiting instance go on: complete the user task or give the message that `taskId` waits for.

    Without `taskId` the instance must wait at one place only.
    """

    permission = "processes:write"
    succeeded = "Process instance signalled successfully"
    failed = "Signal failed"

    instance_id: Id
    task_id: Annotated[str, Field(max_length=200)] | None = None
    """The id of the element that waits; needless where the instance waits at one place."""
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])


@handles
def signal(command: SignalProcessInstanceCommand, context: Context, processes: ProcessRuntime) -> InstanceStateView:
    """Answer the one wait that is meant."""
    own_instance(context, command.instance_id)
    at, most = command.task_id, wait_tables.MOST_NAMED
    waits = wait_tables.waits_of(context.tx, command.instance_id, "user", "message", limit=most, element_id=at)
    if not waits:
        raise NotFound(f"process instance {command.instance_id} does not wait there for anybody")
    if len(waits) > 1:
        raise Conflict(_several(waits, at))
    wait = waits[0]
    check_form(wait, command.variables, context, processes)
    answer = CompleteUserTask if wait.kind == "user" else MessageArrived
    return state_view(processes.advance(context, command.instance_id, answer(wait.wait_id, command.variables)))


def _several(waits: Sequence[WaitRow], task_id: str | None) -> str:
    """Say what to do where an instance waits at several places, or several times at one."""
    places = dict.fromkeys(wait.element_id for wait in waits)
    if task_id is not None or len(places) == 1:
        return f"it waits several times at {next(iter(places))}; complete one by its waitId, or give its message by key"
    return f"it waits at several places; name one as taskId: {', '.join(places)}"
