"""Correct the variables of a running instance."""

from typing import Any

from pydantic import Field

from bpm.bpmn.triggers import SetVariables
from bpm.bus import Command, Context, Id, handles
from bpm.process.runtime import ProcessRuntime
from bpm.process.unsuitable import refusing_unsuitable
from commands.processes.views import InstanceStateView, own_instance, state_view


class SetProcessVariablesCommand(Command[InstanceStateView]):
    """Set variables of a running instance, whatever it is doing.

    What is not named stays as it is. Conditional events that hold now go on; tasks that were asked for already keep
    what they were given. From then on the instance's steps act for you as well: they do nothing that you may not do.
    The history says who has set what.
    """

    permission = "processes:write"
    succeeded = "Process variables set successfully"
    failed = "Setting variables failed"
    sample = {"instanceId": 1, "variables": {"approved": True}}

    instance_id: Id
    variables: dict[str, Any] = Field(min_length=1)
    """The variables to set."""


@handles
def set_variables(
    command: SetProcessVariablesCommand, context: Context, processes: ProcessRuntime
) -> InstanceStateView:
    """Write them."""
    own_instance(context, command.instance_id)
    trigger = SetVariables(command.variables, context.principal.name)
    with refusing_unsuitable("variables"):
        return state_view(processes.advance(context, command.instance_id, trigger))
