"""What is sent for a delivery: body and headers, in the form the subscription asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bpm.clock import wire_time
from bpm.events.destination import Destination
from bpm.events.signature_style import EVENT_ID, style_of
from bpm.exact_json import write_json
from bpm.security.causation_header import HEADER as CAUSE
from bpm.signatures.message_signatures import SignedMessage
from bpm.tracing import TRACEPARENT

JSON = "application/json"
CLOUD_EVENT = "application/cloudevents+json"
STANDARD, STRUCTURED, BINARY = "standard", "cloudevents-structured", "cloudevents-binary"
PLANDOCKET = "plandocket"
SPEC_VERSION = "1.0"
USER_AGENT = "bpm-bus"


@dataclass(frozen=True, slots=True)
class EventNotice:
    """An event as receivers learn of it; `data` is JSON text, `cause` the header of `bpm.security.causation_header`.

    `traceparent` is the header by which receivers go on in the trace, where there is one.
    """

    id: str
    type: str
    at: datetime
    data: bytes
    cause: str = ""
    traceparent: str = ""

    @property
    def timestamp(self) -> str:
        """When it happened."""
        return wire_time(self.at)


@dataclass(frozen=True, slots=True)
class DeliveryRequest:
    """One request to be made."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    timeout_seconds: float
    organization_id: int = 0


def make_request(
    destination: Destination, notice: EventNotice, transformed: bytes | None, source: str, now: datetime
) -> DeliveryRequest:
    """Return the request for a notice; `transformed` stands for the body, or for the data of a CloudEvent."""
    body = _body(destination.format, notice, transformed, source)
    content_type = CLOUD_EVENT if destination.format == STRUCTURED else JSON
    described = _described(notice, source) if destination.format == BINARY else {}
    message = SignedMessage(destination.url, content_type, notice.id, body, described)
    headers = _merged(
        destination.headers,
        {"User-Agent": USER_AGENT, "Content-Type": content_type, "Accept-Encoding": "identity"},
        *_proofs(destination, message, now),
        {CAUSE: notice.cause} if notice.cause else {},
        {TRACEPARENT: notice.traceparent} if notice.traceparent else {},
        described,
    )
    return DeliveryRequest(destination.url, headers, body, destination.timeout_seconds, destination.organization_id)


def _proofs(destination: Destination, message: SignedMessage, now: datetime) -> Iterator[Mapping[str, str]]:
    """Return the event's id, the signature that the subscription chose, and its interface's own."""
    secrets, seconds = destination.signing_secrets(now), now.timestamp()
    yield {EVENT_ID: message.webhook_id}
    yield destination.signature.headers(secrets, message, seconds)
    if destination.dialect == PLANDOCKET:
        yield style_of(PLANDOCKET).headers(secrets, message, seconds)


def _merged(*parts: Mapping[str, str]) -> dict[str, str]:
    """Return all headers, each once however it is spelled: the last one counts."""
    return dict({name.lower(): (name, text) for part in parts for name, text in part.items()}.values())


def standard_body(notice: EventNotice) -> bytes:
    """Return `{"type", "timestamp", "data"}`, the payload of Standard Webhooks."""
    return b'{"type":%b,"timestamp":"%b","data":%b}' % (
        write_json(notice.type),
        notice.timestamp.encode(),
        notice.data,
    )


def _body(format_: str, notice: EventNotice, transformed: bytes | None, source: str) -> bytes:
    if format_ == STRUCTURED:
        attributes = {**_attributes(notice, source), "datacontenttype": JSON}
        return write_json(attributes)[:-1] + b',"data":%b}' % (transformed or notice.data)
    if format_ == BINARY:
        return transformed or notice.data
    return transformed or standard_body(notice)


def _attributes(notice: EventNotice, source: str) -> dict[str, Any]:
    """The attributes of CloudEvents 1.0 (https://github.com/cloudevents/spec, 3.1)."""
    return {
        "specversion": SPEC_VERSION,
        "id": notice.id,
        "type": notice.type,
        "source": source,
        "time": notice.timestamp,
    }


def _described(notice: EventNotice, source: str) -> dict[str, str]:
    """Return the headers that say what the body of a CloudEvent in binary mode is."""
    return {f"ce-{name}": _header_value(value) for name, value in _attributes(notice, source).items()}


def _header_value(value: str) -> str:
    """Write an attribute as a header: what is not visible ASCII is percent-encoded (HTTP binding, 3.1.3.2)."""
    return "".join(
        c if "!" <= c <= "~" and c not in '"%' else "".join(f"%{byte:02X}" for byte in c.encode()) for c in value
    )
