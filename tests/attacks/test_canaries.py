"""Every feature is used with secrets of its own, in both response modes; then all that is left is looked through.

Looked through are: every file of the data folder, every row of every table, a copy of the database, the log at its
finest level, the answers of every query to a reader and to an administrator, the metrics, the pages of the API, the
output of the command line, and what a receiver of events was sent.
"""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import asyncpg
import httpx
import pytest

from bpm.bus import Query, Registry
from bpm.client import BusClient
from bpm.store.postgres import plain_dsn
from bpm.testing import ServerProcess, WebhookReceiver
from bpm.testing.process import COMMAND
from bpm.testing.receiver import PreparedAnswer
from tests.attacks.canaries import Canaries, as_bytes

MODES = ("async", "sync")
MAX_TRIED = 12
"""How many ways of asking each query are tried."""

REVEALED_TO_WRITERS = {"GetSubscriptionSecretQuery"}
"""Queries that are there to show a secret to who may change it."""

RULE = {"description": "d", "isEnabled": True, "path": "draft", "action": "POST"}

SOURCES = "source of "
"""How the places begin whose secrets stand in source code, which is shown to who may change it."""

TASK = """<?xml version="1.0"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:bpm="urn:bpm-bus" targetNamespace="x"><process id="task" isExecutable="true"><startEvent id="s"/>
 <sequenceFlow id="f1" sourceRef="s" targetRef="x"/><serviceTask id="x"><extensionElements>
 <bpm:command type="CreateUserCommand"><bpm:parameter name="username">{{name}}</bpm:parameter>
 <bpm:parameter name="password">{{secretpw}}</bpm:parameter></bpm:command></extensionElements></serviceTask>
 <sequenceFlow id="f2" sourceRef="x" targetRef="w"/><userTask id="w"/>
 <sequenceFlow id="f3" sourceRef="w" targetRef="e"/><endEvent id="e"/></process></definitions>"""
LITERAL = TASK.replace('id="task"', 'id="literal"').replace("{{secretpw}}", "WRITTEN")
FAILING = TASK.replace('id="task"', 'id="failing"').replace("{{name}}", "")


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """A receiver of events that repeats nothing."""
    async with WebhookReceiver() as running:
        yield running


async def test_no_secret_is_left_anywhere(receiver: WebhookReceiver) -> None:
    """After everything was used, no store, log, answer, export or receiver holds a secret in clear."""
    canaries = Canaries()
    settings = {
        "BPM_LOG_LEVEL": "debug",
        "BPM_LOG_FORMAT": "json",
        "BPM_MONO__WEBHOOK_SECRET": canaries["mono"],
        "BPM_REMITA__HEADER_SECRET": canaries["remita"],
        "BPM_DELIVERY__PROBE": "off",
        "BPM_DELIVERY__ALLOWED_NETWORKS": "127.0.0.0/8",
    }
    server = ServerProcess(**settings)
    async with server:
        await server.cmd("CreateUserCommand", username="reader", password=canaries["reader"], roles=["viewer"])
        await use_accounts(server, canaries)
        await use_rules(server, canaries)
        await use_providers(server, canaries)
        await use_processes(server, canaries)
        await use_events(server, canaries, receiver)
        await settle(server)
        await check_use(server, canaries)
        left: dict[str, bytes | str] = dict(await answers(server, canaries))
        left["command line"] = command_line(server)
        before = server.log
        sent = "".join(repr(request.body) for request in receiver.requests)
        left["receiver"] = canaries.without("template", canaries.without("list", canaries.without(SOURCES, sent)))
        canaries.add("access token", server.token or "")
        canaries.add("key", (server.data_dir / "secret.key").read_text().strip())
        assert await server.stop() == 0
        left |= files(server.data_dir) | await stored(server) | rows(copied(server))
        left["log"] = before + server.log
    found = {place: canaries.found_in(data) for place, data in left.items() if place != "file secret.key"}
    seen = [f"{place}: {', '.join(sorted(words))}" for place, words in found.items() if words]
    assert not seen, "\n".join(seen)
    assert len(left) > 60, "hardly anything was looked through"


