"""Failures of captured requests in groups: many requests, few reasons."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from bpm.bus import Context, Id, Moment, Query, View, handles
from bpm.bus.fingerprints import fingerprint, normalised
from bpm.bus.paging import When
from bpm.store.session import ScopedSession
from commands.inbound.views import Verdict
from router.tables.failures import FailedRequest, newest_failures
from router.tables.requests import PASSED, State

MAX_GROUPS = 100
MAX_MEMBERS = 1_000
"""Maximum number of requests of a group: `ReplayInboundRequestsCommand` takes no more."""


class FailureGroupView(View):
    """Requests that failed for the same reason: the verdict, the rule's revision, and the sentence but for its values.

    `sentence` is that of the newest one, `newestId`. `requestIds` are there when the group was asked for by its
    `fingerprint`: the newest 1,000, for `ReplayInboundRequestsCommand`.
    """

    fingerprint: str
    """What all requests of the group share."""
    verdict: Verdict
    config_id: int | None
    config_key: str | None
    revision: int | None
    sentence: str
    """What went wrong, of the newest one."""
    count: int
    """How many requests there are."""
    states: dict[State, int]
    """How many are in each state."""
    first_seen: Moment
    """When the oldest came."""
    last_seen: Moment
    """When the newest came."""
    newest_id: str
    """The id of the newest."""
    request_ids: list[str]
    """The newest 1,000, if one group was asked for."""


class FailureGroupsView(View):
    """Groups, that with the newest failure first; only those received since `groupedSince` were looked at, or all.

    `leftOut` is how many further groups there are.
    """

    items: list[FailureGroupView]
    """The groups, that with the newest failure first."""
    left_out: int
    grouped_since: Moment | None
    """Only requests since then were looked at; null for all."""


class GetInboundFailureGroupsQuery(Query[FailureGroupsView]):
    """Group captured requests that were refused, that failed or that are dead, by their reason.

    The newest 2,500 of each of these states are looked at, as far as their bodies take 32 MiB together: the answer
    says in `groupedSince` how far back that was; to look further back, send that as `endDate`. At most 100 groups are
    shown. `fingerprint` chooses one group and lists its requests.
    """

    permission = "inbound:read"
    succeeded = "Failure groups retrieved successfully"

    config_id: Id | None = None
    fingerprint: Annotated[str, Field(pattern="^[0-9a-f]{16}$")] | None = None
    """Only this group, with its requests."""
    start_date: When | None = None
    end_date: When | None = None


@handles
def group_failures(query: GetInboundFailureGroupsQuery, context: Context) -> FailureGroupsView:
    """Look through the newest failures once."""
    failed, since = newest_failures(context.session, query.start_date, query.end_date, query.config_id)
    groups = _grouped(failed)
    if query.fingerprint is not None:
        groups = {name: members for name, members in groups.items() if name == query.fingerprint}
    views = [_view(name, members, listed=query.fingerprint is not None) for name, members in groups.items()]
    views.sort(key=lambda view: view.last_seen, reverse=True)
    return FailureGroupsView(items=views[:MAX_GROUPS], left_out=max(0, len(views) - MAX_GROUPS), grouped_since=since)


def members_of(
    name: str, session: ScopedSession, start: datetime | None, end: datetime | None, config_id: int | None
) -> tuple[list[str], datetime | None]:
    """Return the ids of a group's requests, the oldest first, and since when these are all."""
    failed, since = newest_failures(session, start, end, config_id)
    members = sorted(_grouped(failed).get(name, ()), key=_received)
    return [row.request_id for row in members], since


def _grouped(failed: Iterable[FailedRequest]) -> dict[str, list[FailedRequest]]:
    groups: dict[str, list[FailedRequest]] = {}
    for row in failed:
        name = fingerprint(row.cause, row.config_id, row.revision, normalised(_sentence(row)))
        groups.setdefault(name, []).append(row)
    return groups


def _view(name: str, members: list[FailedRequest], *, listed: bool) -> FailureGroupView:
    members.sort(key=_received, reverse=True)
    newest = members[0]
    states: dict[str, int] = {}
    for row in members:
        states[row.state] = states.get(row.state, 0) + 1
    fields: dict[str, Any] = newest._asdict() | {
        "fingerprint": name,
        "verdict": newest.cause or PASSED,
        "sentence": _sentence(newest),
        "count": len(members),
        "states": states,
        "first_seen": members[-1].received_at,
        "last_seen": newest.received_at,
        "newest_id": newest.request_id,
        "request_ids": [row.request_id for row in members[:MAX_MEMBERS]] if listed else [],
    }
    return FailureGroupView.model_validate(fields)


def _received(row: FailedRequest) -> datetime:
    return row.received_at


def _sentence(row: FailedRequest) -> str:
    return row.errors[0] if row.errors else ""
