"""The verbs of the command line, on a real server: what each sends, what it prints, and how it ends."""

import asyncio
import json
import os
import pty
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from bpm.bus.catalogue import catalogue_of
from bpm.cli import main
from bpm.cli.db import PRUNE
from bpm.cli.exits import ExitStatus
from bpm.cli.registry import offline_registry
from bpm.cli.verbs import VERBS, Verb
from bpm.testing import ADMINISTRATOR, PASSWORD, ServerProcess, WebhookReceiver
from commands.accounts.api_keys import CreateApiKeyCommand
from tests.commands.playing import bpmn

pytestmark = pytest.mark.anyio

EVERY_VERB = [("db", PRUNE), *((group, verb) for group, verbs in VERBS.items() for verb in verbs)]


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ServerProcess]:
    async with ServerProcess() as server:
        await server.rule("verbs", commandName="PingQuery", labels=["verbs"])
        await server.rule("failing", commandName="CancelProcessInstanceCommand", retry={"attempts": 1})
        yield server


async def bpm(server: ServerProcess, *words: str, **more: str) -> Any:
    known = {"BPM_URL": server.url, "BPM_USERNAME": ADMINISTRATOR, "BPM_PASSWORD": PASSWORD, **more}
    return await anyio.to_thread.run_sync(partial(CliRunner().invoke, main, words, env=known))


async def lines(server: ServerProcess, *words: str, **more: str) -> list[Any]:
    """What a verb prints in a pipe: a JSON object a line."""
    done = await bpm(server, *words, **more)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


async def captured(server: ServerProcess, number: int, rule: str = "verbs") -> dict[str, Any]:
    """Let a request of the test's own come, and return it when it rests."""
    assert (await server.hook(rule, {"number": number})).ok
    await server.settled()
    (found,) = await server.requests(configKey=rule, searchText=f'"number":{number}')
    return found


@pytest.mark.parametrize(("group", "verb"), EVERY_VERB, ids=lambda each: each if isinstance(each, str) else each.name)
def test_a_verb_sends_fields_that_its_message_has(group: str, verb: Verb) -> None:
    """Every word is a field, what is required is an argument or always the same, and every column is in the answer."""
    catalogue = catalogue_of(offline_registry())
    entry = next(each for each in catalogue.entries if each.name == verb.message)
    words = {word.wire for word in (*verb.arguments, *verb.options)}
    fields = set(entry.request["properties"])
    assert words | verb.fixed.keys() <= fields
    required = set(entry.request["required"]) - {"$type"} - verb.fixed.keys()
    assert required <= words
    if verb.columns:
        text = json.dumps(catalogue.standing_alone(entry.result))
        assert [column for column in verb.columns if f'"{column}"' not in text] == []


def test_scopes_in_help_are_ones_that_a_key_may_have() -> None:
    """What stands there as an example is taken by the command."""
    create = next(verb for verb in VERBS["keys"] if verb.name == "create")
    told = next(word.help for word in create.options if word.name == "scopes")
    example = told.partition("as in ")[2].rstrip(".").split(",")
    CreateApiKeyCommand.model_validate({"name": "x", "scopes": example})


def test_every_command_has_help_and_a_line_about_each_option() -> None:
    """Nothing is listed without a word about it."""
    waiting: list[tuple[str, Any]] = [("bpm", get_command(main))]
    mute: list[str] = []
    while waiting:
        name, command = waiting.pop()
        waiting += [(f"{name} {each}", inner) for each, inner in getattr(command, "commands", {}).items()]
        mute += [] if command.help else [name]
        mute += [f"{name} {each.name}" for each in command.params if not (each.help or each.hidden)]
    assert mute == []


async def test_requests_are_listed_shown_and_replayed(server: ServerProcess) -> None:
    """JSON lines in a pipe; what the server refuses ends with 4, a wrong use with 2."""
    made = await captured(server, 101)
    id_ = made["requestId"]
    assert id_ in [
        each["requestId"] for each in await lines(server, "requests", "list", "--rule", "verbs", "--size", "200")
    ]
    assert await lines(server, "requests", "list", "--rule", "verbs", "--state", "dead") == []
    (shown,) = await lines(server, "requests", "show", id_)
    assert shown["body"] == '{"number":101}'
    assert (await bpm(server, "requests", "replay", id_)).exit_code == ExitStatus.REFUSED
    (again,) = await lines(server, "requests", "replay", id_, "--force")
    assert again["requestId"] == id_
    (traced,) = await lines(server, "trace", id_)
    assert (traced["foundAs"], traced["request"]["requestId"]) == ("request", id_)
    assert (await bpm(server, "requests", "show")).exit_code == ExitStatus.USAGE
    assert (await bpm(server, "requests", "show", "nobody")).exit_code == ExitStatus.REFUSED


