"""`bpm mcp`, called by the protocol's reference client over real pipes, against a real server."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio.to_thread
import mcp_types
import pytest
from mcp import Client, StdioServerParameters
from typer.testing import CliRunner

from bpm.bus.catalogue import catalogue_of
from bpm.cli import main
from bpm.cli.exits import ExitStatus
from bpm.cli.mcp.masking import LONGEST_TEXT, masked, readable
from bpm.cli.registry import offline_registry
from bpm.testing import ServerProcess

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ServerProcess]:
    """A server with a rule that took one request."""
    async with ServerProcess() as server:
        await server.rule("asked", commandName="PingQuery")
        assert (await server.hook("asked", {"customer": "Ada Lovelace", "password": "hunter22"})).ok
        await server.settled()
        yield server


async def key(server: ServerProcess, *scopes: str) -> str:
    made = await server.cmd("CreateApiKeyCommand", name="agent", scopes=list(scopes))
    return made["key"]


def agent(server: ServerProcess, token: str, *options: str) -> Client:
    """The reference client, which starts `bpm mcp` itself."""
    environment = {"BPM_URL": server.url, "BPM_TOKEN": token}
    words = ["-m", "bpm.cli", "mcp", *options]
    return Client(StdioServerParameters(command=sys.executable, args=words, env=environment))


def text_of(result: mcp_types.CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, mcp_types.TextContent)
    return content.text


async def test_queries_are_tools_with_the_words_of_the_catalogue(server: ServerProcess) -> None:
    """Only queries are offered, and only those that the key may send; descriptions and fields are the catalogue's."""
    async with agent(server, await key(server, "inbound:read")) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    entry = next(each for each in catalogue_of(offline_registry()).entries if each.name == "GetInboundRequestListQuery")
    tool = tools["GetInboundRequestListQuery"]
    assert tool.description == entry.description
    assert set(tool.input_schema["properties"]) == set(entry.request["properties"]) - {"$type"}
    assert tool.annotations is not None
    assert tool.annotations.read_only_hint
    assert [name for name in tools if not name.endswith("Query")] == []
    assert "GetUserListQuery" not in tools


async def test_values_of_payloads_are_hidden(server: ServerProcess) -> None:
    """An agent reads which fields a body has and what kind they are; with an option also their values."""
    token = await key(server, "inbound:read")
    (request,) = await server.requests(configKey="asked")
    fields = {"requestId": request["requestId"]}
    async with agent(server, token) as client:
        found = text_of(await client.call_tool("GetInboundRequestByIdQuery", fields))
    async with agent(server, token, "--show-payloads") as client:
        whole = text_of(await client.call_tool("GetInboundRequestByIdQuery", fields))
    assert ("Ada Lovelace" in found, "Ada Lovelace" in whole) == (False, True)
    assert "hunter22" not in found + whole
    assert request["requestId"] in found


async def test_nothing_is_changed_without_the_option_and_the_permission(server: ServerProcess) -> None:
    """A command is sent only with `--allow-commands`, and only for a key that may send it."""
    fields = {"event": "order.placed", "data": {"order": 1}}
    async with agent(server, await key(server, "events:read", "events:write")) as client:
        refused = await client.call_tool("PublishEventCommand", fields)
        assert refused.is_error
        assert text_of(refused).endswith("and commands only with --allow-commands")
    async with agent(server, await key(server, "events:read"), "--allow-commands") as client:
        assert (await client.call_tool("PublishEventCommand", fields)).is_error
    async with agent(server, await key(server, "events:read", "events:write"), "--allow-commands") as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        annotations = listed["PublishEventCommand"].annotations
        assert annotations is not None
        assert not annotations.read_only_hint
        assert not (await client.call_tool("PublishEventCommand", fields)).is_error
    assert (await server.cmd("GetEventListQuery", event="order.placed"))["totalCount"] == 1


async def test_arguments_of_a_query_make_it_no_command(server: ServerProcess) -> None:
    """The tool that was called names the message; a `$type` among the arguments names no other."""
    fields: dict[str, Any] = {"$type": "PublishEventCommand", "event": "order.smuggled", "data": {}}
    async with agent(server, await key(server, "events:read", "events:write")) as client:
        await client.call_tool("GetEventListQuery", fields)
        await client.call_tool("PingQuery", fields)
    assert (await server.cmd("GetEventListQuery", event="order.smuggled"))["totalCount"] == 0


async def test_errors_are_the_sentences_of_the_bus(server: ServerProcess) -> None:
    """What the bus refuses comes back in its words, and a long answer says how to ask for less."""
    async with agent(server, await key(server, "*:read"), "--max-characters", "1000") as client:
        refused = await client.call_tool("GetInboundRequestListQuery", {"pagesize": 3})
        cut = await client.call_tool("GetEventTypeListQuery", {"pageSize": 100})
        wordy = await client.call_tool("GetEventTypeListQuery", {f"unknown{number}": 1 for number in range(200)})
    assert refused.is_error
    assert "pagesize: is not a known field; did you mean pageSize?" in text_of(refused)
    assert "cut after 1000 of" in text_of(cut)
    assert max(len(text_of(cut)), len(text_of(wordy))) < 1_300


