"""The HTTP client of deliveries: one request, within its limits, to an address that was checked.

httpx's requests and responses over aiohttp's connections, without httpx's client: it would cost as much again, and
keep the receivers' cookies (`docs/decisions`). This module is loaded with the first delivery.
"""

import asyncio
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from httpx_aiohttp import AiohttpTransport

from bpm.events.outgoing import Outgoing
from bpm.security.net_targets import TargetError, Targets

MAX_READ = 64 * 1024
MAX_KEPT = 4 * 1024
MAX_HEADERS_KEPT = 40
MAX_HEADER_VALUE = 500
KEEP_ALIVE_SECONDS = 4.0
"""Shorter than what usual servers keep an idle connection for, so that no request meets one that is closing."""

RESOLVING_THREADS = 32
UNKEPT_HEADERS = frozenset({"set-cookie"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one request: a status, or an error where there was no answer."""

    milliseconds: float
    status: int | None = None
    error: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the receiver has taken the delivery."""
        return self.status is not None and 200 <= self.status < 300


class GuardedResolver(AbstractResolver):
    """Finds a host's addresses, in threads of its own, and lets through only what may be reached."""

    def __init__(self, targets: Targets) -> None:
        """Take who judges addresses."""
        self._targets = targets
        self._threads = ThreadPoolExecutor(RESOLVING_THREADS, thread_name_prefix="bpm-resolver")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host; raises `TargetError`, `OSError` when there are none."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        )
        addresses = list(dict.fromkeys((kind, str(address[0])) for kind, _, _, _, address in found))
        self._targets.check_addresses(host, [address for _, address in addresses], "https")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for kind, address in addresses
        ]

    async def close(self) -> None:
        """End the threads; one that waits for a name server ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class AttemptClient:
    """Makes requests; follows no redirect, keeps no cookie, and takes no proxy from the environment."""

    def __init__(self, targets: Targets) -> None:
        """Make the client; used inside the event loop, closed with `close`."""
        self._targets = targets
        context = ssl.create_default_context()
        connector = aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            resolver=GuardedResolver(targets),
            socket_factory=self._socket,
            ssl=context,
        )
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(),
            trust_env=False,
            read_bufsize=MAX_READ,
        )
        self._transport = AiohttpTransport(verify=context, trust_env=False, client=session)

    async def send(self, outgoing: Outgoing) -> Attempt:
        """Make one request and return what became of it; the status decides, its body is only kept for the log."""
        started = time.perf_counter()
        answer = _Answer()
        error = None
        try:
            self._targets.check_url(outgoing.url)
            async with asyncio.timeout(outgoing.timeout_seconds):
                await self._exchange(outgoing, answer)
        except TimeoutError:
            error = f"no answer within {outgoing.timeout_seconds:g} seconds"
        except TargetError as refusal:
            error = f"url: {refusal}"
        except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, ValueError, OSError) as failure:
            error = _sentence(failure)
        milliseconds = round((time.perf_counter() - started) * 1000, 2)
        return Attempt(
            milliseconds,
            answer.status,
            error if answer.status is None else None,
            answer.headers,
            answer.text if answer.status is not None else None,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def _exchange(self, outgoing: Outgoing, answer: "_Answer") -> None:
        request = httpx.Request("POST", _url(outgoing.url), headers=dict(outgoing.headers), content=outgoing.body)
        response = await self._transport.handle_async_request(request)
        try:
            answer.begin(response)
            stream: Any = response.stream
            async for piece in stream:
                answer.add(piece)
                if answer.length >= MAX_READ:
                    break
        finally:
            await response.stream.aclose()  # pyright: ignore[reportAttributeAccessIssue] of a stream read to no end

    def _socket(self, address: Any) -> socket.socket:
        """Make the socket of a connection, after a last look at where it will lead."""
        family, kind, protocol, _, place = address
        self._targets.check_addresses(str(place[0]), [str(place[0])], "https")
        return socket.socket(family, kind, protocol)


class _Answer:
    """What has arrived so far."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.length = 0
        self._kept = bytearray()

    def begin(self, response: httpx.Response) -> None:
        """Take status and headers."""
        self.status = response.status_code
        for raw_name, raw_value in response.headers.raw[:MAX_HEADERS_KEPT]:
            name = raw_name.decode("latin-1").lower()
            if name not in UNKEPT_HEADERS:
                self.headers[name] = raw_value[:MAX_HEADER_VALUE].decode("latin-1").replace("\0", "")

    def add(self, piece: bytes) -> None:
        """Take a piece of the body; only the beginning is kept."""
        self.length += len(piece)
        if len(self._kept) < MAX_KEPT:
            self._kept += piece[: MAX_KEPT - len(self._kept)]

    @property
    def text(self) -> str:
        """The beginning of the body as text, whatever it is; no database takes a zero byte."""
        return self._kept.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


@lru_cache(maxsize=4_096)
def _url(url: str) -> httpx.URL:
    return httpx.URL(url)


CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientConnectorCertificateError, "the certificate of the receiver is not valid"),
    (aiohttp.ClientConnectorSSLError, "the receiver does not speak TLS as it must"),
    (aiohttp.ClientConnectorDNSError, "the host of the URL can't be found"),
    (socket.gaierror, "the host of the URL can't be found"),
    (aiohttp.ClientConnectorError, "no connection to the receiver"),
    (aiohttp.ServerDisconnectedError, "the receiver closed the connection without an answer"),
    (ConnectionResetError, "the receiver reset the connection"),
    (aiohttp.ClientOSError, "the connection to the receiver broke"),
    (aiohttp.ClientPayloadError, "the answer broke off"),
    (aiohttp.ClientResponseError, "the answer is not HTTP"),
)


def _sentence(error: BaseException) -> str:
    """Say what went wrong; a refused address is often the cause of another error."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, TargetError):
            return f"url: {seen}"
        for kind, words in CAUSES:
            if isinstance(seen, kind):
                return f"{words} ({_detail(seen)})"
        seen = seen.__cause__ or seen.__context__
    return f"{type(error).__name__} while sending"


def _detail(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__)[:200].replace("\0", "")
