"""What `/metrics` shows, put together from the parts that count."""

from collections.abc import Callable, Iterable

from bpm.app.components import Components
from bpm.app.status import VERSION
from bpm.bus.tables import SCHEDULED
from bpm.clock import Clock
from bpm.events.delivery_tables import DELIVERIES
from bpm.metrics import Counter, Gauge, Metric
from bpm.web.metrics import Metrics
from router.tables.requests import INBOUND
from scripts import Sandbox

DEAD = (("request", INBOUND), ("delivery", DELIVERIES), ("message", SCHEDULED))
"""What may be given up, and where that is kept."""


def build_metrics(parts: Components, clock: Clock, requests: Counter, heartbeat: Callable[[], float | None]) -> Metrics:
    """Make what `/metrics` shows; `requests` are those of the webhooks, `heartbeat` is the worker's."""

    def counted() -> Iterable[Metric]:
        yield requests
        yield parts.bus.measured.messages
        yield parts.bus.measured.seconds
        yield parts.outbound.attempts
        yield script_runs(parts.sandbox)
        missing = len(parts.routing.secrets.unreadable)
        yield Gauge("bpm_rules_without_secret", "Active rules that refer to a secret that can't be read.", missing)
        yield from parts.foundation.database.metrics
        if parts.foundation.tracer is not None:
            yield parts.foundation.tracer.spans

    foundation = parts.foundation
    return Metrics(
        foundation.database,
        foundation.jobs,
        foundation.worker_watch,
        foundation.settings,
        clock,
        VERSION,
        DEAD,
        heartbeat,
        counted,
    )


def script_runs(sandbox: Sandbox) -> Counter:
    """Return how runs of scripts have ended."""
    runs = Counter("bpm_script_runs_total", "Runs of scripts: ok, or the reason of their failure.", "outcome")
    for outcome, count in sandbox.ends.items():
        runs.add(outcome, by=count)
    return runs