async def use_accounts(server: ServerProcess, canaries: Canaries) -> None:
    """Make, change and refuse accounts and keys, sign in rightly and wrongly, repeat by key."""
    once = {"idempotency-key": "once"}
    fields = {"username": "one", "password": canaries["password"]}
    for _ in range(2):
        assert (await server.send("CreateUserCommand", fields, once)).ok
    await server.send("CreateUserCommand", {"username": "x", "password": canaries["refused"], "nonsense": 1})
    await server.send("CreateUserCommand", {"username": canaries["as a name"] * 20, "password": canaries["long"]})
    await server.request("POST", "/api/auth/token", {"username": "admin", "password": canaries["wrong"]})
    await server.request("POST", "/api/auth/token", {"refresh_token": canaries["refresh"]})
    answer = await server.request("POST", "/api/auth/token", {"username": "reader", "password": canaries["reader"]})
    canaries.add("refresh token", answer.body["refresh_token"])
    key = await server.send("CreateApiKeyCommand", {"name": "k", "scopes": ["*:read"]}, {"idempotency-key": "key"})
    canaries.add("api key", key.data["key"].rpartition("_")[2])
    await server.request("GET", f"/api/nothing?token={canaries['url']}", headers={"authorization": canaries["bearer"]})


def schemes(canaries: Canaries) -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
    """Return rules' signatures, each with the headers that are right for it."""
    static = {"scheme": "custom", "type": "static", "encoding": "text"}
    basic = base64.b64encode(f"u:{canaries['basic']}".encode()).decode()
    gitlab, plain, bearer = canaries["gitlab"], canaries["plain"], canaries["hook bearer"]
    github = {"scheme": "github", "secret": canaries["hmac"], "secrets": [canaries["former"]]}
    return {
        "gitlab": ({**static, "header": "X-Gitlab-Token", "secret": gitlab}, {"X-Gitlab-Token": gitlab}),
        "plain": ({**static, "header": "X-Plain", "secret": plain}, {"X-Plain": plain, "X-Copy": f"{plain}!"}),
        "basic": (
            {"scheme": "basic", "username": "u", "secret": canaries["basic"]},
            {"Authorization": f"Basic {basic}"},
        ),
        "bearer": ({"scheme": "bearer", "secret": bearer}, {"Authorization": f"Bearer {bearer}"}),
        "github": (github, {"X-Hub-Signature-256": canaries["signature"]}),
    }


def executions(canaries: Canaries) -> dict[str, dict[str, Any]]:
    """Return what rules do, with secrets in parameters, payloads and results."""
    key = "k = send('CreateApiKeyCommand', {'name': 's', 'scopes': ['webhooks:read'], 'userId': 1})"
    user = {"username": "{{payload.name}}", "password": "{{payload.password}}"}
    chain = [{"commandName": "CreateUserCommand", "parameters": {**user, "password": canaries["chain"]}}]
    seen = {"event": "seen", "data": {"h": "{{headers}}", "q": "{{query}}"}}
    return {
        "native": {
            "commandName": "CreateApiKeyCommand",
            "parameters": {"name": "n", "scopes": ["webhooks:read"], "userId": 1},
        },
        "user": {"commandName": "CreateUserCommand", "parameters": user},
        "literal": {"commandName": "CreateUserCommand", "parameters": {**user, "password": canaries["literal"]}},
        "chain": {"executionType": 1, "commandChain": chain},
        "script": {"executionType": 2, "executionCode": f"{key}\nreturn [dict(headers), dict(query), k]"},
        "written": {
            "executionType": 2,
            "executionCode": f"send('CreateUserCommand', {{'username': payload['name'], "
            f"'password': {canaries['source of a script']!r}}})",
        },
        "raising": {"executionType": 2, "executionCode": "raise ValueError('bad ' + payload['password'])"},
        "event": {"commandName": "PublishEventCommand", "parameters": seen},
        "broken": {
            "commandName": "CreateUserCommand",
            "parameters": {"username": "{{number(payload.password)}}", "password": "x"},
        },
    }


