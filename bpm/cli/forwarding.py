"""Sends a captured request to an address of one's own, as it came but for what proves its sender."""

import asyncio
import time
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import httpx

from bpm.cli.connection import LOOPBACK, host_of
from bpm.cli.output import OutputFormat, print_json
from bpm.cli.terminal import say
from bpm.terminal_text import in_one_line

STARS = "***"
OF_THE_CONNECTION = frozenset(
    {
        *("host", "content-length", "transfer-encoding", "content-encoding", "expect"),
        *("connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"),
    }
)
SECONDS = 30.0
SHOWN = 500
"""How much of an answer is shown."""


class UnsendableRequest(Exception):
    """A request can't be sent as it came, however long one waits; the sentence says why."""


@dataclass(frozen=True, slots=True)
class ForwardedAnswer:
    """What the program answered."""

    request: Mapping[str, Any]
    status: int
    body: str
    milliseconds: int

    def print(self, output: OutputFormat) -> None:
        """Print a request and its answer."""
        request = self.request
        if not output.is_text:
            told = {"requestId": request["requestId"], "method": request["method"], "path": request["path"]}
            print_json({**told, "status": self.status, "milliseconds": self.milliseconds, "body": self.body})
            return
        line = f"{request['method']} {request['path']}  {self.status}  {self.milliseconds} ms  {request['requestId']}"
        say(in_one_line(line))
        say(_indented(request["body"]) + (f"\n  -> {self.body[:SHOWN]}" if self.body else ""))


class Forwarder:
    """Sends captured requests to one address; used as an async context manager."""

    def __init__(self, target: str) -> None:
        """Take the address; one that is none ends the command."""
        self._target = target
        self._http = httpx.AsyncClient(
            timeout=SECONDS, trust_env=host_of(target, "http://127.0.0.1:3000/hooks") not in LOOPBACK
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def send(self, request: Mapping[str, Any], *, follow: bool = False) -> ForwardedAnswer:
        """Send a request; while nobody answers, wait if it is to `follow`, else raise `ConnectionError`.

        Raises `UnsendableRequest`.
        """
        is_told = False
        while True:
            began = time.monotonic()
            try:
                status, body = await self._answer_to(request)
                return ForwardedAnswer(request, status, body, round((time.monotonic() - began) * 1000))
            except httpx.LocalProtocolError as error:
                raise UnsendableRequest(f"{request['requestId']} can't be sent as it came: {error}") from error
            except httpx.TransportError as error:
                sentence = f"nobody answers at {self._target} ({str(error) or type(error).__name__})"
                if not follow:
                    raise ConnectionError(f"{sentence}; start your program, then listen again") from error
                if not is_told:
                    say(f"bpm: {sentence}; waiting", err=True)
                    is_told = True
                await asyncio.sleep(1)

    async def _answer_to(self, request: Mapping[str, Any]) -> tuple[int, str]:
        """Send a request once; an answer whose body is not what its headers say is one without a body."""
        asked = self._http.stream(
            request["method"],
            _with_query(self._target, request["query"]),
            headers=_headers(request["headers"]),
            content=body_of(request),
        )
        async with asked as answer:
            try:
                await answer.aread()
            except httpx.DecodingError as error:
                return answer.status_code, f"(a body that can't be read: {error})"
            return answer.status_code, answer.text


def body_of(request: Mapping[str, Any]) -> bytes:
    """Return a captured request's body."""
    text = request["body"]
    return b64decode(text) if request.get("bodyEncoding") == "base64" else text.encode()


def _headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return the headers to send, byte for byte as they came: a header is Latin-1 as far as HTTP knows."""
    return [
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        for name, value in headers.items()
        if name.lower() not in OF_THE_CONNECTION and STARS not in value
    ]


def _with_query(target: str, query: Mapping[str, Any]) -> str:
    if not query:
        return target
    return f"{target}{'&' if '?' in target else '?'}{urlencode(query, doseq=True)}"


def _indented(body: str) -> str:
    return "\n".join(f"  {line}" for line in body[:SHOWN].splitlines())
