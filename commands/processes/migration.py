"""Take running instances to another version of their process."""

from typing import Any

from bpm.bpmn.migration import missing_elements
from bpm.bpmn.state import Instance
from bpm.bus import Command, Context, Id, View, handles
from bpm.errors import Conflict, Invalid
from bpm.process import tables
from bpm.process.runtime import ProcessRuntime
from commands.processes.definitions import found
from commands.processes.views import own_instance

MOST = 1_000


class MigratedView(View):
    """An instance, and which of the elements it stands on the new version lacks."""

    instance_id: int
    missing: list[str]


class MigrationView(View):
    """What was migrated, or in a preview would be; `more` when further instances are left for another call."""

    preview: bool
    migrated: int
    refused: int
    instances: list[MigratedView]
    more: bool


class MigrateProcessInstancesCommand(Command[MigrationView]):
    """Let running instances go on with another version of their process.

    Either one instance, or those of the definition `fromDefinitionId`, at most 1,000 in a call. An instance can go
    on if every element it stands on exists in the new version, as the same kind and in the same sub-process;
    if one can't, nothing is done and the answer names what is missing. What it waits for already stays as it is.
    From then on its steps act for you as well: they do nothing that you may not do. With `preview` nothing is done.
    """

    permission = "processes:write"
    succeeded = "Process instances migrated successfully"
    failed = "Migration failed"

    to_definition_id: Id
    instance_id: Id | None = None
    from_definition_id: Id | None = None
    preview: bool = False

    @classmethod
    def cross_check(cls, fields: Any) -> Any:
        """One instance or one definition's."""
        if (fields.get("instanceId") is None) == (fields.get("fromDefinitionId") is None):
            yield "instanceId: either it or fromDefinitionId is required"


@handles
def migrate(command: MigrateProcessInstancesCommand, context: Context, processes: ProcessRuntime) -> MigrationView:
    """Look at every instance first, then migrate them all."""
    target = found(context, command.to_definition_id)
    rows = _instances(command, context)
    new = processes.deployed.process(context, command.to_definition_id)
    for row in rows:
        if row.process_key != target.key:
            raise Invalid(f"toDefinitionId: is a version of {target.key}, and instance {row.id} runs {row.process_key}")
    views = [_look_at(row, context, processes, new) for row in rows[:MOST]]
    refused = [view for view in views if view.missing]
    if not command.preview:
        if refused:
            raise Conflict(
                *(f"instance {view.instance_id} stands on {', '.join(view.missing)}, which the new version lacks"
                  for view in refused[:100])
            )  # fmt: skip
        target_id, migrator = command.to_definition_id, context.principal.standing.to_json()
        for row in rows[:MOST]:
            if not tables.migrate_instance(context.tx, row.id, row.state_version, target_id, migrator):
                raise Conflict(f"instance {row.id} went on at the same moment; try again")
    return MigrationView(
        preview=command.preview,
        migrated=len(views) - len(refused),
        refused=len(refused),
        instances=views,
        more=len(rows) > MOST,
    )


def _instances(command: MigrateProcessInstancesCommand, context: Context) -> list[Any]:
    if command.instance_id is None:
        assert command.from_definition_id is not None
        found(context, command.from_definition_id)
        return list(tables.running_instances(context.tx, command.from_definition_id, MOST + 1))
    row = own_instance(context, command.instance_id)
    if row.ended_at is not None:
        raise Conflict(f"process instance {row.id} is {row.status}")
    return [row]


def _look_at(row: Any, context: Context, processes: ProcessRuntime, new: Any) -> MigratedView:
    old = processes.deployed.process(context, row.definition_id)
    return MigratedView(instance_id=row.id, missing=missing_elements(Instance.from_json(row.state), old, new))
