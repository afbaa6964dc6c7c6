"""Look bulk jobs up, and what they touched."""

from typing import Literal

from bpm.bulk import tables
from bpm.bulk.tables import BulkJob, BulkRow, RowState, State
from bpm.bus import Context, Page, PagedQuery, Query, Registry, handles
from commands.bulk.actions import ActionName
from commands.bulk.jobs import BulkId, bulk_job, to_view
from commands.bulk.views import BulkJobView, BulkRowView


class GetBulkJobListQuery(PagedQuery[Page[BulkJobView]]):
    """List bulk jobs, the newest first."""

    permission = "messages:read"
    succeeded = "Bulk jobs retrieved successfully"

    state: State | None = None
    action: ActionName | None = None


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
    state: RowState | None = None


@handles
def list_bulk_rows(query: GetBulkJobRowListQuery, context: Context, registry: Registry) -> Page[BulkRowView]:
    """Return one page."""
    job = bulk_job(query.bulk_id, context, registry)
    statement = tables.select_job_rows(job.id, query.state)
    columns = {"number": "number", "completedAt": "completed_at"}
    show = BulkRowView.model_validate
    return query.page(context, statement, BulkRow, show, created="completed_at", sortable=columns, search=("ref",))
