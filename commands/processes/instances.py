"""Start instances, look at them and cancel them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from bpm.bpmn.triggers import Cancel, CompleteTask, FailTask, GoOn, MessageArrived, TimerFired, Trigger
from bpm.bus import Command, Context, EffectContext, Id, Integer, Page, PagedQuery, Query, View, handles
from bpm.errors import Conflict, NotFound
from bpm.expressions import CLOCK
from bpm.process import definition_tables, instance_tables, wait_tables
from bpm.process.instance_tables import ProcessInstance
from bpm.process.instances import Startable
from bpm.process.jobs import ProcessJobs
from bpm.process.runtime import InstanceState, NewInstance, ProcessRuntime
from bpm.security.permissions import EXECUTE
from bpm.security.redaction import without_credentials
from bpm.settings import Settings
from commands.processes.definitions import get_definition, refuse_draft
from commands.processes.user_tasks import check_values
from commands.processes.views import (
    InstanceDetailView,
    InstanceStateView,
    InstanceView,
    Key,
    Status,
    own_instance,
    state_view,
    summary,
)


class StartProcessInstanceCommand(Command[InstanceStateView]):
    """Start an instance of a definition, or of the newest active version of `processKey`.

    `Supervised` waits, up to a limit, until the instance rests or has ended; `FireAndForget` returns at once.
    With `messageName` and a `startPolicy` of `correlate` or `correlateOrStart` the instance that waits for that
    message and key goes on instead. A new instance begins at the start event of `messageName`, if it has one.
    """

    permission = "processes:write"
    rehearsable = True
    succeeded = "Process instance started successfully"
    failed = "Process start failed"
    sample = {"processKey": "order", "variables": {"order": 7}}

    process_definition_id: Id | None = None
    process_key: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])
    business_key: Annotated[Key, Field(max_length=200)] | None = None
    execution_mode: Literal["Supervised", "FireAndForget"] = "Supervised"
    """Whether to wait until the instance rests."""
    start_policy: Literal["start", "correlate", "correlateOrStart"] = "start"
    message_name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    correlation_key: Key | None = None

    @classmethod
    def cross_check(cls, fields: Any) -> Any:
        """A definition must be named, in one of the two ways; correlating needs a message."""
        if (fields.get("processDefinitionId") is None) == (fields.get("processKey") is None):
            yield "processDefinitionId: either it or processKey is required"
        if fields.get("startPolicy") in ("correlate", "correlateOrStart") and not fields.get("messageName"):
            yield f"messageName: is required when startPolicy is {fields['startPolicy']}"


@handles
async def start(
    command: StartProcessInstanceCommand,
    context: EffectContext,
    processes: ProcessRuntime,
    process_jobs: ProcessJobs,
    settings: Settings,
) -> InstanceStateView:
    """Start it in one transaction; then, if supervised, run its jobs here."""
    state = await context.conclude(lambda inner: _start(command, inner, processes))
    if command.execution_mode == "FireAndForget" or state.status not in ("RUNNING", "WAITING"):
        return state  # what waits may wait for a process it called, which is still running
    await process_jobs.settle(state.instance_id, settings.sync_limit_seconds)
    return await context.read(lambda inner: state_view(processes.standing(inner, state.instance_id)))


class AdvancedView(View):
    """An instance that went on."""

    instance_id: int
    status: Status
    """How the instance is."""


class AdvanceProcessInstanceCommand(Command[AdvancedView]):
    """Answer a job of an instance; only the process engine itself may."""

    permission = EXECUTE

    instance_id: Id
    wait_id: Id
    attempt: Integer
    """Which attempt answers."""
    kind: Literal["command", "script", "timer", "pause", "calling", "decision", "cancelling"]
    """Which kind of job it was."""
    result: Any = None
    """What the job came to."""
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])
    failure: dict[str, Any] | None = None
    """Why the job failed."""
    has_rested: bool = True
    """Whether what the job asked for is over."""


@handles
def advance(command: AdvanceProcessInstanceCommand, context: Context, processes: ProcessRuntime) -> AdvancedView:
    """Hand the answer to the engine, or do what was put off."""
    if command.kind in ("calling", "decision", "cancelling"):
        status = processes.resume(context, command.instance_id, command.wait_id, command.attempt)
    else:
        status = processes.answer(context, command.instance_id, _trigger_of(command))
    return AdvancedView.model_validate({"instance_id": command.instance_id, "status": status})


class CancelProcessInstanceCommand(Command[InstanceStateView]):
    """End an instance, whatever it is doing."""

    permission = "processes:write"
    succeeded = "Process instance cancelled successfully"
    failed = "Cancellation failed"

    instance_id: Id
    reason: Annotated[str, Field(max_length=500)] = ""


@handles
def cancel(command: CancelProcessInstanceCommand, context: Context, processes: ProcessRuntime) -> InstanceStateView:
    """Cancel it and all that it called."""
    return state_view(processes.advance(context, command.instance_id, Cancel(command.reason)))


class GetProcessInstanceByIdQuery(Query[InstanceDetailView]):
    """Get an instance with its variables and what it waits for."""

    permission = "processes:read"
    succeeded = "Process instance retrieved successfully"
    failed = "Process instance not found"

    instance_id: Id


@handles
def get_instance(query: GetProcessInstanceByIdQuery, context: Context, processes: ProcessRuntime) -> InstanceDetailView:
    """Return its state, with secrets taken out of the variables."""
    state = state_view(processes.standing(context, query.instance_id))
    row = own_instance(context, query.instance_id)
    seen = {**state.model_dump(), "variables": without_credentials(state.variables)}
    return InstanceDetailView.model_validate({**summary(row).model_dump(), **seen})


class GetProcessInstanceListQuery(PagedQuery[Page[InstanceView]]):
    """List instances."""

    permission = "processes:read"
    succeeded = "Process instances retrieved successfully"

    process_definition_id: Id | None = None
    process_key: str | None = None
    status: Status | None = None
    """Those with this status."""
    business_key: Key | None = None
    parent_instance_id: Id | None = None


@handles
def list_instances(query: GetProcessInstanceListQuery, context: Context) -> Page[InstanceView]:
    """Return one page, the newest first."""
    statement = instance_tables.select_instances(
        query.process_definition_id,
        query.status,
        query.business_key,
        query.process_key,
        query.parent_instance_id,
    )
    search = ("business_key", "process_key")
    return query.page(context, statement, ProcessInstance, summary, search=search, unloaded=("state",))


def correlated(
    context: Context, processes: ProcessRuntime, message: str, key: str | None, variables: dict[str, Any]
) -> InstanceState | None:
    """Give a message to the instance that has waited longest for it with this key; None when none waits."""
    while (wait := wait_tables.first_message_wait(context.tx, context.organization_id, message, key)) is not None:
        try:
            return processes.advance(context, wait.instance_id, MessageArrived(wait.wait_id, variables))
        except Conflict:  # another server process may have given it a message meanwhile
            if wait_tables.find_wait(context.tx, wait.instance_id, wait.wait_id) is not None:
                raise
    return None


def nobody_waits(message: str, key: str | None) -> str:
    """Say that no instance waits for a message."""
    return f"no process instance waits for the message {message!r}{f' with the key {key!r}' if key is not None else ''}"


def _start(command: StartProcessInstanceCommand, context: Context, processes: ProcessRuntime) -> InstanceStateView:
    deployed = _definition(command, context)
    if command.start_policy != "start":
        name, key = command.message_name or "", command.correlation_key
        waiting = correlated(context, processes, name, key, command.variables)
        if waiting is not None:
            return state_view(waiting)
        if command.start_policy == "correlate":
            raise NotFound(nobody_waits(name, key))
    message = _start_message(command.message_name, deployed, context, processes)
    new = NewInstance(
        variables=command.variables if message else _start_values(command.variables, deployed, context, processes),
        business_key=command.business_key,
        message=message,
        origin=f"{context.envelope.work_key}:{deployed.id}",
    )
    return state_view(processes.start(context, deployed, new))


def _start_message(name: str | None, deployed: Startable, context: Context, processes: ProcessRuntime) -> str | None:
    if name is None or deployed.id is None:
        return None
    return name if name in processes.deployed.process(context, deployed.id).starts else None


def _start_values(
    given: dict[str, Any], deployed: Startable, context: Context, processes: ProcessRuntime
) -> dict[str, Any]:
    """What is given to a direct start, with the defaults of its form; raises `Invalid` for what does not fit that."""
    assert deployed.id is not None
    form = processes.deployed.process(context, deployed.id).start_fields
    if form is None:
        return given
    check_values(form.schema({CLOCK: context.now()}), given)
    return form.filled(given, {**given, CLOCK: context.now()})


def _definition(command: StartProcessInstanceCommand, context: Context) -> Startable:
    if command.process_definition_id is not None:
        wanted = command.process_definition_id
        deployed: Startable | None = definition_tables.find_startable(context.tx, context.organization_id, wanted)
        if deployed is None:
            raise NotFound(f"there is no process definition {wanted}")
    else:
        key = command.process_key or ""
        deployed = definition_tables.newest_startable(context.tx, context.organization_id, key)
        if deployed is None:
            raise NotFound(f"there is no active process {key}")
    if not deployed.is_active and deployed.id is not None:
        refuse_draft(get_definition(context, deployed.id), context.box)
        raise Conflict(f"process definition {deployed.id} is not active")
    return deployed


def _trigger_of(command: AdvanceProcessInstanceCommand) -> Trigger:
    if command.kind == "timer":
        return TimerFired(command.wait_id, command.has_rested)
    if command.kind == "pause":
        return GoOn(command.wait_id)
    if command.failure is not None:
        return FailTask(command.wait_id, command.attempt, command.failure["message"], command.failure.get("code"))
    return CompleteTask(command.wait_id, command.attempt, command.result, command.variables)
