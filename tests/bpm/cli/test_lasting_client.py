"""The client of a command: signed in for as long as it takes, patient where it follows, and no friend of strangers."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import anyio.to_thread
import pytest
from typer.testing import CliRunner

from bpm.cli import main
from bpm.cli.exits import ExitStatus
from bpm.cli.lasting_client import LastingClient
from bpm.testing import ADMINISTRATOR, PASSWORD, Clock, ServerProcess, running_app

pytestmark = pytest.mark.anyio

NOBODY: dict[str, str | None] = dict.fromkeys(("BPM_URL", "BPM_TOKEN", "BPM_USERNAME", "BPM_PASSWORD"))
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
OTHERS = {
    "an object": OK + b"content-length: 2\r\n\r\n{}",
    "a list": OK + b"content-length: 2\r\n\r\n[]",
    "a page": b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 9\r\n\r\n<p>Hi</p>",
    "a proxy": b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 12\r\n\r\n<h1>Oh!</h1>",
    "a signpost": b"HTTP/1.1 301 Moved\r\nlocation: https://bus.example/\r\ncontent-length: 0\r\n\r\n",
    "something else": b"HTTP/1.1 501 No\r\ncontent-length: 2\r\n\r\nno",
}
"""What programs answer that are no BPM Bus server."""
BROKEN = {
    "half an answer": OK + b'content-length: 200\r\n\r\n{"succ',
    "nothing": b"",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "false compression": OK + b"content-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc",
}
"""What ends before it is an answer."""
ADVICE = {"a proxy": "look whether the server runs", "a signpost": "https://bus.example/"}
COMMANDS = [("requests", "list"), ("requests", "tail"), ("types",), ("send", "PingQuery")]


@asynccontextmanager
async def answering(answer: bytes) -> AsyncGenerator[str]:
    """Listen on this machine, and answer the same to everybody."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def bpm(*words: str) -> Any:
    """Run a command in this process, beside this loop."""
    return await anyio.to_thread.run_sync(partial(CliRunner().invoke, main, words, env=NOBODY))


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("identity", [("--token", "x"), ("--username", "ann", "--password", "secret")], ids=len)
async def test_another_server_is_told_as_one(kind: str, words: tuple[str, ...], identity: tuple[str, ...]) -> None:
    """Whatever it answers the command ends with 1, and says what answers and what to do."""
    async with answering(OTHERS[kind]) as url:
        ended = await bpm(*words, "--url", url, *identity)
    assert (ended.exit_code, ended.stdout) == (ExitStatus.ERROR, ""), ended.output
    assert f"what answers at {url} is no BPM Bus server" in ended.stderr
    assert ADVICE.get(kind, "--url or BPM_URL") in ended.stderr


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_broken_answer_is_told_as_one(kind: str) -> None:
    """It may have been an answer to something that was done."""
    async with answering(BROKEN[kind]) as url:
        ended = await bpm("send", "PingQuery", "--url", url, "--token", "x")
    assert (ended.exit_code, "may have been done all the same" in ended.stderr) == (ExitStatus.ERROR, True)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x", "http://", "http://127.0.0.1:99999", "http://[::1", ""])
async def test_what_is_no_address_is_wrong_usage(url: str) -> None:
    """It is shown as one is written."""
    ended = await bpm("requests", "list", "--url", url, "--token", "x")
    assert (ended.exit_code, "is not an address; write it as" in ended.stderr) == (ExitStatus.USAGE, True)


@pytest.mark.parametrize("words", [("--token", "é"), ("--token", "a\nb"), ("--token", "x", "--idempotency-key", "é")])
async def test_what_no_header_holds_is_wrong_usage(words: tuple[str, ...]) -> None:
    """Before anything is sent."""
    async with answering(OTHERS["an object"]) as url:
        ended = await bpm("send", "PingQuery", "--url", url, *words)
    assert (ended.exit_code, ended.stdout) == (ExitStatus.USAGE, "")
    assert ended.stderr.startswith("bpm: th")


@pytest.mark.parametrize("is_feed", [False, True])
async def test_who_signed_in_stays_so(is_feed: bool) -> None:
    """A command that lasts longer than its access token signs in again, for messages and for feeds."""
    clock = Clock()
    async with running_app(clock=clock, access_token_seconds=900) as app:
        client = LastingClient(app.http)
        await client.sign_in(ADMINISTRATOR, PASSWORD)
        clock.advance(timedelta(days=1))
        if is_feed:
            assert [reply.status async for reply in client.listen("PingQuery")] == []
        assert (await client.send("PingQuery", {})).ok


async def test_who_came_with_a_token_is_refused_when_it_has_ended() -> None:
    """There is nothing to sign in with."""
    clock = Clock()
    async with running_app(clock=clock, access_token_seconds=900) as app:
        first = LastingClient(app.http)
        await first.sign_in(ADMINISTRATOR, PASSWORD)
        client = LastingClient(app.http, first.token)
        clock.advance(timedelta(days=1))
        assert (await client.send("PingQuery", {})).status == 401


async def test_who_follows_waits_for_a_server_that_starts_again() -> None:
    """It says so once, and goes on; nothing that came is left out."""
    async with ServerProcess() as server:
        await server.rule("followed", commandName="PingQuery")
        await server.hook("followed", {"number": 1})
        words = ("requests", "tail", "--since", "2020-01-01", "--url", server.url)
        tail = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bpm.cli", *words, "--username", ADMINISTRATOR, "--password", PASSWORD),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert tail.stdout is not None
        assert tail.stderr is not None
        async with asyncio.timeout(120):
            first = json.loads(await tail.stdout.readline())
            await server.kill()
            assert (await tail.stderr.readline()).strip().endswith(b"; waiting")
            await server.start()
            await server.hook("followed", {"number": 2})
            second = json.loads(await tail.stdout.readline())
            tail.send_signal(signal.SIGINT)
            _, said = await tail.communicate()
    assert first["requestId"] != second["requestId"]
    assert (tail.returncode, said) == (ExitStatus.DONE, b"")
