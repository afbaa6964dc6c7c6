"""Versions of a process change hands: what an earlier author or an earlier version left behind lends nobody rights."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bpm.bpmn import Instance, advance, load
from bpm.bpmn.migration import Comparison
from bpm.bpmn.triggers import Start
from bpm.process.jobs import ProcessJobs
from bpm.testing import RunningApp, running_app, until
from commands.processes import migration
from tests.attacks.people import (
    END,
    MAKE_ADMIN,
    PASSWORD,
    START,
    WAIT,
    Person,
    bpmn,
    deploy,
    incident,
    names,
    person,
    task,
)
from tests.attacks.test_process_bombs import NOW

pytestmark = pytest.mark.anyio

SCRIPT = '<scriptTask id="t" scriptFormat="python"><script>{}</script></scriptTask>'
HARMLESS = SCRIPT.format("result = 1")
EVIL_SCRIPT = SCRIPT.format(
    'send("CreateUserCommand", {"username": "evil", "password": "Correct-horse-battery-7", "roles": ["admin"]})'
)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    """A running application, signed in as its administrator."""
    async with running_app(tmp_path) as running:
        yield running


@pytest.fixture
async def op(app: RunningApp) -> Person:
    """An operator who may write scripts, but make no accounts."""
    return await person(app, "op", "operator", permissions=("code:write",))


async def test_a_script_that_waits_keeps_its_author(
    app: RunningApp, op: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An administrator migrates to a harmless version: what the other asked for still asks the operator."""
    gate, do = asyncio.Event(), ProcessJobs._do  # pyright: ignore[reportPrivateUsage] it is held, not replaced

    async def held(self: ProcessJobs, ref: str) -> None:
        await gate.wait()
        await do(self, ref)

    monkeypatch.setattr(ProcessJobs, "_do", held)
    await deploy(op.client, "job", START, EVIL_SCRIPT, END)
    started = await app.cmd("StartProcessInstanceCommand", processKey="job", executionMode="FireAndForget")
    where: dict[str, Any] = {"instanceId": started["instanceId"]}
    for _ in range(2):
        where["toDefinitionId"] = await deploy(app, "job", START, HARMLESS, END)
        await app.cmd("MigrateProcessInstancesCommand", **where)
    gate.set()
    _, sentence = await incident(app, "job")
    assert "'op' does not have" in sentence
    assert "evil" not in await names(app)
    await app.cmd("MigrateProcessInstancesCommand", **where)
    answer = await app.cmd("RetryIncidentCommand", instanceId=started["instanceId"])
    assert answer["status"] in ("RUNNING", "COMPLETED"), "it runs the harmless script, for the administrator alone"


async def test_switching_a_version_off_switches_the_older_one_on(app: RunningApp, op: Person) -> None:
    """Whoever does so is asked in what the older version then begins by itself."""
    await deploy(app, "job", START, MAKE_ADMIN, END, triggerEvents=["some.event"])
    newer = await deploy(app, "job", START, END)
    await op.client.cmd("DeactivateProcessDefinitionCommand", id=newer)
    await app.cmd("PublishEventCommand", event="some.event")
    _, sentence = await incident(app, "job")
    assert "'op' does not have" in sentence
    assert "evil" not in await names(app)


async def test_whoever_moves_tokens_is_asked_in_what_follows(app: RunningApp, op: Person) -> None:
    """An administrator's step is not lent to an operator, whoever moves them after that."""
    for process in ("once", "again"):
        await deploy(app, process, START, WAIT, MAKE_ADMIN, END)
        started = await app.cmd("StartProcessInstanceCommand", processKey=process)
        where = {"instanceId": started["instanceId"], "cancel": ["u"]}
        if process == "again":
            await op.client.cmd("ModifyProcessInstanceCommand", **where, startBefore=["u"])
        mover = op.client if process == "once" else app
        await mover.cmd("ModifyProcessInstanceCommand", **where, startBefore=["x"])
        _, sentence = await incident(app, process)
        assert "'op' does not have" in sentence
    assert "evil" not in await names(app)


