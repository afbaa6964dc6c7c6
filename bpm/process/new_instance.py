"""The row of an instance that is about to begin."""

from bpm.bpmn.state import Status
from bpm.bus import Context
from bpm.process import instance_tables
from bpm.process.instances import NewInstance, Startable
from bpm.process.rows import InstanceRow
from bpm.security.stored_principal import principal_columns


def new_row(context: Context, deployed: Startable, new: NewInstance) -> InstanceRow:
    """Make it; its state is empty until something has to find it, at the latest until the transaction's end.

    It acts for whoever starts it, a called instance for whom the calling one acts for.
    """
    parent = new.parent
    starter = parent.starter if parent else (new.starter or context.principal)
    assert deployed.id is not None
    return InstanceRow(
        organization_id=context.organization_id,
        id=instance_tables.new_number(context.tx),
        definition_id=deployed.id,
        process_key=deployed.key,
        business_key=new.business_key,
        origin=new.origin,
        status=Status.RUNNING.value,
        state="",
        state_version=0,
        parts_size=0,
        history_count=0,
        **principal_columns(starter, "starter"),
        migrator=None,
        correlation_id=context.envelope.root,
        parent_id=parent.row.id if parent else None,
        parent_wait=parent.wait_id if parent else None,
        parent_attempt=parent.attempt if parent else None,
        root_id=(parent.row.root_id or parent.row.id) if parent else None,
        depth=parent.row.depth + 1 if parent else 0,
        created_at=context.now(),
        ended_at=None,
    )