async def use_rules(server: ServerProcess, canaries: Canaries) -> None:
    """Send requests by every scheme to every kind of rule, in both modes, with credentials that nobody asked for."""
    number = itertools.count()
    credentials = {
        "Cookie": f"session={canaries['cookie']}",
        "X-Api-Key": canaries["x-api-key"],
        "X-Auth-Token": canaries["x-auth-token"],
        "Referer": f"https://u:{quote(canaries['user info'], safe='')}@shop.example/?token={canaries['referer']}",
        "X-Original-URL": f"/a?access_token={canaries['original']}",
    }
    query = "?" + "&".join(
        f"{name}={httpx.QueryParams({'v': canaries['query ' + name]})['v']}"
        for name in ("token", "api_key", "sig", "client_secret", "password")
    ).replace("+", "%2B")
    for mode in MODES:
        for name, (signature, headers) in schemes(canaries).items():
            for kind, execution in executions(canaries).items():
                if name != "gitlab" and kind not in ("script", "event"):
                    continue
                key = f"{name}-{kind}-{mode}"
                more = {"deduplication": "header:x-id"} if kind in ("native", "script") else {}
                await server.rule(key, **execution, signature=signature, responseMode=mode, **more)
                for _ in range(2 if more else 1):
                    body = {"name": f"made{next(number)}", "a": 1}
                    if kind in ("user", "raising", "broken"):
                        body["password"] = canaries["payload"]
                    answer = await server.hook(key + query, body, {**credentials, **headers, "X-Id": key})
                    canaries.add_keys_of(answer.body)
    for path in ("nowhere", f"nowhere;password={canaries['matrix']}", "nowhere%3Fsecret=" + canaries["escaped"]):
        await server.hook(path + query, {"a": 1}, {**credentials, "Authorization": f"Bearer {canaries['stranger']}"})
    rules = (await server.cmd("GetWebHookConfigListQuery", pageSize=100))["items"]
    for rule in rules[:6]:
        await server.cmd("TestWebHookConfigCommand", id=rule["id"], request={"headers": credentials, "body": {"a": 1}})
        await server.cmd("BackTestWebHookConfigCommand", id=rule["id"], count=20)
    draft = {**RULE, "executionType": 2, "executionCode": f"password = {canaries['source of a draft']!r}"}
    await server.cmd("TestWebHookConfigCommand", config=draft, request={"body": {"a": 1}})
    await server.cmd("BackTestWebHookConfigCommand", config=draft, count=2_000)
    code = f"password = {canaries['source of a run']!r}\nreturn variables['k'] + '{{}}'"
    await server.send("ExecuteCodeCommand", {"code": code, "variables": {"k": "v", "password": canaries["of a run"]}})
    for request in (await server.requests(state="done"))[:6]:
        await server.send("ReplayInboundRequestCommand", {"requestId": request["requestId"], "force": True})


async def use_providers(server: ServerProcess, canaries: Canaries) -> None:
    """Let the fixed endpoints be spoken to, rightly and wrongly."""
    headers = {"mono-webhook-secret": canaries["mono"]}
    event = {"event": "mono.events.account_updated", "data": {"account": {"_id": "a", "bvn": "22212345678"}}}
    await server.hook("mono/callback", event, headers)
    await server.hook("mono/callback", event, {"mono-webhook-secret": canaries["wrong mono"]})
    await server.request("GET", f"/api/webhooks/mono/callback?code={quote(canaries['code'], safe='')}")
    await server.hook("remita", [{"rrr": "1"}], {"x-remita-secret": canaries["remita"]})


