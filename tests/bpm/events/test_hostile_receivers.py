"""What receivers say that mean harm, or speak something else: each ends soon, as a status or a sentence."""

import asyncio
import gzip
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bpm.events.attempt import AttemptClient
from bpm.events.attempt import client as client_module
from bpm.events.attempt_result import MAX_KEPT
from bpm.events.delivery_request import DeliveryRequest
from bpm.events.probe import probe
from bpm.security.net_targets import TargetError
from tests.bpm.events.serving import LOOPBACK, Authority, Serve, answered, saying, send, serving

pytestmark = pytest.mark.anyio

LINE = b"HTTP/1.1 "
EMPTY = b"Content-Length: 0\r\n\r\n"
OK = LINE + b"200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GUARD_SECONDS = 60
LATER = 10 * GUARD_SECONDS
"""The time that a receiver has, of which a flood costs a part that does not matter."""


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (LINE + b"204 No Content\r\n\r\n", 204),
        (LINE + b"205 Reset Content\r\n" + EMPTY, 205),
        (LINE + b"304 Not Modified\r\n\r\n", 304),
        (LINE + b"101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 101),
        (LINE + b"100 Continue\r\n\r\n" + OK + EMPTY, 200),
        (LINE + b"103 Early Hints\r\nLink: x\r\n\r\n" + OK + EMPTY, 200),
        (LINE + b"200 \xff\xfe\r\n" + EMPTY, 200),
        (LINE + b"503 Busy\r\nX-Why: \xff\xed\xa0\x80\r\nSet-Cookie: \xff=\xff\r\n" + EMPTY, 503),
        (LINE + b"999 X\r\n" + EMPTY, 999),
        (OK + b"Content-Length: 20\r\n\r\nab", 200),
        (OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd", 200),
        (LINE + b"302 X\r\nLocation: ht!tp://\xff\r\n" + EMPTY, 302),
    ],
)
async def test_an_odd_answer_counts_by_its_status(client: AttemptClient, said: bytes, status: int) -> None:
    """Whatever stands around it, the status is read, and what is kept can be stored."""
    attempt = await answered(client, saying(said))
    assert (attempt.status, attempt.error, attempt.ok) == (status, None, 200 <= status < 300)
    f"{attempt.headers}{attempt.body}".encode()


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (b"", "closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "not HTTP"),
        (b"\0\0\0\4\0\0\0\0\0", "closed the connection without an answer"),
        (OK + b"X: " + b"a" * 100_000 + b"\r\n\r\n", "not HTTP"),
        (OK + b"X\0: a\r\n\r\n", "not HTTP"),
        (LINE + b"999999 OK\r\n\r\n", "not HTTP"),
        (OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "not HTTP"),
        (OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "not HTTP"),
    ],
)
async def test_what_is_no_answer_says_so(client: AttemptClient, said: bytes, sentence: str) -> None:
    """Another protocol, two lengths and headers without end are failures with a sentence in one line."""
    attempt = await answered(client, saying(said))
    assert attempt.status is None
    assert sentence in (attempt.error or "")
    assert "\n" not in (attempt.error or "")
    assert "127.0.0.1" not in (attempt.error or "")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ((LINE + b"100 Continue\r\n\r\n") * 100, None),
        ((LINE + b"103 Hints\r\nLink: a\r\n\r\n") * 100, None),
        (b"X-A: aaaaaaaaaaaaaaaa\r\n" * 100, None),
        (b"a" * 10_000, None),
    ],
)
async def test_a_flood_before_the_answer_is_cut_off(client: AttemptClient, said: bytes, status: int | None) -> None:
    """Provisional answers and headers without end cost a moment, not the time a receiver has."""
    async with asyncio.timeout(GUARD_SECONDS):
        attempt = await answered(client, saying(OK if said.startswith(b"X") else said, said, endless=True), LATER)
    assert attempt.status is status


@pytest.mark.parametrize("piece", [b"1\r\nx\r\n" * 1_000, b"1;" + b"a" * 10_000])
async def test_a_body_without_end_is_cut_off(client: AttemptClient, piece: bytes) -> None:
    """The status was said; chunks without end, or one whose extension has none, are read for a moment."""
    async with asyncio.timeout(GUARD_SECONDS):
        attempt = await answered(client, saying(CHUNKED, piece, endless=True), LATER)
    assert (attempt.ok, attempt.status) == (True, 200)
    assert len(attempt.body or "") <= MAX_KEPT


