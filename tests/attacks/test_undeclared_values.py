"""Whoever brings an instance values that its model does not name answers for what follows."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bpm.client import BusClient
from bpm.process import step
from bpm.testing import RunningApp, running_app
from tests.attacks.people import (
    END,
    PASSWORD,
    START,
    WAIT,
    Person,
    deploy,
    ended,
    incident,
    names,
    person,
    task,
)
from tests.commands import playing

pytestmark = pytest.mark.anyio

MAKE = task("CreateUserCommand", username="{{name}}", password=PASSWORD, roles="{{roles}}")
EVIL = {"name": "evil", "roles": ["admin"]}
CHOSEN = {"name": "good", "roles": ["viewer"]}
GO = '<messageEventDefinition messageRef="m"/>'
CATCH = f'<intermediateCatchEvent id="u">{GO}</intermediateCatchEvent>'
HEAR = '<intermediateCatchEvent id="u"><signalEventDefinition signalRef="all"/></intermediateCatchEvent>'
AD_HOC = '<adHocSubProcess id="u"><task id="t"/></adHocSubProcess>'


def extended(element: str, words: str) -> str:
    """Write an element with extensions."""
    opening, _, rest = element.partition(">")
    return f"{opening.removesuffix('/')}><extensionElements>{words}</extensionElements>" + (
        f"</{opening.split()[0].strip('</')}>" if opening.endswith("/") else rest
    )


def form(properties: str, **more: Any) -> str:
    """Write a task's schema."""
    return f"<bpm:formSchema>{json.dumps({'properties': json.loads(properties), **more})}</bpm:formSchema>"


NAMED = "".join(f'<bpm:output name="{name}">{{{{{name}}}}}</bpm:output>' for name in EVIL)
CONFIRMING = extended(WAIT, form('{"confirmed": {"type": "boolean"}}'))
LISTENING = (
    '<subProcess id="u"><startEvent id="s2"/><userTask id="u2"/><sequenceFlow id="i" sourceRef="s2" targetRef="u2"/>'
    f'</subProcess><boundaryEvent id="b" attachedToRef="u">{GO}</boundaryEvent>'
    '<sequenceFlow id="b1" sourceRef="b" targetRef="x"/>'
)
ONCE = "<multiInstanceLoopCharacteristics><loopCardinality>1</loopCardinality></multiInstanceLoopCharacteristics>"

WAYS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a task": (WAIT, "CompleteUserTaskCommand", {}),
    "a task whose schema names others": (CONFIRMING, "CompleteUserTaskCommand", {"confirmed": True}),
    "a repeated task": (f'<userTask id="u">{ONCE}</userTask>', "CompleteUserTaskCommand", {}),
    "a signalled task": (WAIT, "SignalProcessInstanceCommand", {}),
    "a callback": (CATCH, "ReturnCallbackCommand", {}),
    "a message": (CATCH, "CorrelateMessageCommand", {}),
    "a receive task": ('<receiveTask id="u" messageRef="m"/>', "CorrelateMessageCommand", {}),
    "a boundary event": (LISTENING, "CorrelateMessageCommand", {}),
    "a signal": (HEAR, "BroadcastSignalCommand", {}),
    "an ad hoc sub-process": (AD_HOC, "ActivateAdHocActivitiesCommand", {}),
}
"""What waits, what lets it go on, and what else that brings."""


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    """A running application, signed in as its administrator."""
    async with running_app(tmp_path) as running:
        yield running


@pytest.fixture
async def op(app: RunningApp) -> Person:
    """An operator, who may answer everything and make no accounts."""
    return await person(app, "op", "operator")


async def start(app: RunningApp, process: str = "job", **fields: Any) -> Any:
    """Start an instance as the administrator, who has chosen whom to make."""
    return await app.cmd("StartProcessInstanceCommand", processKey=process, variables=CHOSEN, **fields)


async def send(client: BusClient, command: str, started: Any, variables: dict[str, Any]) -> Any:
    """Send what lets an instance go on."""
    fields: dict[str, Any] = {"variables": variables}
    match command:
        case "CorrelateMessageCommand":
            fields["messageName"] = "go"
        case "BroadcastSignalCommand":
            fields["signalName"] = "all"
        case _:
            fields["instanceId"] = started["instanceId"]
    if command == "CompleteUserTaskCommand":
        fields["waitId"] = started["currentTasks"][0]["waitId"]
    if command == "ActivateAdHocActivitiesCommand":
        fields |= {"activities": ["t"], "isLast": True}
    return await client.cmd(command, **fields)


