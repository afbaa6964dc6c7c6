"""From a stored request to its effect by a worker: retries, endings, and rules that changed meanwhile."""

import asyncio
from typing import Any

import pytest
import structlog
from sqlalchemy import update

from bpm import testing
from bpm.client import BusClient
from bpm.testing import RunningApp, ServerProcess, running_app
from router.tables.configs import CONFIGS
from tests.router import probes
from tests.router.conftest import PROBES, noting, rows, runs, send_from, stored, until

pytestmark = pytest.mark.anyio

ONCE = {"attempts": 1, "backoffSeconds": [0.0]}
SOON = {"attempts": 3, "backoffSeconds": [0.01, 0.05], "jitter": 0.0}


async def test_what_was_accepted_is_executed(app: RunningApp) -> None:
    """The answer names the request, which is then executed with payload, headers, query and path as they came."""
    text = "{{payload.n}} {{headers.X-Kind}} {{query.page}} {{path.shop}} {{request.method}}"
    await noting(app, "accepted", path="accepted/{shop}", parameters={"event": "accepted", "text": text})
    answer = await app.hook("accepted/north?page=2", {"n": 7}, {"x-kind": "a, b"})
    assert (answer.status, answer.message) == (200, "Accepted")
    (kept,) = await until(app, "accepted", "done")
    assert (kept["requestId"], kept["attempt"], kept["messageType"]) == (answer.data["requestId"], 1, "NoteCommand")
    (event,) = (await app.cmd("GetEventListQuery", event="accepted"))["items"]
    assert event["data"] == {"text": "7 a, b 2 north POST"}
    assert event["correlationId"] == kept["requestId"]


async def test_forms_and_text_reach_their_command(app: RunningApp) -> None:
    """A form is an object whose repeated fields are lists; text, XML and what has no type is text; nothing is null."""
    text = "is {{payload.a ?? payload ?? 'nothing'}}"
    await noting(app, "bodies", parameters={"event": "bodies", "text": text})
    bodies = [
        (b"a=1%202&b=3", "application/x-www-form-urlencoded"),
        (b"a=1&a=2", "application/x-www-form-urlencoded; charset=utf-8"),
        ("grüße".encode("latin-1"), "text/plain; charset=iso-8859-1"),
        (b"<a>1</a>", "application/xml"),
        (b'{"a": 1}', "text/plain"),
        (b'{"a": 1}', "application/vnd.shop+json"),
        (b"", "application/json"),
    ]
    for body, content_type in bodies:
        assert (await app.request("POST", "/api/webhooks/bodies", body, {"content-type": content_type})).status == 200
    await until(app, "bodies", *["done"] * len(bodies))
    seen = [event["data"]["text"] for event in (await app.cmd("GetEventListQuery", event="bodies"))["items"]]
    expected = ["1 2", '["1","2"]', "grüße", "<a>1</a>", '{"a": 1}', "1", "nothing"]
    assert sorted(seen) == sorted(f"is {text}" for text in expected)


async def test_a_failing_execution_is_tried_again(app: RunningApp) -> None:
    """Each failure is undone and stored with its reason, and the next attempt comes after its wait."""
    await app.rule("again", commandName="StumbleCommand", parameters={"event": "again", "times": 2}, retry=SOON)
    await app.hook("again", {})
    (kept,) = await until(app, "again", "done")
    assert (kept["attempt"], kept["errors"], kept["nextAttemptAt"]) == (3, None, None)
    assert (probes.tries["again"], await runs(app, "again")) == (3, 1)


async def test_after_the_last_attempt_it_is_dead(app: RunningApp) -> None:
    """A request that fails every time ends dead, with the last reason, and left no effect."""
    await app.rule("dead", commandName="StumbleCommand", parameters={"event": "dead", "times": 9}, retry=SOON)
    with structlog.testing.capture_logs() as lines:
        await app.hook("dead", {})
        (kept,) = await until(app, "dead", "dead")
    said = {"request_id": kept["requestId"], "rule": "dead", "attempts": 3, "log_level": "warning"}
    assert [line for line in lines if said.items() <= line.items()]
    assert (kept["attempt"], kept["errors"]) == (3, ["try 3 of dead failed"])
    assert kept["completedAt"] is not None
    assert (probes.tries["dead"], await runs(app, "dead")) == (3, 0)


async def test_between_attempts_it_shows_when_the_next_is_due(app: RunningApp) -> None:
    """A request that waits for its next attempt is `failed`, with the reason and the moment."""
    retry = {"attempts": 2, "backoffSeconds": [3600.0], "jitter": 0.0}
    await app.rule("waits", commandName="StumbleCommand", parameters={"event": "waits", "times": 9}, retry=retry)
    await app.hook("waits", {})
    (kept,) = await until(app, "waits", "failed")
    assert kept["nextAttemptAt"] > kept["receivedAt"]
    assert (kept["attempt"], kept["completedAt"]) == (1, None)


