"""Take running instances to another version of their process."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from bpm.bpmn.engine import advance
from bpm.bpmn.listener_changes import ListenerChanges, NotListening
from bpm.bpmn.migration import Comparison
from bpm.bpmn.triggers import ChangeListeners
from bpm.bus import Command, Context, Id, View, handles
from bpm.errors import Conflict, Invalid
from bpm.process import instance_tables, wait_tables
from bpm.process.parts import whole_state
from bpm.process.rows import InstanceRow
from bpm.process.runtime import ProcessRuntime
from bpm.process.transaction_budget import TransactionBudget
from bpm.security.permissions import Authority
from commands.processes.definitions import get_definition, refuse_draft
from commands.processes.views import Content, own_instance

MOST = 1_000
MOST_BYTES = 8 * 1024 * 1024
"""Maximum number of instances that one call migrates, and bytes of their states together."""


class MigratedView(View):
    """An instance, and which of the elements it stands on the new version lacks."""

    instance_id: int
    missing: list[str]
    """The elements that the new version lacks."""
    begins: list[str]
    """The events that begin to listen: the new version adds them where the instance stands."""
    ends: list[str]
    """The boundary events and event sub-processes that end to listen: the new version lacks them."""
    not_listening: str | None = None
    """The event that can't begin to listen, which refuses the migration."""
    problem: Annotated[str | None, Content] = None
    """Why it can't."""


class MigrationView(View):
    """What was migrated, or in a preview would be; `more` when further instances are left for another call."""

    preview: bool
    migrated: int
    """How many go on with the new version."""
    refused: int
    """How many can't."""
    instances: list[MigratedView]
    """The instances, each with the elements that the new version lacks."""
    more: bool
    """Whether others are left for another call."""


class MigrateProcessInstancesCommand(Command[MigrationView]):
    """Let running instances go on with another version of their process.

    Either one instance, or those of the definition `fromDefinitionId`, at most 1,000 and 8 MiB in a call. An instance
    can go on if every element it stands on exists in the new version, as the same kind and in the same sub-process; if
    one can't, nothing is done and the answer names what is missing. What it waits for already stays as it is, with its
    time, message and key. Boundary events, event sub-processes and events behind event-based gateways that the new
    version adds begin to listen at once; boundary events and event sub-processes that it lacks end.
    From then on its steps act for you as well: they do nothing that you may not do. With `preview` nothing is done.
    """

    permission = "processes:write"
    succeeded = "Process instances migrated successfully"
    failed = "Migration failed"
    sample = {"toDefinitionId": 2, "instanceId": 1}

    to_definition_id: Id
    """The version to go on with."""
    instance_id: Id | None = None
    from_definition_id: Id | None = None
    """The version whose instances are migrated."""
    preview: bool = False

    @classmethod
    def cross_check(cls, fields: Any) -> Any:
        """One instance or one definition's."""
        if (fields.get("instanceId") is None) == (fields.get("fromDefinitionId") is None):
            yield "instanceId: either it or fromDefinitionId is required"


@handles
def migrate(command: MigrateProcessInstancesCommand, context: Context, processes: ProcessRuntime) -> MigrationView:
    """Look at every instance first, then migrate them all."""
    target = get_definition(context, command.to_definition_id)
    refuse_draft(target, context.box)
    rows, more = _instances(command, context)
    for row in rows:
        if row.process_key != target.key:
            raise Invalid(f"toDefinitionId: is a version of {target.key}, and instance {row.id} runs {row.process_key}")
    candidates = _look_at(rows, context, processes, command.to_definition_id)
    views = [candidate.view for candidate in candidates]
    refused = [view for view in views if view.missing or view.not_listening]
    if not command.preview:
        if refused:
            raise Conflict(*[_refusal(view) for view in refused[:100]])
        budget = TransactionBudget()
        for candidate in candidates:
            _migrate(candidate, command.to_definition_id, context, processes, budget)
    return MigrationView(
        preview=command.preview,
        migrated=len(views) - len(refused),
        refused=len(refused),
        instances=views,
        more=more,
    )


def _instances(command: MigrateProcessInstancesCommand, context: Context) -> tuple[Sequence[InstanceRow], bool]:
    """Return the instances to migrate, and whether there are more for another call."""
    if command.instance_id is None:
        assert command.from_definition_id is not None
        get_definition(context, command.from_definition_id)
        return instance_tables.running_instances(context.tx, command.from_definition_id, MOST, MOST_BYTES)
    row = own_instance(context, command.instance_id)
    if row.ended_at is not None:
        raise Conflict(f"process instance {row.id} is {row.status}")
    return [row], False


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An instance that may be migrated, what is to be said of it, and what listens then that did not before."""

    row: InstanceRow
    view: MigratedView
    change: ChangeListeners | None


def _look_at(
    rows: Sequence[InstanceRow], context: Context, processes: ProcessRuntime, target_id: int
) -> list[_Candidate]:
    """Say of each instance what the target lacks, and what begins and ends to listen; all are of one version."""
    if not rows:
        return []
    old, new = [processes.deployed.process(context, each) for each in (rows[0].definition_id, target_id)]
    comparison, listeners = Comparison(old, new), ListenerChanges(old, new)
    found: list[_Candidate] = []
    for row in rows:
        state = whole_state(context, row)
        missing = comparison.missing(state)
        change = None if missing else listeners.of(state, context.principal.name)
        view = MigratedView(instance_id=row.id, missing=missing, begins=[], ends=[])
        if change is not None:
            view.begins, view.ends = change.names(state)
            try:
                advance(new, state, change, context.now(), processes.limits, TransactionBudget(0))
            except NotListening as error:
                view.not_listening, view.problem = error.event, str(error)
        found.append(_Candidate(row, view, change))
    return found


def _refusal(view: MigratedView) -> str:
    if view.missing:
        return f"instance {view.instance_id} stands on {', '.join(view.missing)}, which the new version lacks"
    return f"instance {view.instance_id}: '{view.not_listening}' can't begin to listen; a preview says why"


def _migrate(
    candidate: _Candidate, target_id: int, context: Context, processes: ProcessRuntime, budget: TransactionBudget
) -> None:
    """Let an instance go on with another version, and what is new in it listen."""
    row = candidate.row
    migrator = _answerable(row, context, processes).to_json()
    if not instance_tables.migrate_instance(context.tx, row.id, row.state_version, target_id, migrator):
        raise Conflict(f"instance {row.id} went on at the same moment; try again")
    if candidate.change is not None:
        processes.advance(context, row.id, candidate.change, budget=budget)


def _answerable(row: InstanceRow, context: Context, processes: ProcessRuntime) -> Authority:
    """Return who answers for an instance from now on, besides who started it and who wrote the new version.

    Work that it asked for already was written by others: while some is open, they and its last migrator stay.
    """
    migrator = context.principal.standing
    if not wait_tables.waits_of(context.tx, row.id, *wait_tables.STORED_WORK):
        return migrator
    authors = processes.deployed.authority(context.tx, row.definition_id)
    migrator = migrator.joined(authors)
    return migrator if row.migrator is None else migrator.joined(Authority.from_json(row.migrator))