async def test_a_zero_is_a_number_that_was_given(server: ServerProcess) -> None:
    """The server is told of it, and refuses it, as it does any other that can't be."""
    for option, sentence in (("--page", "pageNumber: must be"), ("--size", "pageSize: must be")):
        refused = await bpm(server, "requests", "list", option, "0")
        assert (refused.exit_code, sentence in refused.stderr) == (ExitStatus.REFUSED, True), refused.output


async def test_what_was_given_up_is_discarded(server: ServerProcess) -> None:
    """Found among the dead, and then given up for good."""
    made = await captured(server, 102, "failing")
    dead = await lines(server, "dead", "list", "--rule", "failing")
    assert made["requestId"] in [each["requestId"] for each in dead]
    await lines(server, "dead", "discard", made["requestId"], "--reason", "a test")
    assert [each["verdict"] for each in await lines(server, "requests", "show", made["requestId"])] == ["discarded"]


async def test_a_rule_is_found_by_its_key(server: ServerProcess) -> None:
    """Listed, shown, switched off and on."""
    await server.rule("switched", commandName="PingQuery", labels=["switched"])
    assert [each["key"] for each in await lines(server, "rules", "list", "--label", "switched")] == ["switched"]
    await lines(server, "rules", "disable", "switched")
    assert [each["isEnabled"] for each in await lines(server, "rules", "show", "switched")] == [False]
    await lines(server, "rules", "enable", "switched")
    changes = [each["change"] for each in await lines(server, "rules", "history", "switched")]
    assert changes == ["activated", "deactivated", "created"]
    missing = await bpm(server, "rules", "show", "nobody")
    assert (missing.exit_code, "No webhook configuration" in missing.stderr) == (ExitStatus.REFUSED, True)


async def test_accounts_and_tasks(server: ServerProcess) -> None:
    """A key is made, used and ended; a user is made and switched off; a task is completed."""
    (key,) = await lines(server, "keys", "create", "verbs", "--scopes", "inbound:read,webhooks:read")
    assert key["scopes"] == ["inbound:read", "webhooks:read"]
    used = await lines(server, "rules", "list", "--label", "verbs", BPM_TOKEN=key["key"])
    assert [each["key"] for each in used] == ["verbs"]
    await lines(server, "keys", "revoke", str(key["id"]))
    assert (await bpm(server, "rules", "list", BPM_TOKEN=key["key"])).exit_code == ExitStatus.REFUSED
    (user,) = await lines(server, "users", "create", "ann", "--roles", "viewer")
    assert "ann" in [each["username"] for each in await lines(server, "users", "list", "--size", "200")]
    await lines(server, "users", "disable", str(user["id"]))
    xml = bpmn("start s; user t; end e\ns -> t -> e", "verbs")
    await server.cmd("CreateProcessDefinitionCommand", name="verbs", bpmnXml=xml)
    begun = await server.cmd("StartProcessInstanceCommand", processKey="verbs")
    (task,) = await lines(server, "tasks", "list", "--instance", str(begun["instanceId"]))
    numbers = str(task["instanceId"]), str(task["waitId"])
    await lines(server, "tasks", "complete", *numbers, "--variables", '{"approved": true}')
    assert await lines(server, "tasks", "list", "--instance", numbers[0]) == []


