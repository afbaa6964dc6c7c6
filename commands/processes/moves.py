"""Move the tokens of a running instance."""

from typing import Annotated, Any

from pydantic import Field

from bpm.bpmn.triggers import MoveTokens
from bpm.bus import Command, Context, Id, handles
from bpm.process.runtime import ProcessRuntime
from bpm.process.unsuitable import refusing_unsuitable
from commands.processes.views import InstanceStateView, own_instance, state_view

Elements = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=100)]


class ModifyProcessInstanceCommand(Command[InstanceStateView]):
    """Take away the tokens that rest at the elements of `cancel`, and put one before each of `startBefore`.

    `variables` are set before anything starts. What was open at a cancelled element is closed, called instances and
    everything inside a sub-process included. From then on the instance's steps act for you as well: they do nothing
    that you may not do. The history says who has moved what. All of it is done, or nothing.
    """

    permission = "processes:write"
    succeeded = "Process instance modified successfully"
    failed = "Modification failed"
    sample = {"instanceId": 1, "cancel": ["review"], "startBefore": ["ship"]}

    instance_id: Id
    cancel: Elements = Field(default_factory=list[str])
    """The elements whose tokens are taken away."""
    start_before: Elements = Field(default_factory=list[str])
    """The elements before which a token is put."""
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])

    @classmethod
    def cross_check(cls, fields: Any) -> Any:
        """Something has to be moved."""
        if not fields.get("cancel") and not fields.get("startBefore"):
            yield "startBefore: either it or cancel is required"


@handles
def modify(command: ModifyProcessInstanceCommand, context: Context, processes: ProcessRuntime) -> InstanceStateView:
    """Move them."""
    own_instance(context, command.instance_id)
    trigger = MoveTokens(tuple(command.cancel), tuple(command.start_before), command.variables, context.principal.name)
    with refusing_unsuitable("tokens can't be moved so"):
        return state_view(processes.advance(context, command.instance_id, trigger))
