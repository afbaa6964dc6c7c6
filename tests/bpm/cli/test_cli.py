"""The command line, as a person or a script uses it."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from typer.testing import CliRunner

from bpm.cli import main
from bpm.testing import ADMINISTRATOR, PASSWORD, ServerProcess

pytestmark = pytest.mark.anyio

NOBODY = {"BPM_URL": None, "BPM_TOKEN": None, "BPM_USERNAME": None, "BPM_PASSWORD": None, "BPM_COMMAND_PACKAGES": None}
HEAVY = {"pydantic", "httpx", "sqlalchemy", "starlette", "rich", "RestrictedPython", "asyncio", "mcp", "bpm.app"}


def bpm(*words: str, stdin: str = "", **environment: str | None) -> Any:
    """Run a command in this process."""
    return CliRunner().invoke(main, words, input=stdin, env={**NOBODY, **environment})


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ServerProcess]:
    """A server to send to."""
    async with ServerProcess() as server:
        yield server


async def send(server: ServerProcess, *words: str, stdin: str = "", **environment: str) -> Any:
    """Run `bpm send` against the server, as its administrator."""
    known = {"BPM_URL": server.url, "BPM_USERNAME": ADMINISTRATOR, "BPM_PASSWORD": PASSWORD, **environment}
    return await anyio.to_thread.run_sync(partial(bpm, "send", *words, stdin=stdin, **known))


def test_help_loads_nothing_of_the_server() -> None:
    """What `bpm --help` imports is small, so that it answers at once."""
    code = f"import sys, bpm.cli; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_names_every_command() -> None:
    """The help lists the commands with a line each."""
    result = bpm("--help")
    assert result.exit_code == 0
    for command in ("serve", "version", "send", "types", "demo"):
        assert f"  {command}" in result.stdout


def test_version() -> None:
    """The version stands alone on a line."""
    assert bpm("version").stdout.count(".") == 2


def test_types_are_json_lines_in_a_pipe() -> None:
    """Every command and query is one JSON object a line, without a server."""
    entries = [json.loads(line) for line in bpm("types").stdout.splitlines()]
    named = {entry["type"]: entry for entry in entries}
    assert named["PingQuery"]["permission"] is None
    assert named["CreateWebHookConfigCommand"]["permission"] == "webhooks:write"
    assert list(named) == sorted(named)


def test_types_can_be_narrowed_to_an_area() -> None:
    """Only the area's messages are listed; an unknown area is an error."""
    lines = bpm("types", "--area", "events").stdout.splitlines()
    assert {json.loads(line)["area"] for line in lines} == {"events"}
    result = bpm("types", "--area", "nope")
    assert result.exit_code == 1
    assert result.stderr.startswith("bpm: there is no area 'nope'; there are accounts, audit, ")


async def test_types_of_a_server_are_those_that_it_knows(server: ServerProcess) -> None:
    """With a name and a password the server is asked; it says the same as what is installed here, if that is it."""
    known = {"BPM_URL": server.url, "BPM_USERNAME": ADMINISTRATOR, "BPM_PASSWORD": PASSWORD}

    async def types(*words: str, **changes: str) -> Any:
        return await anyio.to_thread.run_sync(partial(bpm, "types", *words, **{**known, **changes}))

    assert (await types()).stdout == bpm("types").stdout
    shown = (await types("show", "CreateSubscriptionCommand")).stdout
    assert json.loads(shown) == json.loads(bpm("types", "show", "CreateSubscriptionCommand").stdout)
    missed = await types("show", "PinQuery")
    assert missed.exit_code == 4
    assert "did you mean PingQuery" in missed.stderr
    refused = await types("--area", "nope")
    assert (refused.exit_code, "no area is named 'nope'; there are accounts, " in refused.stderr) == (4, True)
    assert (await types(BPM_URL="http://127.0.0.1:9")).exit_code == 1
    assert (await types("--offline", BPM_URL="http://127.0.0.1:9")).exit_code == 0