async def test_instances_are_listed_shown_and_cancelled(server: ServerProcess) -> None:
    """By their process; what is cancelled has ended."""
    xml = bpmn("start s; user t; end e\ns -> t -> e", "w")
    await server.cmd("CreateProcessDefinitionCommand", name="w", bpmnXml=xml)
    begun = await server.cmd("StartProcessInstanceCommand", processKey="w")
    number = str(begun["instanceId"])
    assert [each["key"] for each in await lines(server, "process", "definitions", "--process", "w")] == ["w"]
    (listed,) = await lines(server, "process", "list", "--process", "w", "--status", "WAITING")
    assert listed["instanceId"] == begun["instanceId"]
    (shown,) = await lines(server, "process", "show", number)
    assert [task["elementId"] for task in shown["currentTasks"]] == ["t"]
    assert await lines(server, "process", "history", number) != []
    (ended,) = await lines(server, "process", "cancel", number, "--reason", "a test")
    assert ended["status"] == "CANCELLED"


async def test_what_is_older_than_retention_says_is_counted_and_pruned(server: ServerProcess) -> None:
    """By the running server, a preview first."""
    (counted,) = await lines(server, "db", "prune", "--preview")
    (pruned,) = await lines(server, "db", "prune")
    assert (counted["preview"], pruned["preview"], pruned["complete"]) == (True, False, True)


async def test_a_bulk_job_is_waited_for(server: ServerProcess) -> None:
    """One that nobody started, or of which rows were refused, is an error that says what to do."""
    made = await captured(server, 104, "failing")
    selection = {"requestIds": [made["requestId"]]}
    planned = await server.cmd("PlanBulkJobCommand", action="replayRequests", selection=selection)
    waited = await bpm(server, "bulk", "wait", planned["id"])
    assert (waited.exit_code, f"bpm bulk start {planned['id']}" in waited.stderr) == (ExitStatus.ERROR, True)
    await lines(server, "bulk", "start", planned["id"])
    (done,) = await lines(server, "bulk", "wait", planned["id"])
    assert (done["state"], done["done"], done["left"]) == ("done", 1, 0)
    await server.settled()
    discarding = {"action": "discardRequests", "fields": {"reason": "a test"}}
    refused = await server.cmd("PlanBulkJobCommand", **discarding, selection=selection)
    await server.cmd("DiscardInboundRequestCommand", requestId=made["requestId"], reason="a test")
    await lines(server, "bulk", "start", refused["id"])
    waited = await bpm(server, "bulk", "wait", refused["id"])
    assert (waited.exit_code, "1 of 1 rows were refused" in waited.stderr) == (ExitStatus.ERROR, True), waited.output


async def test_a_password_is_reset_without_signing_in(server: ServerProcess) -> None:
    """The new one counts at once, the former sign-ins end, and the audit log tells of it."""
    place = {name: server.environment[name] for name in ("BPM_DATABASE_URL",) if name in server.environment}
    place["BPM_DATA_DIR"] = str(server.data_dir)
    (made,) = await lines(server, "users", "create", "cleo")
    former = {"username": "cleo", "password": made["password"]}
    signed_in = await server.request("POST", "/api/auth/token", former)
    done = await bpm(server, "users", "reset-password", "Cleo", **place)
    assert done.exit_code == 0, done.output
    renewed = {"username": "cleo", "password": done.stdout.strip()}
    assert (await server.request("POST", "/api/auth/token", former)).status == 401
    assert (await server.request("POST", "/api/auth/token", renewed)).status == 200
    ended = {"grant_type": "refresh_token", "refresh_token": signed_in.body["refresh_token"]}
    assert (await server.request("POST", "/api/auth/token", ended)).status == 401
    (line,) = (await server.cmd("GetAuditLogQuery", messageType="bpm users reset-password"))["items"]
    assert line["fields"]["username"] == "cleo"
    assert renewed["password"] not in json.dumps(line)


async def test_the_own_password_is_changed(server: ServerProcess) -> None:
    """It is asked for, with the new one twice, and never in an argument; a wrong one changes nothing."""
    (made,) = await lines(server, "users", "create", "nina")
    chosen, known = "an even longer password", {"BPM_URL": server.url, "BPM_USERNAME": "nina"}
    change = ("users", "change-password")
    for current, status in (("not the password", ExitStatus.ERROR), (made["password"], 0)):
        typed = f"{current}\n{chosen}\n{chosen}\n"
        done = await anyio.to_thread.run_sync(partial(CliRunner().invoke, main, change, input=typed, env=known))
        assert bool(done.exit_code) == bool(status), done.output
        assert chosen not in done.output
    for password, answered in ((made["password"], 401), (chosen, 200)):
        signing_in = {"username": "nina", "password": password}
        assert (await server.request("POST", "/api/auth/token", signing_in)).status == answered