async def refused(app: RunningApp, process: str = "job") -> int:
    """Look that a step was refused for the operator's sake; return the instance."""
    instance_id, sentence = await incident(app, process)
    assert sentence == "CreateUserCommand needs the permission users:write, which 'op' does not have"
    assert "evil" not in await names(app)
    return instance_id


@pytest.mark.parametrize("way", WAYS)
async def test_values_that_the_model_does_not_name(app: RunningApp, op: Person, way: str) -> None:
    """Nobody overwrites what an administrator's step is sent with by bringing a value of that name."""
    waiting, command, beside = WAYS[way]
    await deploy(app, "job", START, waiting, MAKE, END)
    started = await start(app)
    await send(op.client, command, started, EVIL | beside)
    await refused(app)


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_without_such_values_adds_nobody(app: RunningApp, op: Person, way: str) -> None:
    """The instance goes on with its own people's rights."""
    waiting, command, beside = WAYS[way]
    await deploy(app, "job", START, waiting, MAKE, END)
    started = await start(app)
    await send(op.client, command, started, beside)
    await ended(app, started["instanceId"])
    assert "good" in await names(app)


@pytest.mark.parametrize(
    ("waiting", "command"),
    [
        (extended(WAIT, form('{"name": {}, "roles": {"items": {"enum": ["viewer"]}}}')), "CompleteUserTaskCommand"),
        (extended(WAIT, NAMED), "CompleteUserTaskCommand"),
        (extended(CATCH, NAMED), "CorrelateMessageCommand"),
        (extended(HEAR, NAMED), "BroadcastSignalCommand"),
        (WAIT.replace("/>", ' bpm:resultVariable="answer"/>'), "CompleteUserTaskCommand"),
    ],
    ids=["schema", "mapped task", "mapped message", "mapped signal", "result variable"],
)
async def test_values_that_the_model_names_are_its_authors(
    app: RunningApp, op: Person, waiting: str, command: str
) -> None:
    """Its author has said what they are for, so nobody else is asked."""
    await deploy(app, "job", START, waiting, MAKE, END)
    started = await start(app)
    await send(op.client, command, started, {"name": "named", "roles": ["viewer"]})
    await ended(app, started["instanceId"])
    assert {"named", "good"} & await names(app)


def heard(name: str) -> str:
    """Write a task whose listener makes an account before the output mapping takes one value."""
    fields = {"username": "{{name}}", "password": PASSWORD, "roles": "{{roles}}"}
    given = "".join(f'<bpm:parameter name="{field}">{value}</bpm:parameter>' for field, value in fields.items())
    listener = f'<bpm:taskListener event="complete" type="CreateUserCommand">{given}</bpm:taskListener>'
    return extended(WAIT, f'<bpm:output name="{name}">{{{{name}}}}</bpm:output>{listener}')


async def test_what_a_listener_sees_of_an_answer(app: RunningApp, op: Person) -> None:
    """It hears values before they are mapped, also those that the mapping leaves out."""
    await deploy(app, "job", START, heard("note"), END)
    await send(op.client, "CompleteUserTaskCommand", await start(app), EVIL)
    await refused(app)


async def test_what_a_listener_sees_and_the_mapping_names(app: RunningApp, op: Person) -> None:
    """The author has named it."""
    await deploy(app, "job", START, heard("name"), END)
    started = await start(app)
    await send(op.client, "CompleteUserTaskCommand", started, {"name": "named"})
    await ended(app, started["instanceId"])
    assert "named" in await names(app)


async def test_a_message_that_came_early(app: RunningApp, op: Person) -> None:
    """Whoever sent it is remembered with it."""
    await deploy(app, "job", START, CATCH, MAKE, END)
    fields = {"messageName": "go", "variables": EVIL, "timeToLiveSeconds": 60}
    assert (await op.client.cmd("CorrelateMessageCommand", **fields))["outcome"] == "buffered"
    await start(app)
    await refused(app)


async def test_a_message_that_a_process_throws(app: RunningApp, op: Person) -> None:
    """The throwing instance's people answer for what it brings."""
    await deploy(app, "job", START, CATCH, MAKE, END)
    await start(app)
    parameters = '<bpm:message name="go">{"name": "evil", "roles": ["admin"]}</bpm:message>'
    thrower = extended(f'<intermediateThrowEvent id="t">{GO}</intermediateThrowEvent>', parameters)
    await deploy(op.client, "thrower", START, thrower, END)
    await app.cmd("StartProcessInstanceCommand", processKey="thrower")
    await refused(app)