def test_one_type_is_shown_for_people() -> None:
    """Fields with their types and rules, the result and an example."""
    text = bpm("types", "show", "GetEventListQuery", "--format", "text").stdout
    for words in ("GetEventListQuery (query, events:read)", "pageSize", "at most 200", "10 by default", "Example"):
        assert words in text


def test_one_type_is_shown_for_programs() -> None:
    """The schemas stand alone; the forms of .NET are understood."""
    shown = json.loads(bpm("types", "show", "App.Commands.PublishEventCommand, App").stdout)
    assert shown["type"] == "PublishEventCommand"
    assert shown["request"]["properties"]["event"]["type"] == "string"


def test_an_unknown_type_gets_a_suggestion() -> None:
    """A misspelt name ends with status 1 and the closest names."""
    result = bpm("types", "show", "PinQuery")
    assert result.exit_code == 1
    assert "did you mean PingQuery" in result.stderr


def test_a_package_that_is_not_there_is_an_error() -> None:
    """The offline commands say which application package can't be imported."""
    result = bpm("types", BPM_COMMAND_PACKAGES="no_such_shop")
    assert result.exit_code == 1
    assert "'no_such_shop' can't be imported" in result.stderr


def test_a_dry_run_checks_without_a_server() -> None:
    """A sound message is printed as it would be sent; values that are JSON count as JSON."""
    result = bpm("send", "GetEventListQuery", "--dry-run", "pageSize=5", "searchText=a b", 'event="order.*"')
    assert result.exit_code == 0
    sent = {"$type": "GetEventListQuery", "pageSize": 5, "searchText": "a b", "event": "order.*"}
    assert json.loads(result.stdout) == sent


def test_a_number_is_a_text_where_a_text_is_asked_for() -> None:
    """A key or password of digits needs no quotes; a number that is wrong in another way stays one."""
    result = bpm("send", "PublishEventCommand", "--dry-run", "event=123", 'data={"a": 1}')
    assert json.loads(result.stdout) == {"$type": "PublishEventCommand", "event": "123", "data": {"a": 1}}
    assert "pageSize: " in bpm("send", "GetEventListQuery", "--dry-run", "pageSize=500", "searchText=5").stderr


async def test_the_server_says_where_a_text_is_asked_for(server: ServerProcess) -> None:
    """A command refused for a number in the place of a text is sent again with the text."""
    sent = await send(server, "PublishEventCommand", "event=123", "data={}")
    assert (sent.exit_code, json.loads(sent.stdout)["data"]["event"]) == (0, "123")


def test_a_dry_run_tells_every_problem() -> None:
    """All faults of a message are listed, with status 1."""
    result = bpm("send", "GetEventListQuery", "--dry-run", "pageSize=500", "nope=1")
    assert result.exit_code == 1
    assert result.stderr.startswith("bpm: Validation failed\n  - pageSize: ")
    assert "nope: " in result.stderr


@pytest.mark.parametrize(
    ("words", "stdin", "complaint"),
    [
        (["pageSize"], "", "'pageSize' is not a field; write name=value"),
        (["=5"], "", "'=5' is not a field"),
        (["a=1", "a=2"], "", "a is given twice"),
        (["-f", "/no/such/file"], "", "/no/such/file can't be read: No such file or directory"),
        (["-f", "x.json", "a=1"], "", "not both"),
        (["-"], "{", "standard input does not hold JSON"),
        (["-"], "[1]", "must hold one JSON object"),
        (["-"], '{"$type": "PingQuery"}', "another $type than GetEventListQuery"),
        ([], "", "who are you? Set BPM_TOKEN, or BPM_USERNAME and BPM_PASSWORD"),
        (["--url", "nonsense", "--token", "x"], "", "'nonsense' is not an address"),
        (["--format", "xml"], "", "Invalid value"),
    ],
)
def test_wrong_usage_ends_with_two(words: list[str] | list[Any], stdin: str, complaint: str) -> None:
    """What was typed wrong is said, and nothing is sent."""
    result = bpm("send", "GetEventListQuery", *words, stdin=stdin)
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_a_server_that_is_away_is_said_with_the_remedy() -> None:
    """Nobody listens: status 1, and how to start a server."""
    result = bpm("send", "PingQuery", "--url", "http://127.0.0.1:9", "--token", "x")
    assert result.exit_code == 1
    assert "no server answers at http://127.0.0.1:9" in result.stderr
    assert "start one with `bpm serve`" in result.stderr