async def test_whose_password_can_not_be_reset(server: ServerProcess) -> None:
    """Nobody of that name, a service account, and who was disabled, unless that is wanted."""
    place = {name: server.environment[name] for name in ("BPM_DATABASE_URL",) if name in server.environment}
    place["BPM_DATA_DIR"] = str(server.data_dir)
    await lines(server, "users", "create", "robot", "--kind", "service")
    (made,) = await lines(server, "users", "create", "dora")
    await lines(server, "users", "disable", str(made["id"]))
    for name, sentence in (("dorra", "there is no user"), ("robot", "service account"), ("dora", "is disabled")):
        refused = await bpm(server, "users", "reset-password", name, **place)
        assert (refused.exit_code, sentence in refused.output) == (ExitStatus.ERROR, True), refused.output
    let_in = await bpm(server, "users", "reset-password", "dora", "--enable", **place)
    renewed = {"username": "dora", "password": let_in.stdout.strip()}
    assert (await server.request("POST", "/api/auth/token", renewed)).status == 200


async def test_listening_goes_on_where_it_stopped(server: ServerProcess, tmp_path: Path) -> None:
    """Each request once, in order, with its body; one for which nobody was there comes the next time."""
    state = {"XDG_STATE_HOME": str(tmp_path)}
    first = await captured(server, 201)
    async with WebhookReceiver() as receiver:
        words = ("listen", "verbs", "--forward-to", f"{receiver.url}/local", "--no-follow")
        told = await lines(server, *words, "--since", first["receivedAt"], **state)
        assert told[0] | {"milliseconds": 0} == {
            "requestId": first["requestId"], "method": "POST", "path": "verbs", "status": 200, "milliseconds": 0,
            "body": told[0]["body"],
        }  # fmt: skip
        assert await lines(server, *words, **state) == []
        second = await captured(server, 202)
        assert [each["requestId"] for each in await lines(server, *words, **state)] == [second["requestId"]]
        bodies = [request.json() for request in receiver.requests]
        assert bodies[-1] == {"number": 202}
        assert bodies.count({"number": 201}) == 1
    third = await captured(server, 203)
    away = await bpm(server, *words, **state)
    assert (away.exit_code, "nobody answers at" in away.stderr) == (ExitStatus.ERROR, True)
    assert third["requestId"] not in away.stdout


async def test_a_request_is_edited_and_sent_again(server: ServerProcess, tmp_path: Path) -> None:
    """Through the bus as a new one that names the first, or to a program of one's own."""
    made = await captured(server, 301)
    editor = tmp_path / "editor.py"
    editor.write_text("import sys; f = sys.argv[1]; t = open(f).read().replace('301', '302'); open(f, 'w').write(t)")
    edited = {"EDITOR": f"{sys.executable} {editor}", "VISUAL": ""}
    (again,) = await lines(server, "requests", "resend", made["requestId"], "--edit", **edited)
    assert again["resentOf"] == made["requestId"]
    assert (await server.cmd("GetInboundRequestByIdQuery", requestId=again["requestId"]))["body"] == '{"number":302}'
    async with WebhookReceiver() as receiver:
        receiver.answer(418)
        words = ("requests", "resend", made["requestId"], "--edit", "--forward-to", f"{receiver.url}/mine")
        assert [each["status"] for each in await lines(server, *words, **edited)] == [418]
        assert [request.json() for request in receiver.requests] == [{"number": 302}]
    failed = await bpm(server, "requests", "resend", made["requestId"], "--edit", EDITOR="false", VISUAL="")
    assert (failed.exit_code, "nothing was sent" in failed.stderr) == (ExitStatus.ERROR, True)


async def test_the_tail_of_requests(server: ServerProcess) -> None:
    """From a moment on, the oldest first."""
    made = [await captured(server, number) for number in (401, 402)]
    told = await lines(server, "requests", "tail", "--rule", "verbs", "--since", made[0]["receivedAt"], "--no-follow")
    assert [each["requestId"] for each in told if each["requestId"] in {one["requestId"] for one in made}] == [
        each["requestId"] for each in made
    ]