@pytest.mark.parametrize(
    ("name", "fields", "says"),
    [
        ("crashing", {"commandName": "CrashCommand", "parameters": {"event": "x"}}, "our side"),
        ("unmapped", {"commandName": "NoteCommand", "parameters": {"event": "{{payload.none}}"}}, "none"),
        ("misfit", {"commandName": "NoteCommand", "parameters": {"event": 5}}, "event"),
        ("script", {"executionType": 2, "executionCode": "1 / 0"}, "line 1"),
        ("chain", {"executionType": 1, "commandChain": [{"commandName": "CrashCommand"}]}, "CrashCommand"),
    ],
)
async def test_what_can_not_work_ends_dead_with_its_reason(
    app: RunningApp, name: str, fields: dict[str, Any], says: str
) -> None:
    """A mistake in a handler, a mapping, a script or a chain is a failure that can be read, and never a loop."""
    await app.rule(name, **fields, retry=ONCE)
    await app.hook(name, {"a": 1})
    (kept,) = await until(app, name, "dead")
    assert says in "; ".join(kept["errors"])


async def change_definition(app: RunningApp, rule: dict[str, Any], **fields: Any) -> None:
    """Change a stored rule as no command would, as if its parts had been taken away since."""
    row = (await app.app.database.read(lambda tx: tx.connection.execute(CONFIGS.select().filter_by(id=rule["id"])))).one
    definition = {**row().definition, **fields}
    change = update(CONFIGS).where(CONFIGS.c.id == rule["id"]).values(definition=definition)
    await app.app.database.write(lambda tx: tx.connection.execute(change))
    for name in ("DeactivateWebHookConfigCommand", "ActivateWebHookConfigCommand"):
        await app.cmd(name, id=rule["id"])


@pytest.mark.parametrize("mode", ["async", "sync"])
async def test_a_rule_whose_command_was_removed_fails_visibly(app: RunningApp, mode: str) -> None:
    """Its requests are kept and say which command is missing; the rule can still be read and mended."""
    key = f"removed-{mode}"
    rule = await noting(app, key, retry=ONCE, responseMode=mode)
    await change_definition(app, rule, commandName="RemovedCommand")
    with structlog.testing.capture_logs() as lines:
        answer = await app.hook(key, {})
        assert answer.status == (200 if mode == "async" else 422)
        await until(app, key, "dead" if mode == "async" else "failed")
    assert [line for line in lines if line["log_level"] == "warning" and line.get("rule") == key]
    (kept,) = await until(app, key, "dead" if mode == "async" else "failed")
    assert "RemovedCommand" in kept["errors"][0]
    assert (await app.cmd("GetWebHookConfigByIdQuery", id=rule["id"]))["commandName"] == "RemovedCommand"


@pytest.mark.parametrize(
    "broken",
    [{"retry": {"attempts": 0}}, {"path": "api"}, {"deduplication": "nonsense"}, {"fieldOfTheFuture": 1},
     {"signature": {"scheme": "github", "secret": "not sealed"}}],
    ids=lambda broken: next(iter(broken)),
)  # fmt: skip
async def test_a_rule_that_can_not_be_read_refuses_visibly(app: RunningApp, broken: dict[str, Any]) -> None:
    """A configuration that this version does not understand refuses every request, and keeps them for later."""
    key = f"broken-{next(iter(broken))}"
    rule = await noting(app, key)
    await change_definition(app, rule, **broken)
    answer = await app.hook(key, {})
    assert (answer.status, answer.headers["retry-after"]) == (503, "60")
    assert answer.errors == ["The webhook can't be used just now; send the request again"]
    (kept,) = await stored(app, key)
    assert (kept["state"], kept["verdict"]) == ("quarantined", "broken")
    assert "can't be used" in kept["errors"][0]


async def test_what_was_accepted_before_is_still_executed(app: RunningApp) -> None:
    """Deactivating stops new requests at once, and none that was accepted."""
    fields = {"commandName": "HoldCommand", "parameters": {"event": "late"}}
    rule = await app.rule("late", **fields)
    answers = await asyncio.gather(*(app.hook("late", {}) for _ in range(5)))
    await app.cmd("DeactivateWebHookConfigCommand", id=rule["id"])
    assert (await app.hook("late", {})).status == 404
    probes.released["late"].set()
    await until(app, "late", *["done"] * 5, "quarantined")
    assert {answer.status for answer in answers} == {200}
    assert await runs(app, "late") == 5


async def test_switching_while_requests_come_loses_none(app: RunningApp) -> None:
    """While a rule is switched off and on, every request is either executed or kept as disabled."""
    rule = await noting(app, "switched")
    answers: list[int] = []

    async def send(count: int) -> None:
        answers.extend([(await app.hook("switched", {})).status for _ in range(count)])

    async def switch() -> None:
        for name in ("Deactivate", "Activate") * 5:
            await app.cmd(f"{name}WebHookConfigCommand", id=rule["id"])

    await asyncio.gather(send(30), send(30), switch())
    accepted, refused = answers.count(200), answers.count(404)
    assert accepted + refused == 60
    await until(app, "switched", *["done"] * accepted, *["quarantined"] * refused)
    assert await runs(app, "switched") == accepted


