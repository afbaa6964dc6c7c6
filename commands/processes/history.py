"""What happened in an instance."""

from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Context, Id, Integer, Moment, Query, View, handles
from bpm.bus.paging import PageNumber, Skip, until_full
from bpm.process import history_tables
from bpm.process.rows import HistoryEntry
from bpm.security.redaction import without_credentials
from commands.processes.views import own_instance


class HistoryEntryView(View):
    """What happened to a token at an element."""

    element_id: str
    event: str
    """What happened."""
    at: Moment
    """When it happened."""
    token: int
    """The number of the token."""
    values: dict[str, Any]
    """What belongs to it, secrets as `***`."""
    flows: list[str]
    """The flows that the token took."""


class HistoryView(View):
    """A stretch of an instance's history; like a page it ends early when its entries are large (see `leftOut`)."""

    items: list[HistoryEntryView]
    left_out: int = 0
    total_count: int


class GetProcessInstanceHistoryQuery(Query[HistoryView]):
    """What happened in an instance, when, with which values."""

    permission = "processes:read"
    succeeded = "Process instance history retrieved successfully"
    failed = "Process instance not found"

    instance_id: Id
    page_number: PageNumber = 1
    page_size: Annotated[Integer, Field(ge=1, le=1000)] = 200
    skip: Skip = 0
    """How many entries of the page are passed over: those that an answer had which was cut."""


@handles
def history(query: GetProcessInstanceHistoryQuery, context: Context) -> HistoryView:
    """Return it in its order."""
    own_instance(context, query.instance_id)
    offset = (query.page_number - 1) * query.page_size
    entries, total = history_tables.history_of(
        context.tx, query.instance_id, query.page_size - query.skip, offset + query.skip
    )
    items = until_full(map(_entry, entries))
    whole = min(query.page_size, max(0, total - offset))
    return HistoryView(items=items, left_out=max(0, whole - query.skip - len(items)), total_count=total)


def _entry(entry: HistoryEntry) -> HistoryEntryView:
    return HistoryEntryView.model_validate({**entry._asdict(), "values": without_credentials(entry.values)})
