"""Mend what failed in an instance: try it again, or skip it."""

from typing import Any

from pydantic import Field

from bpm.bpmn.triggers import Retry, Skip
from bpm.bus import Command, Context, Id, handles
from bpm.errors import Conflict, Invalid
from bpm.process import wait_tables
from bpm.process.runtime import ProcessRuntime
from bpm.process.unsuitable import refusing_unsuitable
from commands.processes.views import InstanceStateView, own_instance, state_view

AT_ONCE = 1_000
"""Maximum number of incidents that one command answers; its result shows those that are left."""


class RetryIncidentCommand(Command[InstanceStateView]):
    """Try again what failed, with `variables` set first; without `waitId`, every incident of the instance.

    When variables are set the instance's steps act for you as well from then on.
    """

    permission = "processes:write"
    succeeded = "Incident is being retried"
    failed = "Retry failed"

    instance_id: Id
    wait_id: Id | None = None
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])


@handles
def retry(command: RetryIncidentCommand, context: Context, processes: ProcessRuntime) -> InstanceStateView:
    """Take the incidents up where they stopped."""
    return _answer(command, context, processes, Retry)


class SkipFailedTaskCommand(Command[InstanceStateView]):
    """Leave a failed task as if it had succeeded, with `variables` for its result.

    From then on the instance's steps act for you as well: they do nothing that you may not do.
    """

    permission = "processes:write"
    succeeded = "Failed task skipped"
    failed = "Skipping failed"

    instance_id: Id
    wait_id: Id | None = None
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])


@handles
def skip(command: SkipFailedTaskCommand, context: Context, processes: ProcessRuntime) -> InstanceStateView:
    """Go on after the element."""
    return _answer(command, context, processes, Skip)


def _answer(
    command: RetryIncidentCommand | SkipFailedTaskCommand,
    context: Context,
    processes: ProcessRuntime,
    trigger: type[Retry | Skip],
) -> InstanceStateView:
    own_instance(context, command.instance_id)
    incidents = _incidents(context, command.instance_id, command.wait_id)
    triggers = [trigger(wait_id, command.variables) for wait_id in incidents]
    with refusing_unsuitable("variables"):
        return state_view(processes.advance(context, command.instance_id, *triggers))


def _incidents(context: Context, instance_id: int, wait_id: int | None) -> list[int]:
    if wait_id is not None:
        wait = wait_tables.find_wait(context.tx, instance_id, wait_id)
        if wait is not None and wait.kind == "incident":
            return [wait_id]
    waiting = [wait.wait_id for wait in wait_tables.waits_of(context.tx, instance_id, "incident", limit=AT_ONCE)]
    if not waiting:
        raise Conflict(f"process instance {instance_id} has no incident")
    if wait_id is not None:
        raise Invalid(
            f"waitId: must be one of its incidents, as {', '.join(map(str, waiting[: wait_tables.MOST_NAMED]))}"
        )
    return waiting
