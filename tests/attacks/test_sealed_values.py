"""What is sealed is opened for its use alone: not for whoever writes something sealed, and not by another key."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import text

from bpm.accounts import Installation
from bpm.process.transaction_budget import TransactionBudget
from bpm.security.secrets import KEY_FILE, load_secret_key
from bpm.testing import RunningApp, running_app, until
from tests.attacks.test_sender_secrets import everything
from tests.commands.playing import bpmn, deploy, instances, start

SECRET = "canary-sealed-4711"
WAITS = "start s; user t; end e\ns -> t -> e"
OFF: Any = {"probe": "off"}
LOST = "sealed with another key"
RECEIVING = bpmn("start s; receive r: m; end e\ns -> r -> e", "q").replace(
    'name="m"/>', 'name="m"><extensionElements><zeebe:subscription correlationKey="k"/></extensionElements></message>'
)
ECHO = {"executionType": 2, "executionCode": "return payload", "responseMode": "sync"}


def rows(statement: str) -> Callable[[Any], list[Any]]:
    """Return what reads rows of the database as they are."""
    return lambda tx: list(tx.connection.execute(text(statement)).all())


async def test_what_is_put_off_to_a_worker_is_sealed_and_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that no longer fit into a transaction keep their variables in the rows of their waits."""
    async with running_app() as app:
        await deploy(app, WAITS, "child")
        await deploy(app, "start s; call c many parallel over items as i: child; end e\ns -> c -> e")
        variables = {"password": SECRET, "items": list(range(300))}
        fields = {"processKey": "p", "variables": variables, "executionMode": "FireAndForget"}
        with monkeypatch.context() as slow:
            slow.setattr(TransactionBudget, "is_late", True)
            await app.cmd("StartProcessInstanceCommand", **fields)
            put_off = await app.app.database.read(rows("SELECT * FROM process_wait WHERE kind = 'calling'"))
        assert put_off
        assert SECRET not in str(put_off)
        await instances(app, "child", 300, "WAITING")
        assert SECRET not in await everything(app)
        task = (await app.cmd("GetUserTaskListQuery"))["items"][0]
        ended = await app.cmd("CompleteUserTaskCommand", instanceId=task["instanceId"], waitId=task["waitId"])
        assert ended["variables"]["password"] == SECRET


async def test_what_somebody_writes_sealed_is_never_opened() -> None:
    """Whoever has a stolen database and an account must not find a place that opens what he writes."""
    async with running_app(delivery=OFF) as app:
        sealed = app.app.bus.box.encrypt(json.dumps(SECRET))
        fields = app.app.bus.box.encrypt(json.dumps({"a": SECRET, "variables": {"a": SECRET}}))
        told: list[Any] = []
        for number, stolen in enumerate((sealed, f"sealed:{sealed}", {"sealed": fields}, {"sealed": sealed})):
            told += await write_everywhere(app, f"n{number}", stolen)
        assert SECRET not in json.dumps(told) + await everything(app)


async def write_everywhere(app: RunningApp, name: str, stolen: Any) -> list[Any]:
    """Write it wherever something is kept sealed, use that, and return what was told."""
    as_text = stolen if isinstance(stolen, str) else json.dumps(stolen)
    as_fields = cast("Any", stolen) if isinstance(stolen, dict) else {"password": stolen}
    event: dict[str, Any] = {"commandName": "PublishEventCommand", "parameters": {"event": "seen", "data": stolen}}
    answers = [await app.send("PublishEventCommand", {"event": "seen", "data": as_fields})]
    rules: dict[str, dict[str, Any]] = {
        "literal": event,
        "secret": {"commandName": "PublishEventCommand", "parameters": {"event": "seen", "data": {"password": stolen}}},
        "chain": {"executionType": 1, "commandChain": [event]},
        "code": {"executionType": 2, "executionCode": as_text},
        "echo": ECHO,
        "signed": {**ECHO, "signature": {"scheme": "bearer", "secret": as_text}},
    }
    for kind, rule in rules.items():
        usual = {"description": kind, "isEnabled": True, "path": name + kind, "action": "POST", "executionType": 0}
        answers.append(
            await app.send("CreateWebHookConfigCommand", {"key": name + kind, **usual, "responseMode": "sync", **rule})
        )
        for _ in range(2):
            again = {"idempotency-key": name, "authorization": f"Bearer {SECRET}"}
            answers.append(await app.hook(name + kind, {"a": stolen, "password": stolen}, again))
    await deploy(app, WAITS, name)
    nested: dict[str, Any] = {"a": stolen}
    for variables in (as_fields, nested):
        answers.append(await app.send("StartProcessInstanceCommand", {"processKey": name, "variables": variables}))
        early: dict[str, Any] = {
            "messageName": "m",
            "correlationKey": name,
            "timeToLiveSeconds": 60,
            "variables": variables,
        }
        answers.append(await app.send("CorrelateMessageCommand", early))
        answers.append(await app.send("ExecuteCodeCommand", {"code": "return variables", "variables": variables}))
    answers.append(await app.send("CreateProcessDefinitionCommand", {"name": name, "bpmnXml": as_text}))
    answers.append(await app.send("ExecuteCodeCommand", {"code": as_text}))
    transforms: list[dict[str, Any]] = [{"template": {"data": stolen, "password": stolen}}, {"script": as_text}]
    for transform in transforms:
        made: dict[str, Any] = {
            "url": f"https://example.com/?token={as_text[:99]}",
            "events": ["*"],
            "transform": transform,
        }
        answers.append(await app.send("CreateSubscriptionCommand", made))
    lists = ("GetSubscriptionListQuery", "GetWebHookConfigListQuery", "GetUserTaskListQuery", "GetEventListQuery")
    answers += [await app.send(each, {"pageSize": 100}) for each in lists]
    return [answer.body for answer in answers]