@pytest.mark.parametrize("command", ["SetProcessVariablesCommand", "RetryIncidentCommand", "SkipFailedTaskCommand"])
async def test_whoever_changes_an_instance_by_hand_is_asked_in_what_follows(
    app: RunningApp, op: Person, command: str
) -> None:
    """Nobody chooses what a step of an administrator's does, where its author has asked nobody."""
    failing = '<scriptTask id="f" scriptFormat="python"><script>return 1 / 0</script></scriptTask>'
    first = WAIT if command == "SetProcessVariablesCommand" else failing
    making = task("CreateUserCommand", username="{{name}}", password=PASSWORD, roles="{{roles}}")
    await deploy(app, "job", START, first, making, END)
    chosen = {"name": "good", "roles": ["viewer"]}
    started = await app.cmd("StartProcessInstanceCommand", processKey="job", variables=chosen)
    where = {"instanceId": started["instanceId"]}
    if first is failing:
        await incident(app, "job")
    answer = await op.client.cmd(command, **where, variables={"name": "evil", "roles": ["admin"]})
    if command == "RetryIncidentCommand":
        await incident(app, "job")
        await op.client.cmd("SkipFailedTaskCommand", **where)
    elif answer["status"] == "WAITING":
        await app.cmd("SignalProcessInstanceCommand", **where)
    await until(lambda: incident(app, "job"), lambda found: "does not have" in found[1])
    assert "evil" not in await names(app)


DECISION = (
    '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" namespace="t" name="d" id="d">'
    '<decision id="role" name="role"><variable name="role"/><literalExpression><text>"{}"</text></literalExpression>'
    "</decision></definitions>"
)
DECIDING = '<businessRuleTask id="b" bpm:decision="role" bpm:resultVariable="role"/>'
CALLING = '<callActivity id="b" calledElement="role"/>'


@pytest.mark.parametrize("first", [DECIDING, CALLING], ids=["decision", "called process"])
async def test_whoever_says_what_a_value_is_is_asked_in_what_follows(app: RunningApp, op: Person, first: str) -> None:
    """A newer version of a decision or of a called process chooses values of steps that it has no right to."""
    making = task("CreateUserCommand", username="{{name}}", password=PASSWORD, roles="{{[role]}}")

    async def write(client: Any, role: str) -> None:
        if first is DECIDING:
            await client.cmd("CreateDecisionDefinitionCommand", dmnXml=DECISION.format(role))
        else:
            output = f'<bpm:output name="role">{role}</bpm:output>'
            words = f'<extensionElements><bpm:command type="PingQuery"/>{output}</extensionElements>'
            step = f'<serviceTask id="x">{words}</serviceTask>'
            await deploy(client, "role", START, step, END)

    async def start(name: str) -> None:
        await app.cmd("StartProcessInstanceCommand", processKey="job", variables={"name": name, "role": "viewer"})

    await write(app, "viewer")
    await deploy(app, "job", START, first, making, END)
    await start("good")
    await write(op.client, "admin")
    await start("evil")
    _, sentence = await incident(app, "job")
    assert "'op' does not have" in sentence
    assert "good" in await names(app)
    assert "evil" not in await names(app)


def role_form(*roles: str) -> str:
    """Write a form that lets one of these roles through."""
    choice = {"type": "select", "key": "role", "values": [{"label": role, "value": role} for role in roles]}
    return json.dumps({"type": "default", "id": "role", "components": [choice]})