async def test_a_dripping_body_is_not_waited_for(client: AttemptClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that has said its status can't hold a place by its body."""
    monkeypatch.setattr(client_module, "BODY_SECONDS", 0.2)
    async with asyncio.timeout(GUARD_SECONDS):
        attempt = await answered(client, saying(OK + b"Content-Length: 1000\r\n\r\nhello", linger=LATER), LATER)
    assert (attempt.ok, attempt.body) == (True, "hello")


async def test_slow_headers_cost_their_time(client: AttemptClient) -> None:
    """A header that arrives letter by letter does not make the time longer."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"X-A: ")
        while True:
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.02)

    assert (await answered(client, drip, seconds=0.4)).error == "no answer within 0.4 seconds"


@pytest.mark.filterwarnings("ignore:Sending a large body")
@pytest.mark.parametrize(
    ("said", "expected"),
    [(LINE + b"413 X\r\n" + EMPTY, (413, None)), (b"", (None, "no answer within 1 seconds"))],
)
async def test_a_request_nobody_reads_is_given_up(client: AttemptClient, said: bytes, expected: Any) -> None:
    """An early answer counts although most of a large request was never taken; without one the time is over."""

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await asyncio.sleep(60)

    async with serving(deaf) as port:
        outgoing = DeliveryRequest(f"http://127.0.0.1:{port}/", {}, b"x" * 20_000_000, 1)
        attempt = await asyncio.wait_for(client.send(outgoing), 30)
    assert (attempt.status, attempt.error) == expected


async def test_a_compressed_bomb_stays_compressed(client: AttemptClient) -> None:
    """Nothing is unpacked."""
    bomb = gzip.compress(b"\0" * 5_000_000)
    length = f"Content-Length: {len(bomb)}\r\n\r\n".encode()
    attempt = await answered(client, saying(OK + b"Content-Encoding: gzip\r\n" + length + bomb))
    assert (attempt.status, len(attempt.body or "") <= MAX_KEPT) == (200, True)


async def test_retry_after_is_found_behind_many_headers(client: AttemptClient) -> None:
    """Forty headers are kept, and that one always."""
    many = b"".join(b"X-%d: y\r\n" % number for number in range(60))
    attempt = await answered(client, saying(LINE + b"429 X\r\n" + many + b"Retry-After: 77\r\n" + EMPTY))
    assert (len(attempt.headers), attempt.headers["retry-after"]) == (41, "77")


@pytest.mark.parametrize(
    ("name", "certificate", "sentence"),
    [
        ("127.0.0.1", {}, None),
        ("hook.test", {"name": "hook.test"}, None),
        ("hook.test.", {"name": "hook.test"}, None),
        ("xn--bcher-kva.test", {"name": "xn--bcher-kva.test"}, None),
        ("127.0.0.1", {"end": timedelta(minutes=-1)}, "certificate has expired"),
        ("127.0.0.1", {"start": timedelta(hours=1)}, "certificate is not yet valid"),
        ("other.test", {"name": "hook.test"}, "not valid for 'other.test'"),
        ("127.0.0.1", {"name": "hook.test"}, "not valid for '127.0.0.1'"),
    ],
)
async def test_a_certificate_must_be_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, certificate: dict[str, Any], sentence: str | None
) -> None:
    """Expired, too early or somebody else's: nothing is sent, and the probe says the same when the URL is chosen."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    lead_to_loopback(monkeypatch)
    client = AttemptClient(LOOPBACK)
    received: list[bytes] = []
    try:
        async with serving(remembering(received), authority.context(**certificate)) as port:
            url = f"https://{name}:{port}/"
            attempt = await send(client, url)
            refusal = await refused(url)
    finally:
        await client.close()
    assert (attempt.ok, bool(received)) == (sentence is None, sentence is None)
    if sentence is None:
        assert (attempt.error, refusal) == (None, "")
    else:
        assert attempt.error is not None
        assert sentence in attempt.error
        assert sentence in refusal


async def test_a_certificate_nobody_vouches_for(client: AttemptClient, tmp_path: Path) -> None:
    """An unknown authority is no authority."""
    received: list[bytes] = []
    async with serving(remembering(received), Authority(tmp_path).context()) as port:
        attempt = await send(client, f"https://127.0.0.1:{port}/")
    assert "the certificate of the receiver is not valid (" in (attempt.error or "")
    assert received == []


def lead_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every name below `test` stand for 127.0.0.1."""
    usual = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **more: Any) -> Any:
        text = host.decode() if isinstance(host, bytes) else str(host)
        return usual("127.0.0.1" if text.rstrip(".").endswith(".test") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def remembering(received: list[bytes]) -> Serve:
    """Return what answers 200 and remembers what it was sent."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK + EMPTY)
        await writer.drain()

    return serve


async def refused(url: str) -> str:
    """Return what the probe says against a URL, nothing if it is fine."""
    try:
        await probe(LOOPBACK.check_url(url), LOOPBACK)
    except TargetError as error:
        return str(error)
    return ""
