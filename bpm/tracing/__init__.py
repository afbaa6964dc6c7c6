"""Traces for a collector of OpenTelemetry; what a span is and where its ids come from: `docs/reference/traces.md`.

Only `otlp` imports the libraries, which the extra `otel` installs; without a collector there is no `Tracer`.
"""

from bpm.tracing.ids import HEADER as TRACEPARENT
from bpm.tracing.ids import Traceparent, new_span_id, read_traceparent, trace_id_of
from bpm.tracing.span import AttributeValue, Kind, Span
from bpm.tracing.tracer import Exporter, Tracer

__all__ = [
    "TRACEPARENT",
    "AttributeValue",
    "Exporter",
    "Kind",
    "Span",
    "Traceparent",
    "Tracer",
    "new_span_id",
    "read_traceparent",
    "trace_id_of",
]
