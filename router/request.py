"""A request as the router sees it, whatever server read it from the socket."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import parse_qsl

from bpm.clock import wire_time
from bpm.media import packing
from bpm.security.identifiers import new_id
from bpm.security.redaction import REDACTED
from router.body_secrets import mask, secret_spans
from router.expansion import expand
from router.mapping import Payload, decode_as, decode_body, fields_of, scope_of
from router.request_secrets import RequestSecrets

MAX_QUERY_FIELDS = 1_000
MAX_BODY_BYTES = 16 * 1024 * 1024
"""As large as any rule lets a body be; expanded it has the same limit."""


class RequestFields(dict[str, Any]):
    """What templates see of a request itself: `body` as text, and `bodyBase64`, which is made when it is asked for."""

    def __init__(self, body: bytes, fields: Mapping[str, Any]) -> None:
        """Take the body and the other fields."""
        super().__init__(fields, body=body.decode("utf-8", "replace"))
        self._body = body

    def __missing__(self, name: str) -> str:
        if name != "bodyBase64":
            raise KeyError(name)
        return b64encode(self._body).decode()


@dataclass
class InboundCall:
    """One HTTP request to the router; `path` has no prefix, header names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]
    query_string: str
    address: str
    received_at: datetime
    body: bytes = b""
    id: str = field(default_factory=new_id)
    max_bytes: int = MAX_BODY_BYTES
    reads_as: str | None = None
    """As what a rule reads the body; None when as its sender says."""

    def take(self, body: bytes, max_bytes: int) -> None:
        """Take the body as it was sent; expanded it may have as many bytes."""
        if max_bytes != self.max_bytes:
            self.__dict__.pop("content", None)
            self.__dict__.pop("payload", None)
        self.body, self.max_bytes = body, max_bytes

    def read_as(self, content_type: str | None) -> None:
        """Read the body from now on as a rule does that may say what it is, whatever its sender declares."""
        if content_type != self.reads_as:
            self.reads_as = content_type
            self.__dict__.pop("payload", None)

    @property
    def weight(self) -> int:
        """About how many bytes there are to read: of a compressed body as many as it may be expanded to."""
        return self.max_bytes if self.is_compressed else len(self.body)

    @property
    def is_compressed(self) -> bool:
        """Tell whether the body stands for another one, as its `Content-Encoding` says."""
        coding = self.headers.get("content-encoding")
        return coding is not None and bool(self.body) and packing(coding) is not None

    @cached_property
    def content(self) -> bytes:
        """The body as it was before it was compressed; raises `ValueError` as `expand` does."""
        if not self.is_compressed:
            return self.body
        return expand(self.body, self.headers["content-encoding"], self.max_bytes)

    @cached_property
    def query(self) -> dict[str, Any]:
        """The query's fields, of one that stands several times the list; raises `ValueError` for too many."""
        if self.query_string.count("&") >= MAX_QUERY_FIELDS:
            raise ValueError(f"the query has more than {MAX_QUERY_FIELDS} fields")
        return fields_of(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def parameters(self) -> dict[str, str]:
        """The query for those who expect one value a name: of several the last; raises as `query` does."""
        return {name: value[-1] if isinstance(value, list) else value for name, value in self.query.items()}

    @cached_property
    def payload(self) -> Payload:
        """The body read as the rule or else its content type says; raises `ValueError` when it is not that."""
        return self._decoded(self.content)

    def _decoded(self, content: bytes) -> Payload:
        declared = self.headers.get("content-type")
        if self.reads_as is None:
            return decode_body(declared, content)
        return decode_as(self.reads_as, declared, content)

    def scope(self, path_values: Mapping[str, str], confidential: RequestSecrets) -> dict[str, Any]:
        """Return what templates see: `payload headers query path request`, without what is confidential."""
        readable = self._readable(confidential)
        return scope_of(
            payload=self._usable(readable, confidential),
            headers=confidential.headers_to_use(self.headers),
            query=confidential.query_to_use(self.query),
            path=path_values,
            request=RequestFields(
                readable,
                {
                    "id": self.id,
                    "method": self.method,
                    "path": self.path,
                    "address": self.address,
                    "receivedAt": wire_time(self.received_at),
                },
            ),
        )

    def _usable(self, readable: bytes, confidential: RequestSecrets) -> Any:
        """Return the payload without what proves the sender, of a text as much as is readable of it."""
        if self.payload.kind != "text" or readable is self.content:
            return confidential.payload_to_use(self.payload.value)
        return REDACTED if not readable.strip(b"*") else self._decoded(readable).value

    def _readable(self, confidential: RequestSecrets) -> bytes:
        """Return the expanded body without the fields that prove the sender."""
        body = self.content
        if confidential.fields and body:
            return mask(body, secret_spans(body, self.payload, confidential.fields))
        return body

    @property
    def size(self) -> int:
        """How many bytes storing it takes, about."""
        headers = sum(len(name) + len(value) for name, value in self.headers.items())
        return len(self.path) + len(self.query_string) + headers + len(self.body)


class StoredCall(Protocol):
    """What is read of a stored request to make it a call again; each record that holds a whole request is one."""

    @property
    def request_id(self) -> str:
        """The id under which it is stored."""
        ...

    @property
    def method(self) -> str:
        """The HTTP method."""
        ...

    @property
    def path(self) -> str:
        """The path without the prefix."""
        ...

    @property
    def query(self) -> str:
        """The query as it may be seen."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers as they may be seen, by lower-case name."""
        ...

    @property
    def body(self) -> bytes:
        """The body as it may be seen; empty when it is not kept."""
        ...

    @property
    def sealed(self) -> str | None:
        """What is hidden in the others, encrypted."""
        ...

    @property
    def address(self) -> str:
        """The client's address."""
        ...

    @property
    def received_at(self) -> datetime:
        """When it came."""
        ...


def call_of(row: StoredCall) -> InboundCall:
    """Return a stored request as it may be seen; `router.request_seal` gives it back with what proves its sender."""
    return InboundCall(
        method=row.method,
        path=row.path,
        headers=row.headers,
        query_string=row.query,
        address=row.address,
        received_at=row.received_at,
        body=row.body,
        id=row.request_id,
    )