async def test_a_lost_key_stops_what_was_sealed_and_loses_nothing(tmp_path: Path) -> None:
    """Rule, instance, task and message fail with a sentence; stars sent back write over nothing."""
    async with running_app(tmp_path, delivery=OFF) as app:
        parameters = {"username": "{{payload.name}}", "password": SECRET}
        rule = await app.rule("user", commandName="CreateUserCommand", parameters=parameters, responseMode="sync")
        await deploy(app, WAITS)
        await start(app, password=SECRET)
        early: dict[str, Any] = {
            "messageName": "m",
            "correlationKey": "k",
            "timeToLiveSeconds": 600,
            "variables": {"password": SECRET},
        }
        await app.cmd("CorrelateMessageCommand", **early)
        transform = {"template": {"password": SECRET}}
        made = await app.cmd(
            "CreateSubscriptionCommand", url="https://example.com/?token=a", events=["*"], transform=transform
        )
        (tmp_path / KEY_FILE).write_text(os.urandom(32).hex())
        await Installation(app.app.database, load_secret_key(app.app.settings)).adopt()
    async with running_app(tmp_path, delivery=OFF) as app:
        await refused_by_its_sentence(app, rule["id"], made["id"])


async def refused_by_its_sentence(app: RunningApp, rule: int, subscription: int) -> None:
    """Use what was sealed by the lost key, and send back the stars that are shown of it."""
    stored = rows("SELECT definition FROM webhook_config UNION ALL SELECT transform FROM subscription")
    before = await app.app.database.read(stored)
    assert (await app.hook("user", {"name": "one"})).status == 503
    (request,) = await app.requests(state="quarantined")
    assert LOST in str(await app.cmd("GetInboundRequestByIdQuery", requestId=request["requestId"]))
    (task,) = (await app.cmd("GetUserTaskListQuery"))["items"]
    done = await app.send("CompleteUserTaskCommand", {"instanceId": task["instanceId"], "waitId": task["waitId"]})
    assert (done.status, LOST in done.errors[0]) == (422, True)
    await app.cmd("CreateProcessDefinitionCommand", name="q", bpmnXml=RECEIVING)
    begun = await app.send("StartProcessInstanceCommand", {"processKey": "q"})
    assert (begun.status, LOST in begun.errors[0]) == (422, True)
    shown = await app.cmd("GetWebHookConfigByIdQuery", id=rule)
    kept = ("id", "isEnabled", "path", "action", "responseMode", "executionType", "commandName", "parameters")
    update = {name: shown[name] for name in kept}
    await app.cmd("UpdateWebHookConfigCommand", **update, description=shown["description"])
    transform = (await app.cmd("GetSubscriptionByIdQuery", id=subscription))["transform"]
    await app.cmd("UpdateSubscriptionCommand", id=subscription, transform=transform)
    assert await app.app.database.read(stored) == before
    await app.cmd("SendTestEventCommand", id=subscription)
    await until(lambda: app.cmd("GetDeliveryListQuery"), lambda page: LOST in str(page))
