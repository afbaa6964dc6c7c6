"""What happened in an instance."""

from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Context, Id, Integer, Moment, Query, View, handles
from bpm.bus.paging import PageNumber
from bpm.process import tables
from bpm.security.redaction import without_credentials
from commands.processes.views import own_instance


class HistoryEntryView(View):
    """What happened to a token at an element."""

    element_id: str
    event: str
    at: Moment
    token: int
    values: dict[str, Any]
    flows: list[str]


class HistoryView(View):
    """A stretch of an instance's history."""

    items: list[HistoryEntryView]
    total_count: int


class GetProcessInstanceHistoryQuery(Query[HistoryView]):
    """What happened in an instance, when, with which values."""

    permission = "processes:read"
    succeeded = "Process instance history retrieved successfully"
    failed = "Process instance not found"

    instance_id: Id
    page_number: PageNumber = 1
    page_size: Annotated[Integer, Field(ge=1, le=1000)] = 200


@handles
def history(query: GetProcessInstanceHistoryQuery, context: Context) -> HistoryView:
    """Return it in its order."""
    own_instance(context, query.instance_id)
    offset = (query.page_number - 1) * query.page_size
    rows, total = tables.history_of(context.tx, query.instance_id, query.page_size, offset)
    return HistoryView(items=[_entry(row) for row in rows], total_count=total)


def _entry(row: Any) -> HistoryEntryView:
    return HistoryEntryView.model_validate({**row._mapping, "values": without_credentials(row.values)})
