"""Keys that are fetched for one organisation's rules: no other one's keys are kept away, forgotten or found out."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from bpm.security.net import AddressList
from bpm.security.net_targets import Targets
from bpm.signatures import KeyLookup, SignatureRefusal
from router.published_keys import MAX_REMEMBERED, PublishedKeys

HOSTILE, MINE, OTHER = 2, 3, 4
KEYS = '{"keys":[{"kty":"EC"}]}'


@pytest.fixture
async def published() -> AsyncGenerator[PublishedKeys]:
    """Keys from this machine."""
    keys = PublishedKeys(Targets(AddressList.parse("127.0.0.0/8")))
    keys.start()
    yield keys
    await keys.stop()


@pytest.fixture
def tarpit(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A domain whose name server says nothing before the test is over."""
    over, found = threading.Event(), socket.getaddrinfo

    def ask(host: Any, *rest: Any, **further: Any) -> list[Any]:
        if str(host).endswith(".tarpit"):
            over.wait(120)
            raise OSError("no answer")
        return found(host, *rest, **further)

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    yield "tarpit"
    over.set()


async def fetched(lookup: KeyLookup, url: str) -> str:
    """Ask for what stands at an address until it is there."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(SignatureRefusal):
                return lookup(url)
            await asyncio.sleep(0.02)


async def test_addresses_that_hang_keep_nobody_elses_keys_away(
    published: PublishedKeys, httpserver: HTTPServer
) -> None:
    """A rule may name addresses that take a connection and never answer, as many as it likes."""
    httpserver.expect_request("/keys").respond_with_data(KEYS)
    goes_on = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await goes_on.wait()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as hanging:
        port = hanging.sockets[0].getsockname()[1]
        for number in range(200):
            with pytest.raises(SignatureRefusal):
                published.of(HOSTILE)(f"http://127.0.0.1:{port}/{number}")
        await asyncio.sleep(0.05)
        assert await fetched(published.of(MINE), httpserver.url_for("/keys").replace("localhost", "127.0.0.1")) == KEYS
        goes_on.set()


async def test_addresses_that_strangers_make_up_keep_no_named_keys_away(
    published: PublishedKeys, httpserver: HTTPServer
) -> None:
    """A request may name where its certificate stands; the keys that the same organisation's rules name come anyway."""
    httpserver.expect_request("/keys").respond_with_data(KEYS)
    goes_on = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await goes_on.wait()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as hanging:
        port = hanging.sockets[0].getsockname()[1]
        for organization in (MINE, *range(100, 120)):
            for number in range(MAX_REMEMBERED + 5):
                with pytest.raises(SignatureRefusal):
                    published.of(organization)(f"http://127.0.0.1:{port}/{number}", False, True)
        await asyncio.sleep(0.05)
        assert await fetched(published.of(MINE), httpserver.url_for("/keys").replace("localhost", "127.0.0.1")) == KEYS
        goes_on.set()


@pytest.mark.parametrize(("organizations", "is_sent"), [((HOSTILE,), False), ((MINE, *range(100, 104)), True)])
async def test_name_servers_that_hang_keep_no_named_keys_away(
    published: PublishedKeys, httpserver: HTTPServer, tarpit: str, organizations: tuple[int, ...], is_sent: bool
) -> None:
    """A look-up ends when the system gives it up, so hosts of others are asked for in other threads."""
    httpserver.expect_request("/keys").respond_with_data(KEYS)
    for organization in organizations:
        for number in range(20):
            with pytest.raises(SignatureRefusal):
                published.of(organization)(f"https://{organization}-{number}.{tarpit}/", False, is_sent)
    await asyncio.sleep(0.05)
    assert await fetched(published.of(MINE), f"http://localhost:{httpserver.port}/keys") == KEYS


