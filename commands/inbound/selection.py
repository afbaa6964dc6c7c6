"""Which captured requests are chosen to be done something with."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlmodel.sql.expression import SelectOfScalar

from bpm.bus import Context, Id, Integer, Moment, Query, View, handles
from bpm.bus.messages import WireModel
from bpm.bus.paging import When
from bpm.security.permissions import Permission
from commands.inbound.failures import members_of
from commands.inbound.lookup import select_matching
from router.replay.tables import among, count, oldest
from router.tables import listing
from router.tables.requests import InboundRequest

READ: Permission = "inbound:read"
"""To see captured requests: whoever searches them for words learns what is in their bodies."""
MAX_IDS = 1_000
RequestId = Annotated[str, Field(min_length=1, max_length=100)]
Replayable = Literal["dead", "failed", "quarantined", "rejected", "done"]


class RequestFilter(WireModel):
    """The filters of `GetInboundRequestListQuery`, and requests by their ids."""

    state: Replayable | None = None
    """Only requests in this state."""
    request_ids: Annotated[list[RequestId], Field(min_length=1, max_length=MAX_IDS)] | None = None
    """Only these requests."""
    verdict: Annotated[str, Field(max_length=50)] | None = None
    config_id: Id | None = None
    config_key: Annotated[str, Field(max_length=100)] | None = None
    provider: Annotated[str, Field(max_length=100)] | None = None
    address: Annotated[str, Field(max_length=100)] | None = None
    search_text: Annotated[str, Field(max_length=200)] | None = None
    start_date: When | None = None
    end_date: When | None = None

    def matching(self, context: Context) -> tuple[SelectOfScalar[InboundRequest], datetime | None]:
        """Select what matches; return also how far back the words count. Raises `Forbidden`."""
        if self.search_text:
            context.require(context.principal, READ, "Searching captured requests")
        statement, since = select_matching(
            context,
            self.search_text,
            self.start_date,
            self.end_date,
            state=self.state,
            cause=self.verdict,
            config_id=self.config_id,
            config_key=self.config_key,
            provider=self.provider,
            address=self.address,
        )
        statement = listing.between(statement, self.start_date, self.end_date)
        return (statement if self.request_ids is None else among(statement, self.request_ids)), since


def unchosen(fields: Mapping[str, Any]) -> Iterable[str]:
    """Say that requests are chosen by a state or by name."""
    if fields.get("state") is None and fields.get("requestIds") is None:
        yield "state: is required unless requestIds are given; choose dead, failed, quarantined, rejected or done"


class SelectedRequestsView(View):
    """The ids of requests, the oldest first, of all that match; a search for words looked no further than `since`."""

    ids: list[str]
    """The ids that were chosen."""
    matched: int
    """How many match."""
    since: Moment | None = None
    """Only requests since then were searched; null for all."""


class SelectInboundRequestsQuery(RequestFilter, Query[SelectedRequestsView]):
    """Choose captured requests, as a bulk job does: by the filters of the list, or one group of failures.

    `fingerprint` is the group's, as in `GetInboundFailureGroupsQuery`; it needs `inbound:read`, as `searchText` does.
    """

    permission = "inbound:write"
    succeeded = "Requests selected"
    sample = {"state": "dead"}

    fingerprint: Annotated[str, Field(pattern="^[0-9a-f]{16}$")] | None = None
    """Only requests of this group of failures."""
    limit: Annotated[Integer, Field(ge=1, le=10_000)] = 1_000

    @classmethod
    def cross_check(cls, fields: Mapping[str, Any]) -> Iterable[str]:
        """What is chosen is said."""
        return () if fields.get("fingerprint") is not None else unchosen(fields)


@handles
def select_requests(query: SelectInboundRequestsQuery, context: Context) -> SelectedRequestsView:
    """Return their ids."""
    if query.fingerprint is not None:
        context.require(context.principal, READ, "Looking through failures")
        ids, since = members_of(query.fingerprint, context.session, query.start_date, query.end_date, query.config_id)
        return SelectedRequestsView(ids=ids[: query.limit], matched=len(ids), since=since)
    statement, since = query.matching(context)
    ids = oldest(context.session, statement, query.limit)
    return SelectedRequestsView(ids=ids, matched=count(context.session, statement), since=since)