async def test_a_proxy_without_its_server_is_told_to_the_agent(server: ServerProcess) -> None:
    """A call while the server is away ends in a sentence, and the next one is answered."""
    is_away = False

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        body = await reader.readexactly(size)
        if is_away:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 12\r\nconnection: close\r\n\r\n<h1>Oh!</h1>")
        else:
            theirs, ours = await asyncio.open_connection("127.0.0.1", server.port)
            ours.write(head.replace(b"onnection: keep-alive", b"onnection: close") + body)
            writer.write(await theirs.read())
            ours.close()
        await writer.drain()
        writer.close()

    proxy = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    environment = {
        "BPM_URL": f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}",
        "BPM_TOKEN": await key(server, "system:read"),
    }
    words = ["-m", "bpm.cli", "mcp"]
    async with proxy, Client(StdioServerParameters(command=sys.executable, args=words, env=environment)) as client:
        assert not (await client.call_tool("PingQuery", {})).is_error
        is_away = True
        told = await client.call_tool("PingQuery", {})
        assert (told.is_error, "look whether the server runs" in text_of(told)) == (True, True)
        is_away = False
        assert not (await client.call_tool("PingQuery", {})).is_error


async def test_ctrl_c_ends_the_command_while_it_waits(server: ServerProcess) -> None:
    """Whoever starts it by hand in a terminal has nobody who closes its input."""
    known = {**os.environ, "BPM_URL": server.url, "BPM_TOKEN": await key(server, "inbound:read")}
    waiting = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bpm.cli", "mcp"),
        env=known,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert waiting.stdin is not None
    assert waiting.stdout is not None
    async with asyncio.timeout(60):
        waiting.stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        await waiting.stdout.readline()
        waiting.send_signal(signal.SIGINT)
        assert await waiting.wait() == -signal.SIGINT


async def test_a_key_that_is_missing_or_worth_nothing_ends_the_command(server: ServerProcess) -> None:
    """The command says what it needs before it speaks the protocol."""
    for url, token, status, words in (
        (server.url, None, ExitStatus.USAGE, "Set BPM_TOKEN to an API key"),
        (server.url, "bpm_no_key", ExitStatus.REFUSED, "(401): Authentication is required."),
        ("http://127.0.0.1:1", "bpm_no_key", ExitStatus.ERROR, "no server answers at"),
    ):
        known = {"BPM_URL": url, "BPM_TOKEN": token}
        done = await anyio.to_thread.run_sync(partial(CliRunner().invoke, main, ["mcp"], env=known))
        assert (done.exit_code, words in done.stderr) == (status, True), done.stderr


@pytest.mark.parametrize(
    ("data", "schema", "shown"),
    [
        ({"a": "x"}, {}, {"a": "text of length 1"}),
        ({"a": 1, "b": None}, {"type": "object", "properties": {"a": {"type": "integer"}}}, {"a": 1, "b": None}),
        ({"h": "v"}, {"type": "object", "additionalProperties": {"type": "string"}}, {"h": "text of length 1"}),
        (
            {"q": "v", "w": ["x"]},
            {"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "array"}]}},
            {"q": "text of length 1", "w": ["text of length 1"]},
        ),
        ({"n": 2}, {"type": "object", "additionalProperties": {"type": "integer"}}, {"n": 2}),
        (
            {"body": "x"},
            {"type": "object", "properties": {"body": {"type": "string"}}},
            {"body": "text of length 1"},
        ),
        ("x", {"anyOf": [{"type": "string"}, {"type": "null"}]}, "x"),
        (5, {"anyOf": [{"type": "string"}, {"type": "null"}]}, "a number"),
        ({"z": 1}, {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}, {"z": "a number"}),
        ({"a": "x"}, {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}, {"a": "x"}),
        (list(range(22)), {"type": "array"}, ["a number"] * 22),
        ({"d": list(range(22))}, {}, {"d": [*["a number"] * 20, "2 more"]}),
    ],
)
def test_what_a_schema_leaves_open_is_a_payload(data: Any, schema: dict[str, Any], shown: Any) -> None:
    """What is described is shown; of anything else only its shape."""
    definitions = {"A": {"type": "object", "properties": {"a": {"type": "string"}}}}
    assert masked(data, schema, definitions) == shown


def test_long_texts_are_cut() -> None:
    """A long text keeps its beginning and says how much is missing."""
    text = "x" * (LONGEST_TEXT + 5)
    assert "… (5 more characters)" in readable(text, {"type": "string"}, 100_000, show_payloads=False)
