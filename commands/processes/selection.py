"""Which incidents are chosen to be done something with."""

from typing import Annotated

from pydantic import Field

from bpm.bus import Context, Id, Integer, Query, View, handles
from bpm.process import incident_tables


class SelectedIncidentsView(View):
    """Incidents as `<instance>.<wait>`, those of the oldest instance first, of all that match."""

    ids: list[str]
    """The incidents that were chosen."""
    matched: int
    """How many match."""


class SelectIncidentsQuery(Query[SelectedIncidentsView]):
    """Choose incidents of all instances, of one process, of one version, or at one element, as a bulk job does."""

    permission = "processes:write"
    succeeded = "Incidents selected"

    process_key: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    definition_id: Id | None = None
    element_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    limit: Annotated[Integer, Field(ge=1, le=10_000)] = 1_000


@handles
def select_incidents(query: SelectIncidentsQuery, context: Context) -> SelectedIncidentsView:
    """Return their ids."""
    wanted = (context.organization_id, query.process_key, query.definition_id, query.element_id)
    found = incident_tables.incidents(context.tx, *wanted, limit=query.limit)
    ids = [f"{instance_id}.{wait_id}" for instance_id, wait_id in found]
    return SelectedIncidentsView(ids=ids, matched=incident_tables.count_incidents(context.tx, *wanted))