async def test_a_called_process_hands_its_people_on(app: RunningApp, op: Person) -> None:
    """What was brought to the called instance is in the calling one when it ends."""
    await deploy(app, "inner", START, WAIT, END)
    await deploy(app, "job", START, '<callActivity id="c" calledElement="inner"/>', MAKE, END)
    await start(app)
    (called,) = (await app.cmd("GetProcessInstanceListQuery", processKey="inner"))["items"]
    await op.client.cmd("SignalProcessInstanceCommand", instanceId=called["instanceId"], variables=EVIL)
    await refused(app)


async def test_another_person_takes_over(app: RunningApp, op: Person) -> None:
    """Whoever has looked at the values migrates the instance to its own version, and answers from then on."""
    definition = await deploy(app, "job", START, WAIT, MAKE, END)
    started = await start(app)
    await op.client.cmd("SignalProcessInstanceCommand", instanceId=started["instanceId"], variables=EVIL)
    instance_id = await refused(app)
    await app.cmd("RetryIncidentCommand", instanceId=instance_id)
    await refused(app)
    await app.cmd("MigrateProcessInstancesCommand", instanceId=instance_id, toDefinitionId=definition)
    await app.cmd("RetryIncidentCommand", instanceId=instance_id)
    await ended(app, instance_id)
    assert "evil" in await names(app)


async def test_so_many_people_have_a_hand_in_an_instance(
    app: RunningApp, op: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them are asked at each step, so their number is bounded."""
    monkeypatch.setattr(step, "MOST_PEOPLE", 1)
    other = await person(app, "other", "operator")
    await deploy(app, "job", START, WAIT, END)
    started = await start(app)
    fields = {"instanceId": started["instanceId"], "variables": {"a": 1}}
    await op.client.cmd("SetProcessVariablesCommand", **fields)
    answer = await other.client.send("SignalProcessInstanceCommand", fields)
    assert (answer.status, "more than 1 accounts" in answer.errors[0]) == (422, True), answer.errors
    assert (await playing.instance(app, started["instanceId"]))["status"] == "WAITING"
    await other.client.cmd("SignalProcessInstanceCommand", instanceId=started["instanceId"])


async def test_an_instance_that_takes_no_more_people_keeps_no_signal_from_others(
    app: RunningApp, op: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not hear the signal; all others do."""
    monkeypatch.setattr(step, "MOST_PEOPLE", 1)
    other = await person(app, "other", "operator")
    await deploy(app, "job", START, HEAR, END)
    full, free = [(await start(app))["instanceId"] for _ in range(2)]
    await op.client.cmd("SetProcessVariablesCommand", instanceId=full, variables={"a": 1})
    heard_by = (await other.client.cmd("BroadcastSignalCommand", signalName="all", variables={"a": 1}))["signalled"]
    assert heard_by == [free]
    assert (await playing.instance(app, full))["status"] == "WAITING"


async def test_an_event_sub_process(app: RunningApp, op: Person) -> None:
    """What begins it brings values as well."""
    inside = f'<startEvent id="s2">{GO}</startEvent>{MAKE}<sequenceFlow id="i" sourceRef="s2" targetRef="x"/>'
    await deploy(app, "job", START, WAIT, f'{END}<subProcess id="p" triggeredByEvent="true">{inside}</subProcess>')
    await start(app)
    await op.client.cmd("CorrelateMessageCommand", messageName="go", variables=EVIL)
    await refused(app)


async def test_a_rules_people_answer_for_the_message_that_it_brings(app: RunningApp, op: Person) -> None:
    """A provider's message drives an administrator's process with what the model names, and with nothing else."""
    mapping = {"messageName": "go", "variables": "{{payload}}"}
    rule = {"key": "r", "description": "r", "path": "r", "action": "POST", "isEnabled": True, "executionType": 0}
    await op.client.cmd("CreateWebHookConfigCommand", **rule, commandName="CorrelateMessageCommand", parameters=mapping)
    await deploy(app, "named", START, extended(CATCH, '<bpm:output name="name">{{name}}</bpm:output>'), MAKE, END)
    started = await start(app, "named")
    assert (await app.hook("r", {"name": "named", "roles": ["admin"]})).ok
    await ended(app, started["instanceId"])
    roles = {user["username"]: user["roles"] for user in (await app.cmd("GetUserListQuery"))["items"]}
    assert roles["named"] == ["viewer"]
    await deploy(app, "job", START, CATCH, MAKE, END)
    await start(app)
    assert (await app.hook("r", EVIL)).ok
    await refused(app)
