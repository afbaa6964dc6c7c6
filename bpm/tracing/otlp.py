"""Spans in the OpenTelemetry protocol, over HTTP (https://opentelemetry.io/docs/specs/otlp/)."""

import logging
from collections.abc import Mapping, Sequence

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from bpm.tracing.ids import Traceparent
from bpm.tracing.span import Kind, Span

PATH = "/v1/traces"
TIMEOUT_SECONDS = 3.0
"""How long the collector may take for a batch, further tries included."""

SENT = TraceFlags(TraceFlags.SAMPLED)
KINDS: Mapping[Kind, SpanKind] = {
    "server": SpanKind.SERVER,
    "internal": SpanKind.INTERNAL,
    "client": SpanKind.CLIENT,
    "consumer": SpanKind.CONSUMER,
}


class OtlpExporter:
    """See `bpm.tracing.tracer.Exporter`."""

    def __init__(self, endpoint: str, headers: Mapping[str, str], service: str, version: str) -> None:
        """Send to the collector at `endpoint`, with headers that prove who sends."""
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # the tracer tells of it, once
        self._resource = Resource({"service.name": service, "service.version": version})
        self._scope = InstrumentationScope("bpm", version)
        self._exporter = OTLPSpanExporter(
            endpoint.rstrip("/") + PATH,
            headers=dict(headers),
            timeout=TIMEOUT_SECONDS,
            compression=Compression.Gzip,
        )

    def export(self, spans: Sequence[Span]) -> bool:
        """Send them; tells whether they were taken."""
        return self._exporter.export([self._written(span) for span in spans]) is SpanExportResult.SUCCESS

    def close(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()

    def _written(self, span: Span) -> ReadableSpan:
        parent = None if span.parent_id is None else _context(Traceparent(span.trace_id, span.parent_id))
        return ReadableSpan(
            span.name,
            _context(Traceparent(span.trace_id, span.span_id)),
            parent,
            self._resource,
            span.attributes,
            links=[Link(_context(link)) for link in span.links],
            kind=KINDS[span.kind],
            status=Status(StatusCode.ERROR if span.is_failed else StatusCode.UNSET),
            start_time=span.began_at,
            end_time=span.ended_at,
            instrumentation_scope=self._scope,
        )


def _context(span: Traceparent) -> SpanContext:
    return SpanContext(span.trace_id, span.span_id, is_remote=False, trace_flags=SENT)
