"""One request to a receiver that behaves badly ends as documented, and soon."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bpm.events.attempt import MAX_KEPT, Attempt, AttemptClient
from bpm.events.outgoing import Outgoing
from bpm.security.net import AddressList
from bpm.security.net_targets import Targets
from bpm.testing import PreparedAnswer, WebhookReceiver

pytestmark = pytest.mark.anyio

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LOOPBACK = Targets(AddressList.parse("127.0.0.0/8, ::1/128"))


@pytest.fixture
async def client() -> AsyncIterator[AttemptClient]:
    """A client that may speak to loopback."""
    client = AttemptClient(LOOPBACK)
    yield client
    await client.close()


@asynccontextmanager
async def serving(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve connections on a port of loopback."""
    tasks: set[asyncio.Task[None]] = set()

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def send(client: AttemptClient, url: str, seconds: float = 2, **headers: str) -> Attempt:
    """Send a small request."""
    return await client.send(Outgoing(url, {"Content-Type": "application/json", **headers}, b"{}", seconds))


async def answered(client: AttemptClient, reply: bytes, seconds: float = 2) -> Attempt:
    """Send to a server that says these bytes and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()
        await asyncio.sleep(0.05)

    async with serving(serve) as port:
        return await send(client, f"http://127.0.0.1:{port}/", seconds)


async def test_an_answer_is_kept_in_part(client: AttemptClient, receiver: WebhookReceiver) -> None:
    """Status, headers and the beginning of the body are kept; no cookie, and no zero byte."""
    receiver.answer(PreparedAnswer(202, b"a\0" + b"b" * 10_000, {"X-Mine": "yes", "Set-Cookie": "a=b"}))
    first = await send(client, receiver.url)
    assert (first.ok, first.status, first.error) == (True, 202, None)
    assert first.body is not None
    assert (len(first.body), first.body[:3]) == (MAX_KEPT, "a\ufffdb")
    assert first.headers["x-mine"] == "yes"
    await send(client, receiver.url)
    assert "cookie" not in receiver.requests[1].headers
    assert "set-cookie" not in first.headers


async def test_a_redirect_is_not_followed(client: AttemptClient, receiver: WebhookReceiver) -> None:
    """A redirect is a failed attempt, wherever it leads."""
    receiver.answer(PreparedAnswer(302, b"", {"Location": "http://169.254.169.254/latest/meta-data/"}))
    attempt = await send(client, receiver.url)
    assert (attempt.ok, attempt.status) == (False, 302)
    assert len(receiver.requests) == 1


async def test_a_gigabyte_is_not_read(client: AttemptClient) -> None:
    """After 64 KB the connection is closed; the status counts."""
    written = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()
            written += 65_536

    async with serving(flood) as port:
        attempt = await send(client, f"http://127.0.0.1:{port}/", 5)
        await asyncio.sleep(0.1)
    assert (attempt.ok, len(attempt.body or "")) == (True, MAX_KEPT)
    assert written < 50_000_000


async def test_a_hanging_receiver_costs_its_time(client: AttemptClient) -> None:
    """Without an answer the attempt fails when its time is over, not later."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with serving(hang) as port:
        began = time.monotonic()
        attempt = await send(client, f"http://127.0.0.1:{port}/", 0.3)
    assert attempt.error == "no answer within 0.3 seconds"
    assert time.monotonic() - began < 2


async def test_a_body_that_never_ends_does_not_change_the_status(client: AttemptClient) -> None:
    """The status was said; that the body drips until the time is over costs nothing but the excerpt."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello")
        await asyncio.sleep(60)

    async with serving(drip) as port:
        attempt = await send(client, f"http://127.0.0.1:{port}/", 0.3)
    assert (attempt.ok, attempt.body) == (True, "hello")


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (b"", "closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 999999 OK\r\n\r\n", "not HTTP"),
    ],
)
async def test_what_is_no_answer_says_so(client: AttemptClient, reply: bytes, sentence: str) -> None:
    """An empty answer, another protocol and a header without end are failures with a sentence."""
    attempt = await answered(client, reply)
    assert attempt.status is None
    assert sentence in (attempt.error or "")


async def test_a_reset_is_a_failure(client: AttemptClient) -> None:
    """A connection that is reset ends the attempt with a sentence."""

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        place = writer.get_extra_info("socket")
        place.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    async with serving(reset) as port:
        attempt = await send(client, f"http://127.0.0.1:{port}/")
    assert attempt.status is None
    assert "connection" in (attempt.error or "")


async def test_nobody_there_is_a_failure(client: AttemptClient) -> None:
    """A refused connection and a host without an address say so."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    assert "no connection" in ((await send(client, f"http://127.0.0.1:{port}/")).error or "")
    missing = await send(client, "https://no-such-host.invalid/", 5)
    assert "can't be found" in (missing.error or "")


async def test_a_bad_certificate_is_a_failure(client: AttemptClient, tmp_path: Path) -> None:
    """A certificate nobody vouches for is not accepted, and nothing is sent."""
    received = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.extend(await reader.read(1000))

    async with serving(serve, self_signed(tmp_path)) as port:
        attempt = await send(client, f"https://127.0.0.1:{port}/")
    assert "certificate" in (attempt.error or "")
    assert not received


async def test_inner_addresses_are_refused_when_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A public name that leads to loopback or to a cloud's metadata is refused, at every attempt anew."""
    answers = iter(["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "64:ff9b::a00:1"])

    def resolve(host: str, port: int, *_rest: object) -> list[object]:
        address = next(answers)
        return [(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    client = AttemptClient(Targets(AddressList(())))
    try:
        for number in range(5):
            attempt = await send(client, f"https://name{number}.example/", 1)
            assert "is not a public address" in (attempt.error or "")
        for url in ("http://127.0.0.1/", "https://127.0.0.1/", "https://[::ffff:127.0.0.1]/", "http://name.example/"):
            assert (await send(client, url, 1)).error is not None
    finally:
        await client.close()


async def test_a_literal_address_is_looked_at_when_connecting(client: AttemptClient) -> None:
    """Where no name is resolved the socket itself is refused."""
    with pytest.raises(ValueError, match="not a public address"):
        client._socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443)))


async def test_no_proxy_is_taken_from_the_environment(
    client: AttemptClient, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxy variables that happen to be set do not lead deliveries elsewhere."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await send(client, receiver.url)).ok


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate of its own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
