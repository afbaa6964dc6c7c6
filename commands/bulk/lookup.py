"""Look bulk jobs up, and what they touched."""

from typing import Literal, cast

from bpm.bulk import tables
from bpm.bulk.tables import BulkJob, BulkRow, RowState, State
from bpm.bus import Context, Page, PagedQuery, Query, Registry, handles
from commands.bulk.actions import ACTIONS, Action, ActionName
from commands.bulk.jobs import BulkId, bulk_job, to_view
from commands.bulk.views import BulkJobView, BulkRowView


class GetBulkJobListQuery(PagedQuery[Page[BulkJobView]]):
    """List bulk jobs, the newest first."""

    permission = "messages:read"
    succeeded = "Bulk jobs retrieved successfully"

    state: State | None = None
    """Those in this state."""
    action: ActionName | None = None
    """Those that do this."""


@handles
def list_bulk_jobs(query: GetBulkJobListQuery, context: Context) -> Page[BulkJobView]:
    """Return one page."""
    return query.page(context, tables.select_jobs(query.state, query.action), BulkJob, to_view)


class GetBulkJobByIdQuery(Query[BulkJobView]):
    """Say how far a bulk job is."""

    permission = "messages:read"
    succeeded = "Bulk job retrieved successfully"
    failed = "Bulk job not found"

    bulk_id: BulkId
    """The id of the bulk job."""


@handles
def get_bulk_job(query: GetBulkJobByIdQuery, context: Context, registry: Registry) -> BulkJobView:
    """Look it up."""
    return to_view(bulk_job(query.bulk_id, context, registry))


class GetBulkJobRowListQuery(PagedQuery[Page[BulkRowView]]):
    """List the rows of a bulk job in their order: what it touched, what came of each, and what it has not touched."""

    permission = "messages:read"
    succeeded = "Rows of the bulk job retrieved successfully"
    failed = "Bulk job not found"

    sort_direction: Literal["asc", "desc"] = "asc"
    bulk_id: BulkId
    """The id of the bulk job."""
    state: RowState | None = None
    """Rows in this state."""


@handles
def list_bulk_rows(query: GetBulkJobRowListQuery, context: Context, registry: Registry) -> Page[BulkRowView]:
    """Return one page."""
    job = bulk_job(query.bulk_id, context, registry)
    statement = tables.select_job_rows(job.id, query.state)
    columns = {"number": "number", "completedAt": "completed_at"}
    may_read = context.principal.allows(reading(ACTIONS[cast("ActionName", job.action)], registry))

    def show(row: BulkRow) -> BulkRowView:
        view = BulkRowView.model_validate(row)
        return view if may_read else view.model_copy(update={"errors": None})

    return query.page(context, statement, BulkRow, show, created="completed_at", sortable=columns, search=("ref",))


def reading(action: Action, registry: Registry) -> str | None:
    """Return the permission to read what an action is about: sentences of refusals may repeat it."""
    permission = registry.find(action.message_type).message_type.permission
    return None if permission is None else f"{permission.partition(':')[0]}:read"
