"""What an HTTP address answers, and how it is sent."""

from dataclasses import dataclass, replace
from typing import Self

from starlette.types import Send

JSON = "application/json"

BODILESS = (204, 205, 304)
"""Statuses whose answers have no body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5)."""

NO_STORE = ("cache-control", "no-store")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body, its content type, and further headers with lower-case names.

    `has_length` tells whether the length of what GET returns is known: an answer to HEAD names no other one
    (RFC 9110, section 8.6).
    """

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    has_length: bool = True

    def with_headers(self, *headers: tuple[str, str]) -> Self:
        """Return the same answer with more headers."""
        return replace(self, headers=self.headers + headers)

    def head(self, request_id: str) -> list[tuple[bytes, bytes]]:
        """Return the header fields as they are sent; a status without a body has none that describe one."""
        given = [
            (b"x-request-id", request_id.encode()),
            *((_encoded(name), _encoded(value)) for name, value in self.headers),
        ]
        if self.status in BODILESS:
            return given
        return [
            (b"content-type", _encoded(self.content_type)),
            *(((b"content-length", b"%d" % len(self.body)),) if self.has_length else ()),
            (b"x-content-type-options", b"nosniff"),
            *given,
        ]


async def send_answer(send: Send, answer: Answer, request_id: str, *, is_head: bool = False) -> None:
    """Send an answer; to a HEAD request only its header fields, which tell what GET would return."""
    body = b"" if is_head or answer.status in BODILESS else answer.body
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.head(request_id)})
    await send({"type": "http.response.body", "body": body})


def _encoded(text: str) -> bytes:
    return text.encode("latin-1", "replace")