async def test_a_deleted_rules_requests_say_so(app: RunningApp) -> None:
    """What was accepted and not executed when its rule was deleted is a failure that names the reason."""
    fields = {"commandName": "StumbleCommand", "parameters": {"event": "deleted", "times": 9}}
    rule = await app.rule("deleted", **fields, retry={"attempts": 5, "backoffSeconds": [0.3], "jitter": 0.0})
    await app.hook("deleted", {})
    await until(app, "deleted", "failed")
    await app.cmd("DeleteWebHookConfigCommand", id=rule["id"])
    (kept,) = await testing.until(lambda: stored(app, "deleted"), lambda found: found[0]["attempt"] == 2)
    assert kept["errors"] == ["the configuration was deleted before the request was executed"]


async def test_a_path_is_read_by_its_own_rule(app: RunningApp) -> None:
    """A rule created later at a more exact address does not change what an accepted request says."""
    retry = {"attempts": 5, "backoffSeconds": [0.3], "jitter": 0.0}
    fields = {"commandName": "StumbleCommand", "parameters": {"event": "{{path.name}}", "times": 1}}
    await app.rule("wide", **fields, path="wide/{name}", retry=retry)
    await app.hook("wide/own", {})
    await until(app, "wide", "failed")
    await noting(app, "exact", path="wide/own")
    await until(app, "wide", "done")
    assert await runs(app, "own") == 1


async def author(app: RunningApp, name: str) -> tuple[int, BusClient]:
    """Create a user who may write rules and events, and sign in."""
    password = "Correct-horse-battery-7"
    permissions = ["webhooks:read", "webhooks:write", "events:write"]
    made = await app.cmd("CreateUserCommand", username=name, password=password, permissions=permissions)
    client = BusClient(app.http)
    await client.sign_in(name, password)
    return made["id"], client


@pytest.mark.parametrize("mode", ["async", "sync"])
@pytest.mark.parametrize(
    ("what", "change", "says"),
    [("taken", {"permissions": ["webhooks:write"]}, "events:write"), ("disabled", {"isEnabled": False}, "disabled")],
)
async def test_a_rule_does_no_more_than_its_author_may(
    app: RunningApp, mode: str, what: str, change: dict[str, Any], says: str
) -> None:
    """When its author lost the permission or was disabled, a rule stops, and its requests say why."""
    key = f"{what}-{mode}"
    author_id, client = await author(app, key)
    fields = {"key": key, "description": key, "isEnabled": True, "path": key, "action": "POST", "executionType": 0}
    probe = {"commandName": "NoteCommand", "parameters": {"event": key}, "responseMode": mode, "retry": ONCE}
    await client.cmd("CreateWebHookConfigCommand", **fields, **probe)
    assert (await app.hook(key, {})).status == 200
    await until(app, key, "done")
    await app.cmd("UpdateUserCommand", id=author_id, **change)
    answer = await app.hook(key, {})
    assert answer.status == (200 if mode == "async" else 403)
    kept = await until(app, key, "done", "dead" if mode == "async" else "failed")
    assert says in kept[1]["errors"][0]
    assert await runs(app, key) == 1


async def test_an_effect_cut_off_is_taken_up_at_the_next_start(tmp_path: Any) -> None:
    """What went on after its time limit when the server stopped is executed once more by the next one."""
    settings: dict[str, Any] = {
        "command_packages": (PROBES,),
        "sync_limit_seconds": 0.05,
        "drain_seconds": 0.1,
        "data_dir": tmp_path,
    }
    async with running_app(**settings) as app:
        fields = {"commandName": "HoldCommand", "parameters": {"event": "cut"}}
        await app.rule("cut", **fields, responseMode="sync")
        assert (await app.hook("cut", {})).status == 202
    probes.released["cut"].set()
    async with running_app(**settings) as app:
        await until(app, "cut", "done")
        assert (probes.tries["cut"], await runs(app, "cut")) == (2, 1)


async def test_what_was_acknowledged_outlives_the_server(server: ServerProcess) -> None:
    """Requests acknowledged before a kill are executed after the restart, each once."""
    await noting(server, "killed")
    answers = await asyncio.gather(*(server.hook("killed", {"n": n}) for n in range(30)))
    await server.kill()
    await server.start()
    await server.login()
    assert {answer.status for answer in answers} == {200}
    await until(server, "killed", *["done"] * 30)
    assert await runs(server, "killed") == 30


async def test_the_raw_request_is_kept(app: RunningApp) -> None:
    """Body, query, headers, address and moment are stored as they came."""
    await noting(app, "raw")
    body = b' {"b" : 1.10,\n"a": "\xc3\xa9"} '
    headers = [("content-type", "application/json"), ("X-One", "é".encode("latin-1")), ("x-one", "2")]
    await send_from(app, "192.0.2.9", "raw/?q=%41&q=b+c", headers, content=body)
    (row,) = await rows(app, config_key="raw")
    assert (row.body, row.query, row.path, row.method, row.address) == (body, "q=%41&q=b+c", "raw", "POST", "192.0.2.9")
    assert row.headers["x-one"] == "é, 2"
