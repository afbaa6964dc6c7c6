"""A collector for tests: what arrives at a receiver, read as the protocol of OpenTelemetry."""

import gzip
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from bpm.testing import ReceivedRequest


class CollectedSpan(NamedTuple):
    """A span as the collector has it, ids as hexadecimal digits; `links` are pairs of trace and span."""

    service: str
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, str | int | bool]
    links: list[tuple[str, str]]
    is_failed: bool
    nanoseconds: int


def spans_of(requests: Sequence[ReceivedRequest]) -> list[CollectedSpan]:
    """Return every span of requests to `/v1/traces`; raises for what no collector would take."""
    return [span for request in requests if request.path == "/v1/traces" for span in _read(request)]


def _read(request: ReceivedRequest) -> Iterator[CollectedSpan]:
    assert request.headers["content-type"] == "application/x-protobuf"
    assert request.headers["content-encoding"] == "gzip"
    message = ExportTraceServiceRequest.FromString(gzip.decompress(request.body))
    for group in message.resource_spans:
        named = {attribute.key: attribute.value.string_value for attribute in group.resource.attributes}
        for scope in group.scope_spans:
            yield from (_collected(span, named["service.name"]) for span in scope.spans)


def _collected(span: WireSpan, service: str) -> CollectedSpan:
    attributes = {each.key: getattr(each.value, each.value.WhichOneof("value") or "") for each in span.attributes}
    return CollectedSpan(
        service,
        span.name,
        span.kind,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        attributes,
        [(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        span.status.code == span.status.STATUS_CODE_ERROR,
        span.end_time_unix_nano - span.start_time_unix_nano,
    )
