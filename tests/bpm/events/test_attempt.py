"""One request to a receiver that behaves badly ends as documented, and soon."""

import asyncio
import socket

import pytest

from bpm.events.attempt import AttemptClient
from bpm.events.attempt.connection import guarded_socket
from bpm.events.attempt_result import MAX_KEPT
from bpm.security.net import AddressList
from bpm.security.net_targets import Targets
from bpm.testing import PreparedAnswer, WebhookReceiver
from tests.bpm.events.serving import LOOPBACK, send, serving

pytestmark = pytest.mark.anyio


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
        await asyncio.sleep(600)

    async with serving(hang) as port, asyncio.timeout(60):
        attempt = await send(client, f"http://127.0.0.1:{port}/", 0.3)
    assert attempt.error == "no answer within 0.3 seconds"


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
        guarded_socket(LOOPBACK, (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443)))


async def test_no_proxy_is_taken_from_the_environment(
    client: AttemptClient, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxy variables that happen to be set do not lead deliveries elsewhere."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await send(client, receiver.url)).ok
