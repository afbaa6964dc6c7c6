"""Begin activities of an ad hoc sub-process."""

from typing import Annotated, Any

from pydantic import Field

from bpm.bpmn.triggers import ActivateActivities
from bpm.bus import Command, Context, Id, handles
from bpm.errors import Conflict
from bpm.process import wait_tables
from bpm.process.runtime import ProcessRuntime
from bpm.process.unsuitable import refusing_unsuitable
from commands.processes.views import InstanceStateView, own_instance, state_view

Name = Annotated[str, Field(min_length=1, max_length=200)]
Activities = Annotated[list[Name], Field(max_length=100)]


class ActivateAdHocActivitiesCommand(Command[InstanceStateView]):
    """Begin activities of an ad hoc sub-process in a running instance; each as often as it is named.

    `elementId` is the sub-process; it may be left out if only one is open. `variables` are set before anything begins.
    With `isLast` nothing further is begun afterwards: the sub-process ends when what runs in it has ended. The detail
    of its task among `currentTasks` lists the activities that can be begun.
    """

    permission = "processes:write"
    succeeded = "Activities activated successfully"
    failed = "Activation failed"
    sample = {"instanceId": 1, "activities": ["call-customer"]}

    instance_id: Id
    element_id: Name | None = None
    activities: Activities = Field(default_factory=list[str])
    """The ids of the activities to begin."""
    variables: dict[str, Any] = Field(default_factory=dict[str, Any])
    is_last: bool = False
    """Whether nothing further begins afterwards."""

    @classmethod
    def cross_check(cls, fields: Any) -> Any:
        """Something has to be begun, or ended."""
        if not fields.get("activities") and not fields.get("isLast"):
            yield "activities: name at least one, or set isLast"


@handles
def activate(command: ActivateAdHocActivitiesCommand, context: Context, processes: ProcessRuntime) -> InstanceStateView:
    """Let the sub-process begin them."""
    row = own_instance(context, command.instance_id)
    found = wait_tables.waits_of(context.tx, row.id, "adHoc", element_id=command.element_id)
    if len(found) != 1:
        where = f" '{command.element_id}'" if command.element_id else ""
        raise Conflict(f"{len(found)} ad hoc sub-processes{where} are open in process instance {row.id}; one must be")
    trigger = ActivateActivities(found[0].wait_id, tuple(command.activities), command.variables, command.is_last)
    with refusing_unsuitable("activities can't be begun so"):
        return state_view(processes.advance(context, row.id, trigger))
