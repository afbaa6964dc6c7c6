"""Requests that were refused or failed, the newest, as groups of failures look at them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlmodel import col

from bpm.store.session import ScopedSession
from router.tables import listing
from router.tables.requests import DEAD, FAILED, QUARANTINED, REJECTED, InboundRequest, State

FAILURE_STATES: tuple[State, ...] = (FAILED, DEAD, REJECTED, QUARANTINED)
MAX_GROUPED = 2_500
"""Maximum number of requests looked at of each state, the newest first."""


class FailedRequest(NamedTuple):
    """What tells one failure from another."""

    request_id: str
    received_at: datetime
    state: State
    cause: str | None
    config_id: int | None
    config_key: str | None
    revision: int | None
    errors: list[str] | None


def newest_failures(
    session: ScopedSession, start: datetime | None, end: datetime | None, config_id: int | None
) -> tuple[list[FailedRequest], datetime | None]:
    """Return the newest refused and failed requests between two moments, and since when these are all; None: always."""
    by_state = [
        listing.between(listing.select_inbound(state=state, config_id=config_id), start, end)
        for state in FAILURE_STATES
    ]
    bounds = [listing.searched_since(session, statement, MAX_GROUPED) for statement in by_state]
    since = max((bound for bound in bounds if bound is not None), default=None)
    found = [row for statement in by_state for row in _rows(session, listing.between(statement, since, None))]
    return found, since


def _rows(session: ScopedSession, statement: Any) -> Iterator[FailedRequest]:
    columns = (getattr(InboundRequest, name) for name in FailedRequest._fields)
    newest = statement.with_only_columns(*columns).order_by(col(InboundRequest.received_at).desc()).limit(MAX_GROUPED)
    return map(FailedRequest._make, cast("Any", session).execute(newest))