@pytest.mark.parametrize("command", ["CompleteUserTaskCommand", "SignalProcessInstanceCommand"])
async def test_whoever_lets_a_value_through_is_asked_in_what_follows(app: RunningApp, op: Person, command: str) -> None:
    """A newer version of a form takes values for steps that its author has no right to."""
    making = task("CreateUserCommand", username="{{name}}", password=PASSWORD, roles="{{[role]}}")
    words = '<zeebe:formDefinition formId="role"/><bpm:output name="role">{{role}}</bpm:output>'
    namespace = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
    filling = f'<userTask id="u" {namespace}><extensionElements>{words}</extensionElements></userTask>'

    async def fill(name: str, role: str) -> Any:
        started = await app.cmd("StartProcessInstanceCommand", processKey="job", variables={"name": name})
        fields = {"instanceId": started["instanceId"], "variables": {"role": role}}
        if command == "CompleteUserTaskCommand":
            fields["waitId"] = started["currentTasks"][0]["waitId"]
        return await op.client.send(command, fields)

    await app.cmd("CreateFormDefinitionCommand", formJson=role_form("viewer"))
    await deploy(app, "job", START, filling, making, END)
    assert (await fill("good", "viewer")).ok
    assert (await fill("evil", "admin")).status == 422
    await until(lambda: names(app), lambda found: "good" in found)
    await op.client.cmd("CreateFormDefinitionCommand", formJson=role_form("viewer", "admin"))
    assert (await fill("evil", "admin")).ok
    _, sentence = await incident(app, "job")
    assert "'op' does not have" in sentence
    assert "evil" not in await names(app)


async def test_who_may_only_read_moves_no_tokens(app: RunningApp) -> None:
    """Nor does anybody move what is not there; a refused move leaves the instance as it was."""
    await deploy(app, "job", START, WAIT, END)
    started = await app.cmd("StartProcessInstanceCommand", processKey="job")
    viewer = await person(app, "eve", "viewer")
    fields = {"instanceId": started["instanceId"], "cancel": ["u"], "startBefore": ["e"]}
    assert (await viewer.client.send("ModifyProcessInstanceCommand", fields)).status == 403
    assert (await app.send("ModifyProcessInstanceCommand", fields | {"instanceId": 99_999})).status == 404
    refused = await app.send("ModifyProcessInstanceCommand", fields | {"startBefore": []})
    assert (refused.status, "no token would be left" in refused.errors[0]) == (422, True)
    moved = await app.cmd("ModifyProcessInstanceCommand", **fields)
    assert moved["status"] == "COMPLETED"
    history = await app.cmd("GetProcessInstanceHistoryQuery", instanceId=started["instanceId"])
    (changed,) = [entry for entry in history["items"] if entry["event"] == "changed"]
    assert changed["values"]["by"] == "admin"


def wide(branches: int) -> str:
    """Write a process with many tasks side by side."""
    task = '<userTask id="u{0}"/><sequenceFlow id="t{0}" sourceRef="g" targetRef="u{0}"/>'
    tasks = "".join(task.format(number) for number in range(branches))
    process = bpmn("p", START, '<parallelGateway id="g"/>')
    return process.replace("</process>", f"{tasks}</process>")


def test_looking_at_many_tasks_is_not_quadratic() -> None:
    """Each element is looked at once, not the whole diagram for each."""

    def seconds(branches: int) -> float:
        process = load(wide(branches))
        instance, _ = advance(process, Instance(), Start(), NOW)
        took: list[float] = []
        for _ in range(3):
            began = time.thread_time()
            assert Comparison(process, process).missing(instance) == []
            took.append(time.thread_time() - began)
        return min(took)

    assert seconds(4_000) < 10 * max(seconds(1_000), 0.001)


async def test_many_large_instances_are_migrated_in_several_calls(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that one call takes neither gigabytes nor seconds; an instance by itself is always migrated."""
    monkeypatch.setattr(migration, "MOST_BYTES", 5_000)
    old = await deploy(app, "job", START, WAIT, END)
    for _ in range(5):
        await app.cmd("StartProcessInstanceCommand", processKey="job", variables={"v": "x" * 2_000})
    await app.cmd("StartProcessInstanceCommand", processKey="job", variables={"v": "x" * 6_000})
    new = await deploy(app, "job", START, WAIT, END)
    where = {"fromDefinitionId": old, "toDefinitionId": new}
    assert (await app.cmd("MigrateProcessInstancesCommand", preview=True, **where))["more"]
    done: list[Any] = [await app.cmd("MigrateProcessInstancesCommand", **where) for _ in range(4)]
    assert [(one["migrated"], one["more"]) for one in done] == [(2, True), (2, True), (1, True), (1, False)]
