"""How this process is doing, and what waits on its database."""

from typing import Any, Protocol, runtime_checkable

from bpm.bus import Context, Moment, Query, View, handles
from bpm.store import Transaction
from bpm.store.retention import retention_marks
from router.quota import Quota
from router.status.tables import count_states


class InboundStatusView(View):
    """The requests that are not over, or ended badly: how many are in each state, at most 10,000 of each.

    `oldestWaitingSeconds` is how long ago the oldest one was received that was not yet tried, if there is one.
    """

    pending: int
    running: int
    failed: int
    dead: int
    quarantined: int
    oldest_waiting_seconds: float | None = None


class RefusedRequestsView(View):
    """What this process has kept today (UTC) of the requests that were refused or repeated, and what it may keep.

    `notKept` counts those for which there was no room; their senders were answered all the same.
    """

    requests: int
    requests_per_day: int
    bytes: int
    bytes_per_day: int
    not_kept: int


class RetentionView(View):
    """What a retention policy has pruned: in all, and in its last run."""

    name: str
    pruned: int
    last_pruned: int
    ran_at: Moment | None = None


class SystemStatusView(View):
    """How this process is doing, and what waits on its database.

    `jobsWaiting` counts the jobs of all kinds that have not begun, `inbound` and `refused` the requests of the
    sender's organisation. `sandboxLocks` are what confines scripts, each on, off or explained; `endpointsOff` are the
    providers whose fixed endpoints are off, each with the setting that switches it on.
    """

    version: str
    uptime_seconds: float
    draining: bool
    writer_waiting: int
    jobs_waiting: int
    jobs_running: int
    webhooks: int
    inbound: InboundStatusView
    refused: RefusedRequestsView
    retention: list[RetentionView]
    sandbox_locks: dict[str, bool | str]
    endpoints_off: dict[str, str]


@runtime_checkable
class StatusReporter(Protocol):
    """Composed where the parts are known."""

    def report(self, tx: Transaction) -> dict[str, Any]:
        """Return the fields of `SystemStatusView`; called from a database thread, so it only looks."""
        ...


class GetSystemStatusQuery(Query[SystemStatusView]):
    """Say how this process is doing: version, uptime, waiting work, the sandbox's locks, endpoints that are off."""

    permission = "system:read"
    succeeded = "System status retrieved successfully"


@handles
def report_status(
    query: GetSystemStatusQuery, context: Context, status: StatusReporter, quota: Quota
) -> SystemStatusView:
    """Ask every part."""
    counts, oldest = count_states(context.tx, context.organization_id)
    age = max(0.0, (context.now() - oldest).total_seconds()) if oldest is not None else None
    inbound = InboundStatusView(**counts, oldest_waiting_seconds=age)
    pruned = [RetentionView.model_validate(mark) for mark in retention_marks(context.tx)]
    parts = {"inbound": inbound, "refused": _refused(quota, context), "retention": pruned}
    return SystemStatusView.model_validate({**status.report(context.tx), **parts})


def _refused(quota: Quota, context: Context) -> RefusedRequestsView:
    today = quota.of(context.organization_id, context.now().date())
    return RefusedRequestsView(
        requests=today.requests,
        requests_per_day=quota.requests_per_day,
        bytes=today.bytes,
        bytes_per_day=quota.bytes_per_day,
        not_kept=today.not_kept,
    )
