"""How this process is doing, and what waits on its database."""

from collections.abc import Sequence
from math import ceil
from typing import Any, Protocol, runtime_checkable

from bpm.bus import Context, Moment, Query, View, handles
from bpm.store import Transaction
from bpm.store.retention import retention_marks
from router.quota import Quota
from router.status.tables import count_states, latest_durations


class InboundStatusView(View):
    """The requests that are not over, or ended badly: how many are in each state, at most 10,000 of each.

    `oldestWaitingSeconds` is how long ago the oldest one was received that was not yet tried, if there is one. Of the
    latest hundred that were done it is told how long they took, from their receipt on.
    """

    pending: int
    """How many wait for a worker."""
    running: int
    """How many are being executed."""
    failed: int
    """How many have failed and are tried again."""
    dead: int
    """How many were given up."""
    quarantined: int
    """How many were refused and kept."""
    oldest_waiting_seconds: float | None = None
    """How long the oldest untried one has waited."""
    median_seconds: float | None = None
    """How long half of the latest took at most; null while none was done."""
    p95_seconds: float | None = None
    """How long 95 of 100 of the latest took at most."""


class RefusedRequestsView(View):
    """What this process has kept today (UTC) of the requests that were refused or repeated, and what it may keep.

    `notKept` counts those for which there was no room; their senders were answered all the same.
    """

    requests: int
    """How many were kept today."""
    requests_per_day: int
    """How many may be kept in a day."""
    bytes: int
    """How many bytes were kept today."""
    bytes_per_day: int
    """How many bytes may be kept in a day."""
    not_kept: int
    """For how many there was no room."""


class RetentionView(View):
    """What a retention policy has pruned: in all, and in its last run."""

    name: str
    """The policy."""
    pruned: int
    """How many rows it has taken in all."""
    last_pruned: int
    """How many rows its last run took."""
    ran_at: Moment | None = None
    """When it last ran."""


class SystemStatusView(View):
    """How this process is doing, and what waits on its database.

    `jobsWaiting` counts the jobs of all kinds that have not begun, `inbound` and `refused` the requests of the
    sender's organisation. `sandboxLocks` are what confines scripts, each on, off or explained; `endpointsOff` are the
    providers whose fixed endpoints are off, each with the setting that switches it on.
    """

    version: str
    """The version of the product."""
    uptime_seconds: float
    """How long the process has run."""
    draining: bool
    """Whether it is stopping."""
    writer_waiting: int
    """How many units of work wait for the writer."""
    jobs_waiting: int
    """How many jobs have not begun."""
    jobs_running: int
    """How many jobs are being done."""
    workers: int | None = None
    """How many workers show signs of life, in this process or elsewhere; null while it is too early to say."""
    webhooks: int
    """How many rules there are."""
    inbound: InboundStatusView
    """The requests that are not over."""
    refused: RefusedRequestsView
    """What was kept of refused requests."""
    retention: list[RetentionView]
    """What each policy has taken."""
    sandbox_locks: dict[str, bool | str]
    """What confines scripts, each on, off or explained."""
    endpoints_off: dict[str, str]
    """Providers whose endpoints are off, with the setting that switches each on."""


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
    took = latest_durations(context.tx, context.organization_id)
    inbound = InboundStatusView(
        **counts, oldest_waiting_seconds=age, median_seconds=_within(took, 0.5), p95_seconds=_within(took, 0.95)
    )
    pruned = [RetentionView.model_validate(mark) for mark in retention_marks(context.tx)]
    parts = {"inbound": inbound, "refused": _refused(quota, context), "retention": pruned}
    return SystemStatusView.model_validate({**status.report(context.tx), **parts})


def _within(durations: Sequence[float], share: float) -> float | None:
    """Return what this share of durations, which are in order, does not exceed."""
    return durations[ceil(share * len(durations)) - 1] if durations else None


def _refused(quota: Quota, context: Context) -> RefusedRequestsView:
    today = quota.of(context.organization_id, context.now().date())
    return RefusedRequestsView(
        requests=today.requests,
        requests_per_day=quota.requests_per_day,
        bytes=today.bytes,
        bytes_per_day=quota.bytes_per_day,
        not_kept=today.not_kept,
    )
