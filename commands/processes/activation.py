"""Let versions of process definitions start instances, or keep them from it."""

from bpm.bus import Command, Context, Id, handles
from bpm.errors import Conflict
from bpm.process import definition_tables
from bpm.process.start_triggers import ProcessStarts
from commands.processes.definitions import ProcessDefinitionView, get_definition, refuse_draft, view


class ActivateProcessDefinitionCommand(Command[ProcessDefinitionView]):
    """Let a version start instances."""

    permission = "processes:write"
    succeeded = "Process definition activated successfully"
    failed = "Activation failed"

    id: Id


@handles
def activate(
    command: ActivateProcessDefinitionCommand, context: Context, process_starts: ProcessStarts
) -> ProcessDefinitionView:
    """Switch it on."""
    return _switch(context, command.id, process_starts, active=True)


class DeactivateProcessDefinitionCommand(Command[ProcessDefinitionView]):
    """Keep a version from starting instances; running ones go on."""

    permission = "processes:write"
    succeeded = "Process definition deactivated successfully"
    failed = "Deactivation failed"

    id: Id


@handles
def deactivate(
    command: DeactivateProcessDefinitionCommand, context: Context, process_starts: ProcessStarts
) -> ProcessDefinitionView:
    """Switch it off."""
    return _switch(context, command.id, process_starts, active=False)


def _switch(context: Context, definition_id: int, starts: ProcessStarts, *, active: bool) -> ProcessDefinitionView:
    row = get_definition(context, definition_id)
    definition_tables.lock_versions(context.tx, context.organization_id, row.key)
    context.session.refresh(row)
    refuse_draft(row, context.box)
    if row.is_active == active:
        raise Conflict(f"Process definition is already {'active' if active else 'inactive'}")
    row.is_active, row.updated_at = active, context.now()
    if active:
        row.switched_on_by = context.principal.standing.to_json()
    shown, key, version = view(row), row.key, row.version
    context.session.flush()
    if not active:
        _hand_over(context, key, version)
    starts.refresh(context, key)
    return shown


def _hand_over(context: Context, key: str, version: int) -> None:
    """Whoever switches a version off lets the newest older one begin instances by itself, and is asked in these."""
    older = definition_tables.newest_definition(context.session, key, active=True)
    if older is not None and older.version < version:
        authority = definition_tables.starters_of(older).joined(context.principal.standing)
        older.switched_on_by = authority.to_json()
        context.session.flush()
