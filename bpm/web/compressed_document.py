"""Documents that are the same for everybody: compressed once, when somebody first asks for them compressed."""

import gzip
from collections.abc import Mapping
from functools import cached_property

from starlette.requests import Request
from starlette.responses import Response


class CompressedDocument:
    """A document, and its gzip form for those who read that."""

    def __init__(self, body: bytes, media_type: str, headers: Mapping[str, str]) -> None:
        """Take the document and the headers it is sent with."""
        self._body = body
        self._media_type = media_type
        self._headers = {**headers, "Vary": "Accept-Encoding"}

    def response(self, request: Request) -> Response:
        """Return the answer to a request, in the form that it accepts."""
        if "gzip" in accepted_encodings(request.headers):
            return self._answer(self._packed, {"Content-Encoding": "gzip"})
        return self._answer(self._body, {})

    @cached_property
    def _packed(self) -> bytes:
        return gzip.compress(self._body)

    def _answer(self, body: bytes, encoding: Mapping[str, str]) -> Response:
        return Response(body, headers={**self._headers, **encoding}, media_type=self._media_type)


def accepted_encodings(headers: Mapping[str, str]) -> set[str]:
    """Return what `Accept-Encoding` names and does not refuse with `q=0` (RFC 9110, section 12.5.3)."""
    offers = [each.replace(" ", "").lower().partition(";q=") for each in headers.get("accept-encoding", "").split(",")]
    return {name for name, _, weight in offers if not weight or weight.strip("0.")}
