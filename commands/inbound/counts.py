"""How many requests came in, minute by minute, hour by hour or day by day."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from bpm.bus import Context, Id, Moment, Query, View, handles
from bpm.bus.paging import When
from bpm.errors import Invalid
from commands.inbound.views import Verdict
from router.counts import tables
from router.counts.tables import Count, count_by_time
from router.tables.requests import PASSED, STATES, State

MAX_BUCKETS = 1_500
USUAL_BUCKETS = 60
MAX_ITEMS = 10_000
LENGTHS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
By = Literal["state", "verdict", "rule"]


class InboundCountView(View):
    """How many requests came within the bucket that begins at `at`; of state, verdict and rule that one that was asked.

    `configId` is None for what came to no rule.
    """

    at: Moment
    """When the bucket begins."""
    count: int
    """How many requests came."""
    state: State | None = None
    """The state that is counted."""
    verdict: Verdict | None = None
    config_id: int | None = None


class InboundCountsView(View):
    """Counts between two moments, the oldest first; buckets without requests are left out.

    With more than 100,000 requests of a state only the newest are counted: those since `countedSince`.
    """

    items: list[InboundCountView]
    start_date: Moment
    end_date: Moment
    counted_since: Moment | None
    """Only requests since then were counted; null for all."""


class GetInboundCountsQuery(Query[InboundCountsView]):
    """Count captured requests by time and by state, verdict or rule; without dates, in the last 60 buckets.

    At most 1,500 buckets and 10,000 counts are possible. Of each state at most 100,000 requests are counted, the
    newest of the time that was asked for; `countedSince` says how far back that was.
    """

    permission = "inbound:read"
    succeeded = "Inbound requests counted successfully"

    by: By = "state"
    """What is counted apart."""
    bucket: Literal["minute", "hour", "day"] = "hour"
    """How long a bucket is."""
    state: State | None = None
    """Only requests in this state."""
    config_id: Id | None = None
    start_date: When | None = None
    end_date: When | None = None


@handles
def count_requests(query: GetInboundCountsQuery, context: Context) -> InboundCountsView:
    """Count each state by its index, and add up what was asked for."""
    start, end = _bounds(query, context.now())
    totals: Counter[tuple[str, str | int | None]] = Counter()
    since: list[datetime] = []
    for state in STATES if query.state is None else (query.state,):
        counts = count_by_time(context.tx, context.organization_id, state, query.bucket, start, end, query.config_id)
        for found in counts:
            totals[found.at, _key(query.by, state, found)] += found.total
        since += _cut(counts)
    if len(totals) > MAX_ITEMS:
        raise Invalid(
            f"bucket: these are more than {MAX_ITEMS} counts; choose a shorter time, longer buckets or a rule"
        )
    name = {"state": "state", "verdict": "verdict", "rule": "config_id"}[query.by]
    items = [
        {"at": datetime.fromisoformat(at).replace(tzinfo=UTC), "count": count, name: key}
        for (at, key), count in sorted(totals.items(), key=lambda item: (item[0][0], str(item[0][1])))
    ]
    counted_since = max(since, default=None)
    return InboundCountsView.model_validate(
        {"items": items, "start_date": start, "end_date": end, "counted_since": counted_since}
    )


def _bounds(query: GetInboundCountsQuery, now: datetime) -> tuple[datetime, datetime]:
    length = LENGTHS[query.bucket]
    end = query.end_date or now
    start = query.start_date or end - length * USUAL_BUCKETS
    if start > end:
        raise Invalid("startDate: must not be after endDate")
    if (end - start) / length > MAX_BUCKETS:
        raise Invalid(f"bucket: there are more than {MAX_BUCKETS} in this time; choose a shorter time or longer ones")
    return start, end


def _key(by: By, state: State, found: Count) -> str | int | None:
    if by == "rule":
        return found.config_id
    return state if by == "state" else found.cause or PASSED


def _cut(counts: Sequence[Count]) -> list[datetime]:
    """Return since when a state was counted, if it has more requests than that."""
    if sum(found.total for found in counts) < tables.MAX_COUNTED:
        return []
    return [min(found.oldest for found in counts)]