async def test_many_addresses_make_nobody_elses_keys_forgotten(
    published: PublishedKeys, httpserver: HTTPServer
) -> None:
    """Each organisation's answers are remembered by themselves, so nobody finds out what another one has fetched."""
    for number in range(MAX_REMEMBERED + 5):
        httpserver.expect_request(f"/{number}").respond_with_data(KEYS)
    urls = [httpserver.url_for(f"/{n}").replace("localhost", "127.0.0.1") for n in range(MAX_REMEMBERED + 5)]
    assert await fetched(published.of(MINE), urls[0]) == KEYS
    for url in urls[1:]:
        assert await fetched(published.of(HOSTILE), url) == KEYS
    assert published.of(MINE)(urls[0]) == KEYS
    with pytest.raises(SignatureRefusal, match="is being fetched"):
        published.of(OTHER)(urls[0])


class KeyServer:
    """Answers what a test says, and counts how often it was asked; its clock is the test's, too."""

    def __init__(self, httpserver: HTTPServer) -> None:
        self.now = 0.0
        self.asked = 0
        self.answer = Response(KEYS)
        self.url = httpserver.url_for("/keys").replace("localhost", "127.0.0.1")
        httpserver.expect_request("/keys").respond_with_handler(self._answered)

    def _answered(self, _request: object) -> Response:
        self.asked += 1
        return self.answer

    async def has_been_asked(self, times: int) -> None:
        async with asyncio.timeout(30):
            while self.asked < times:
                await asyncio.sleep(0.02)


@pytest.fixture
async def key_server(httpserver: HTTPServer) -> KeyServer:
    return KeyServer(httpserver)


@pytest.fixture
async def timed(key_server: KeyServer) -> AsyncGenerator[PublishedKeys]:
    """Keys from this machine, at the time of the key server."""
    keys = PublishedKeys(Targets(AddressList.parse("127.0.0.0/8")), now=lambda: key_server.now)
    keys.start()
    yield keys
    await keys.stop()


def idle(keys: PublishedKeys) -> bool:
    return not keys._named.fetching  # pyright: ignore[reportPrivateUsage]


async def asked_again(keys: PublishedKeys, server: KeyServer, lookup: KeyLookup, is_outdated: bool = False) -> None:
    """Ask for the keys so that they are fetched, and wait until they are."""
    before = server.asked
    with contextlib.suppress(SignatureRefusal):
        lookup(server.url, is_outdated)
    await server.has_been_asked(before + 1)
    async with asyncio.timeout(30):
        while not idle(keys):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("answer", [Response("", 500), Response("<html>Be patient.</html>"), Response("not { JSON")])
async def test_keys_count_a_day_longer_and_no_more(
    timed: PublishedKeys, key_server: KeyServer, answer: Response
) -> None:
    """However often their server fails meanwhile, or answers what is no key."""
    lookup = timed.of(MINE)
    await fetched(lookup, key_server.url)
    key_server.answer = answer
    for hours in (2, 12, 24):
        key_server.now = hours * 3_600
        await asked_again(timed, key_server, lookup)
        assert lookup(key_server.url) == KEYS
    key_server.now = 25.5 * 3_600
    await asked_again(timed, key_server, lookup)
    with pytest.raises(SignatureRefusal, match="can't be fetched") as caught:
        lookup(key_server.url)
    assert caught.value.is_pending


async def test_a_set_without_keys_withdraws_them(timed: PublishedKeys, key_server: KeyServer) -> None:
    lookup = timed.of(MINE)
    await fetched(lookup, key_server.url)
    key_server.answer, key_server.now = Response('{"keys":[]}'), 3_700
    await asked_again(timed, key_server, lookup)
    assert lookup(key_server.url) == '{"keys":[]}'


async def test_keys_that_strangers_name_have_a_failing_server_asked_now_and_then(
    timed: PublishedKeys, key_server: KeyServer
) -> None:
    """Not at each of their requests; meanwhile a key that may be new is not said to be wrong."""
    lookup = timed.of(MINE)
    await fetched(lookup, key_server.url)
    key_server.answer, key_server.now = Response("", 500), 100
    await asked_again(timed, key_server, lookup, is_outdated=True)
    for _ in range(20):
        with pytest.raises(SignatureRefusal, match="fetched anew") as caught:
            lookup(key_server.url, True)
        assert caught.value.is_pending
        await asyncio.sleep(0.01)
    assert (key_server.asked, lookup(key_server.url)) == (2, KEYS)
    key_server.now = 200
    await asked_again(timed, key_server, lookup, is_outdated=True)
    assert key_server.asked == 3
