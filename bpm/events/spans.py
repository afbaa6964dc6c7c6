"""The span of an attempt to deliver, below which its receiver goes on."""

import time

from bpm.events.attempt_result import AttemptResult
from bpm.events.delivery_tables import DeliveryRow
from bpm.tracing import AttributeValue, Tracer, new_span_id


class DeliverySpans:
    """Made when an attempt begins; without a tracer it says and does nothing."""

    def __init__(self, tracer: Tracer | None, row: DeliveryRow) -> None:
        """Take the delivery as it was read."""
        self._tracer = tracer
        self._row = row
        self._began = time.perf_counter()
        self._id = new_span_id() if tracer is not None else 0

    @property
    def traceparent(self) -> str:
        """The header for the receiver; empty where nothing is traced."""
        return self._tracer.traceparent(self._row.correlation_id, self._id) if self._tracer is not None else ""

    def record(self, result: AttemptResult) -> None:
        """Write down how the attempt ended."""
        if self._tracer is None:
            return
        row = self._row
        attributes: dict[str, AttributeValue] = {
            "bpm.event.id": row.event_id,
            "bpm.event.type": row.event,
            "bpm.delivery.id": row.id,
            "bpm.delivery.attempt": row.attempts + 1,
            "bpm.subscription.id": row.subscription_id,
            "bpm.organization.id": row.organization_id,
        }
        if result.status is not None:
            attributes["http.response.status_code"] = result.status
        self._tracer.record(
            f"deliver {row.event}",
            row.correlation_id,
            time.perf_counter() - self._began,
            attributes,
            kind="client",
            span_id=self._id,
            is_failed=not result.ok,
        )