async def use_processes(server: ServerProcess, canaries: Canaries) -> None:
    """Start processes with secrets among their variables, and let one come to an incident."""
    for name, xml in {"task": TASK, "failing": FAILING}.items():
        made = await server.cmd("CreateProcessDefinitionCommand", name=name, bpmnXml=xml)
        for mode in ("FireAndForget", "Supervised"):
            variables = {
                "name": f"{name}-{mode}",
                "secretpw": canaries["task"],
                "password": canaries["variable"],
                "inner": {"apiKey": canaries["inner"], "tokens": [{"token": canaries["nested"]}]},
            }
            fields = {"processDefinitionId": made["id"], "variables": variables, "executionMode": mode}
            assert (await server.send("StartProcessInstanceCommand", fields)).ok
    written = LITERAL.replace("WRITTEN", canaries["source of a diagram"])
    made = await server.cmd("CreateProcessDefinitionCommand", name="literal", bpmnXml=written)
    fields = {"processDefinitionId": made["id"], "variables": {"name": "literal"}}
    assert (await server.send("StartProcessInstanceCommand", fields)).ok
    early = {"messageName": "early", "correlationKey": "k", "timeToLiveSeconds": 600}
    await server.send("CorrelateMessageCommand", {**early, "variables": {"password": canaries["message"]}})


async def use_events(server: ServerProcess, canaries: Canaries, receiver: WebhookReceiver) -> None:
    """Subscribe with credentials, deliver, test and rotate."""
    fields = {
        "url": f"{receiver.url}?token={quote(canaries['receiver url'], safe='')}",
        "events": ["*"],
        "headers": {"Authorization": f"Bearer {canaries['receiver header']}", "X-Api-Key": canaries["receiver key"]},
        "transform": {"template": {"data": "{{data}}", "token": canaries["template"], "passwords": [canaries["list"]]}},
        "secret": "whsec_" + base64.b64encode((canaries["signing"] * 3)[:40].encode()).decode(),
    }
    told = {"X-Session-Token": canaries["told header"]}
    body = json.dumps({"access_token": canaries["told body"]}).encode()
    receiver.answer(*[PreparedAnswer(500, body, told)] * 40)
    made = await server.cmd("CreateSubscriptionCommand", **fields)
    script = {"script": f"return {{'password': {canaries['source of a transform']!r}}}"}
    await server.cmd("CreateSubscriptionCommand", url=receiver.url, events=["*"], transform=script)
    await server.cmd("SendTestEventCommand", id=made["id"])
    await server.cmd("UpdateSubscriptionCommand", id=made["id"], description="again")
    await server.send("UpdateSubscriptionCommand", {"id": made["id"], "url": "https://example.org/"})


async def settle(server: ServerProcess) -> None:
    """Wait until nothing is executed any more, but for what waits for its next attempt."""
    with contextlib.suppress(TimeoutError):
        await server.settled(3)
    await asyncio.sleep(0.5)


async def check_use(server: ServerProcess, canaries: Canaries) -> None:
    """What is hidden was of use all the same: keys and accounts were made, by rules and by tasks."""
    assert sum(place.startswith("key ") for place in canaries.words) >= 4
    for mode in ("FireAndForget", "Supervised"):
        signing = {"username": f"task-{mode}", "password": canaries["task"]}
        assert (await server.request("POST", "/api/auth/token", signing)).ok
    states = {request["state"] for request in await server.requests()}
    assert {"done", "rejected", "quarantined", "duplicate"} <= states


async def answers(server: ServerProcess, canaries: Canaries) -> dict[str, str]:
    """Ask every query, as a reader and as the administrator, and every page that anybody may see."""
    registry = Registry()
    registry.discover("commands")
    queries = [entry for entry in registry if issubclass(entry.message_type, Query)]
    known = await pool(server)
    found: dict[str, str] = {}
    async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as http:
        reader = BusClient(http)
        await reader.sign_in("reader", canaries["reader"])
        for who, client in (("reader", reader), ("administrator", server)):
            for entry in queries:
                if entry.name in REVEALED_TO_WRITERS and who == "administrator":
                    continue
                replies = [await client.send(entry.name, fields) for fields in asked(entry.message_type, known)]
                told = "".join(json.dumps(reply.body) for reply in replies)
                found[f"{entry.name} to the {who}"] = canaries.without(SOURCES, told) if client is server else told
        for path in ("/metrics", "/openapi.json", "/api/openapi.json", "/readyz", "/livez", "/docs"):
            answer = await http.get(path, headers={"authorization": f"Bearer {server.token}"})
            found[path] = answer.text
    return found