async def test_send_prints_the_answer_as_a_line(server: ServerProcess) -> None:
    """In a pipe the whole answer is one line of JSON."""
    result = await send(server, "PingQuery")
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    assert (answer["success"], answer["data"]["principal"]) == (True, ADMINISTRATOR)


async def test_send_prints_for_people(server: ServerProcess) -> None:
    """As text the message comes first, then the data; lists are tables with a count."""
    result = await send(server, "PublishEventCommand", "event=cli.tried", 'data={"a": 1}', "--format", "text")
    assert result.stdout.startswith("Event published successfully\n{")
    listed = await send(server, "GetEventListQuery", "event=cli.tried", "--format", "text")
    assert "cli.tried" in listed.stdout
    assert listed.stdout.endswith("1 of 1\n")


async def test_send_reads_bodies(server: ServerProcess, tmp_path: Path) -> None:
    """A file or standard input holds the fields, with or without `$type`."""
    body: dict[str, Any] = {"$type": "PublishEventCommand", "event": "cli.body", "data": {"x": [1]}}
    file = tmp_path / "body.json"
    file.write_text(json.dumps(body))
    results = [
        await send(server, "PublishEventCommand", "-f", str(file)),
        await send(server, "PublishEventCommand", "-", stdin=file.read_text()),
        await send(server, "PublishEventCommand", "-f", "-", stdin=file.read_text()),
    ]
    assert [json.loads(result.stdout)["data"]["data"] for result in results] == [{"x": [1]}] * 3


async def test_send_takes_a_token(server: ServerProcess) -> None:
    """An access token or API key is enough."""
    key = await server.cmd("CreateApiKeyCommand", name="cli", scopes=["events:read"])
    result = await send(server, "GetEventListQuery", "--token", key["key"])
    assert result.exit_code == 0, result.stderr


async def test_a_refusal_ends_with_four(server: ServerProcess) -> None:
    """The server's words are printed: the answer for programs, the sentences for people."""
    result = await send(server, "GetWebHookConfigByIdQuery", "id=999")
    assert result.exit_code == 4
    assert json.loads(result.stdout)["success"] is False
    assert result.stderr.startswith("bpm: GetWebHookConfigByIdQuery (404): ")
    assert (await send(server, "PingQuery", BPM_PASSWORD="wrong")).exit_code == 4


async def test_an_idempotency_key_is_sent(server: ServerProcess) -> None:
    """The same key publishes once."""
    words = ("PublishEventCommand", "event=cli.once", "--idempotency-key", "k-1")
    first, again = [json.loads((await send(server, *words)).stdout) for _ in range(2)]
    assert first == again
    assert (await server.cmd("GetEventListQuery", event="cli.once"))["totalCount"] == 1


async def test_an_organisation_is_acted_for(server: ServerProcess) -> None:
    """What is sent goes for the organisation that is named."""
    made = await server.cmd("CreateOrganizationCommand", name="Acme")
    result = await send(server, "GetOwnOrganizationQuery", "--organization", str(made["id"]))
    assert json.loads(result.stdout)["data"]["name"] == "Acme"


def test_a_body_that_is_no_text_is_refused_by_name() -> None:
    """Bytes that are not UTF-8 are a usage error, not a trace."""
    words = [sys.executable, "-m", "bpm.cli", "send", "PingQuery", "--dry-run", "-"]
    done = subprocess.run(words, input=b"\xff\xfe", capture_output=True, check=False)
    assert done.returncode == 2
    assert b"does not hold JSON" in done.stderr
