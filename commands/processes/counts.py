"""Where the instances of one version of a process stand."""

from collections import Counter

from bpm.bus import Context, Id, Moment, Query, View, handles
from bpm.process.definition_counts import count_definition
from commands.processes.definitions import get_definition
from commands.processes.views import Status

INCIDENT = "incident"


class ElementCountView(View):
    """How many tokens wait at an element, and how many of its failures wait for somebody."""

    element_id: str
    waiting: int
    """How many tokens wait there."""
    incidents: int
    """How many failures wait for somebody there."""


class ProcessDefinitionCountsView(View):
    """Instances by status, and elements at which something waits; only those begun since `countedSince`, or all."""

    instances: dict[Status, int]
    """How many instances have each status."""
    elements: list[ElementCountView]
    """The elements at which something waits."""
    counted_since: Moment | None
    """Only instances begun since then were counted; null for all."""


class GetProcessDefinitionCountsQuery(Query[ProcessDefinitionCountsView]):
    """Count the instances of one version by status, and what waits at each of its elements.

    The newest 25,000 instances of the organisation are looked at; `countedSince` says how far back that was.
    """

    permission = "processes:read"
    succeeded = "Process definition counted successfully"
    failed = "Process definition not found"

    id: Id


@handles
def count_instances(query: GetProcessDefinitionCountsQuery, context: Context) -> ProcessDefinitionCountsView:
    """Count them in the database."""
    get_definition(context, query.id)
    counts = count_definition(context.tx, context.organization_id, query.id)
    totals: dict[str, Counter[str]] = {}
    for element_id, kind, total in counts.elements:
        totals.setdefault(element_id, Counter())["incidents" if kind == INCIDENT else "waiting"] += total
    elements = [
        ElementCountView(element_id=element_id, waiting=each["waiting"], incidents=each["incidents"])
        for element_id, each in sorted(totals.items())
    ]
    return ProcessDefinitionCountsView.model_validate(
        {"instances": dict(counts.statuses), "elements": elements, "counted_since": counts.since}
    )