async def pool(server: ServerProcess) -> dict[str, list[Any]]:
    """Return what the identifiers in queries may be."""
    requests = await server.requests()
    numbers: list[Any] = list(range(1, 9))
    return {
        "requestId": [request["requestId"] for request in requests][:MAX_TRIED],
        "runId": [run["runId"] for run in (await server.cmd("GetCodeRunListQuery", pageSize=100))["items"]],
        "id": [*numbers, *(d["id"] for d in (await server.cmd("GetDeliveryListQuery", pageSize=20))["items"])],
        "": numbers,
    }


def asked(message_type: Any, known: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """Return fields to ask a query with: none but the required ones, each with what it may be."""
    required = [info.alias or name for name, info in message_type.model_fields.items() if info.is_required()]
    if "pageSize" in {info.alias or name for name, info in message_type.model_fields.items()}:
        return [{"pageSize": 100, **dict.fromkeys(required, 1)}]
    choices = [known.get(name, known[""]) for name in required]
    return [
        dict(zip(required, values, strict=True)) for values in itertools.islice(itertools.product(*choices), MAX_TRIED)
    ]


def command_line(server: ServerProcess) -> str:
    """Return what the command line prints about requests, the audit log, and the database."""
    own = {"BPM_URL": server.url, "BPM_TOKEN": server.token or "", **database_of(server)}
    commands = (
        ("send", "GetAuditLogQuery", "pageSize=100"),
        ("db", "check"),
    )
    return "".join(run_command(*words, env=own) for words in commands)


def run_command(*words: str, env: Mapping[str, str]) -> str:
    ran = subprocess.run([*COMMAND, *words], env={**os.environ, **env}, capture_output=True, text=True, timeout=300)
    return ran.stdout + ran.stderr


def copied(server: ServerProcess) -> Path:
    """Return a copy of the database as `bpm db copy` makes it."""
    target = server.data_dir.parent / "copy.db"
    source = server.environment.get("BPM_DATABASE_URL", f"sqlite:///{server.data_dir / 'bpm.db'}")
    run_command("db", "copy", source, f"sqlite:///{target}", env=database_of(server))
    assert target.exists()
    assert target.stat().st_mode & 0o077 == 0
    return target


def database_of(server: ServerProcess) -> dict[str, str]:
    """Return the settings that lead the command line to the server's database."""
    url = server.environment.get("BPM_DATABASE_URL")
    return {"BPM_DATA_DIR": str(server.data_dir), **({"BPM_DATABASE_URL": url} if url else {})}


async def stored(server: ServerProcess) -> dict[str, bytes]:
    """Return every table of the server's database, by name."""
    url = server.environment.get("BPM_DATABASE_URL")
    if url is None:
        return rows(server.data_dir / "bpm.db")
    connection = cast("Any", await asyncpg.connect(plain_dsn(url)))
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = {name: await connection.fetch(f'SELECT * FROM "{name}"') for (name,) in names}  # noqa: S608
    finally:
        await connection.close()
    return {
        f"postgres {name}": b"\n".join([as_bytes(value) for row in found for value in row])
        for name, found in tables.items()
    }


def files(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    return {f"file {path.name}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(database: Path) -> dict[str, bytes]:
    """Return every table of a database, by name."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}  # noqa: S608
    return {
        f"{database.name} {name}": b"\n".join(as_bytes(value) for row in found for value in row)
        for name, found in tables.items()
    }