async def test_the_tail_waits_for_more(server: ServerProcess) -> None:
    """What comes while it is followed is printed when it comes."""
    known = {**os.environ, "BPM_URL": server.url, "BPM_USERNAME": ADMINISTRATOR, "BPM_PASSWORD": PASSWORD}
    before = await captured(server, 501)
    words = ("-m", "bpm.cli", "requests", "tail", "--rule", "verbs", "--since", before["receivedAt"])
    tail = await asyncio.create_subprocess_exec(sys.executable, *words, env=known, stdout=asyncio.subprocess.PIPE)
    assert tail.stdout is not None
    async with asyncio.timeout(60):
        assert json.loads(await tail.stdout.readline())["requestId"] == before["requestId"]
        after = await captured(server, 502)
        assert json.loads(await tail.stdout.readline())["requestId"] == after["requestId"]
    tail.terminate()
    await tail.wait()


async def test_the_doctor_looks_at_a_server(server: ServerProcess) -> None:
    """With the server's environment it finds what the server has, and says what to do about the rest."""
    here = {"BPM_DATA_DIR": str(server.data_dir), "BPM_PORT": str(server.port)}
    found = {each["about"]: each for each in await lines(server, "doctor", "--name", "localhost", **here)}
    assert {"clock", "disk", "WAL", "key", "public URL", "name servers", "server"} <= found.keys()
    assert [found[about]["state"] for about in ("WAL", "key", "server")] == ["ok"] * 3
    assert all(each["advice"] for each in found.values() if each["state"] != "ok")
    (server.data_dir / "secret.key").chmod(0o644)
    open_key = await bpm(server, "doctor", **here, BPM_PUBLIC_URL="https://hooks.example.invalid")
    (server.data_dir / "secret.key").chmod(0o600)
    told = {each["about"]: each for each in map(json.loads, open_key.stdout.splitlines())}
    assert (open_key.exit_code, told["key"]["state"], told["name servers"]["state"]) == (1, "problem", "problem")
    assert "BPM_TRUSTED_PROXIES" in told["proxy headers"]["advice"]


async def test_the_console_s_address_is_printed(server: ServerProcess) -> None:
    """For who has no browser here."""
    assert (await bpm(server, "open", "--print")).stdout == f"{server.url}/console/\n"


async def test_a_terminal_shows_a_table_with_whole_ids(server: ServerProcess) -> None:
    """In a real terminal, however narrow, an id is copied whole, nothing is cut, and there is no JSON."""
    made = await captured(server, 503)
    for columns in ("40", "80", "160"):
        show = partial(
            in_terminal, server, "requests", "list", "--rule", "verbs", COLUMNS=columns, TERM="xterm", NO_COLOR="1"
        )
        shown = await anyio.to_thread.run_sync(show)
        assert "{" not in shown
        assert made["requestId"] in shown.split()
        assert made["receivedAt"] in shown.split()


async def test_a_list_that_is_wider_than_the_terminal_is_told_item_by_item(server: ServerProcess) -> None:
    """All fields of a request are more than 80 columns hold: each has a line, with its name and value whole."""
    made = await captured(server, 507)
    words = ("send", "GetInboundRequestListQuery", "configKey=verbs")
    shown = (await anyio.to_thread.run_sync(partial(in_terminal, server, *words))).split()
    for name in ("requestId", "state", "configKey", "receivedAt"):
        assert name in shown
    assert made["requestId"] in shown


def in_terminal(server: ServerProcess, *words: str, **more: str) -> str:
    """Run a command whose output is a terminal, and return what it shows."""
    outer, inner = pty.openpty()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BPM_")}
    known = {"BPM_URL": server.url, "BPM_USERNAME": ADMINISTRATOR, "BPM_PASSWORD": PASSWORD, "COLUMNS": "80"}
    command = [sys.executable, "-m", "bpm.cli", *words]
    with subprocess.Popen(
        command, stdout=inner, stderr=inner, env={**inherited, **known, **more, "TERM": "dumb"}
    ) as process:
        os.close(inner)
        shown = b""
        while True:
            try:
                part = os.read(outer, 65_536)
            except OSError:  # the terminal's other end is closed
                break
            if not part:
                break
            shown += part
        assert process.wait(30) == 0, shown
    os.close(outer)
    return shown.decode()
