"""Keys that are fetched for one organisation's rules: no other one's keys are kept away, forgotten or found out."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import pytest
from pytest_httpserver import HTTPServer

from bpm.security.net import AddressList
from bpm.security.net_targets import Targets
from bpm.signatures import KeyLookup, SignatureRefusal
from router.published_keys import MAX_REMEMBERED, PublishedKeys

HOSTILE, MINE, OTHER = 2, 3, 4


@pytest.fixture
async def published() -> AsyncGenerator[PublishedKeys]:
    """Keys from this machine."""
    keys = PublishedKeys(Targets(AddressList.parse("127.0.0.0/8")))
    keys.start()
    yield keys
    await keys.stop()


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
    httpserver.expect_request("/keys").respond_with_data("{}")
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
        assert await fetched(published.of(MINE), httpserver.url_for("/keys").replace("localhost", "127.0.0.1")) == "{}"
        goes_on.set()


async def test_addresses_that_strangers_make_up_keep_no_named_keys_away(
    published: PublishedKeys, httpserver: HTTPServer
) -> None:
    """A request may name where its certificate stands; the keys that the same organisation's rules name come anyway."""
    httpserver.expect_request("/keys").respond_with_data("{}")
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
        assert await fetched(published.of(MINE), httpserver.url_for("/keys").replace("localhost", "127.0.0.1")) == "{}"
        goes_on.set()


async def test_many_addresses_make_nobody_elses_keys_forgotten(
    published: PublishedKeys, httpserver: HTTPServer
) -> None:
    """Each organisation's answers are remembered by themselves, so nobody finds out what another one has fetched."""
    for number in range(MAX_REMEMBERED + 5):
        httpserver.expect_request(f"/{number}").respond_with_data("{}")
    urls = [httpserver.url_for(f"/{n}").replace("localhost", "127.0.0.1") for n in range(MAX_REMEMBERED + 5)]
    assert await fetched(published.of(MINE), urls[0]) == "{}"
    for url in urls[1:]:
        assert await fetched(published.of(HOSTILE), url) == "{}"
    assert published.of(MINE)(urls[0]) == "{}"
    with pytest.raises(SignatureRefusal, match="is being fetched"):
        published.of(OTHER)(urls[0])
