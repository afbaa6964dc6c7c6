"""Dry runs of webhook configurations, in the whole application."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bpm.client import ServerRefused
from bpm.signatures import SignatureConfig, sign
from bpm.testing import RunningApp, running_app

pytestmark = pytest.mark.anyio

PROCESS = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="trial">
 <process id="trial" isExecutable="true"><startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="t"/>
 <userTask id="t" name="Look at it"/><sequenceFlow id="f2" sourceRef="t" targetRef="e"/><endEvent id="e"/></process>
</definitions>"""

DRAFT = {"description": "d", "isEnabled": True, "path": "orders/{id}", "action": "POST", "executionType": 0}
PUBLISH = {"commandName": "PublishEventCommand", "parameters": {"event": "paid", "data": {"id": "{{path.id}}"}}}


@pytest.fixture(scope="module")
async def server(anyio_backend: str) -> AsyncIterator[RunningApp]:
    async with running_app() as server:
        yield server


async def trial(server: RunningApp, request: dict[str, Any], **config: Any) -> Any:
    draft = {**DRAFT, **config}
    request = {"path": "/api/webhooks/orders/5", **request}
    return await server.cmd("TestWebHookConfigCommand", config=draft, request=request)


async def test_a_native_command_is_rehearsed(server: RunningApp) -> None:
    """The route, the mapped message and its result are shown, and nothing is left of it."""
    found = await trial(server, {}, **PUBLISH)
    assert found["wouldExecute"]
    assert found["route"] == {"matches": True, "parameters": {"id": "5"}, "answeredBy": None}
    assert found["verdict"] == {"passed": True, "cause": None, "detail": ""}
    message = {"type": "PublishEventCommand", "fields": {"event": "paid", "data": {"id": "5"}}}
    assert found["outcome"]["message"] == message
    assert found["outcome"]["data"]["event"] == "paid"
    assert (await server.cmd("GetEventListQuery", event="paid"))["totalCount"] == 0


async def test_a_chain_is_rehearsed(server: RunningApp) -> None:
    """The steps of a chain see each other's data, and nothing is left of them."""
    steps = [
        {"name": "first", **PUBLISH},
        {"commandName": "PublishEventCommand", "parameters": {"event": "x.{{previous.event}}"}},
    ]
    found = await trial(server, {}, executionType=1, commandChain=steps)
    assert [step["data"]["event"] for step in found["outcome"]["data"]["steps"]] == ["paid", "x.paid"]
    assert (await server.cmd("GetEventListQuery"))["totalCount"] == 0


async def test_a_script_is_rehearsed(server: RunningApp) -> None:
    """A script runs in the sandbox; what it sends is answered and shown, and undone."""
    code = "made = send('PublishEventCommand', {'event': 'from.script'})\nreturn [made['event'], payload['n']]"
    found = await trial(server, {"body": {"n": 1}}, executionType=2, executionCode=code)
    assert found["outcome"]["data"]["result"] == ["from.script", 1]
    assert [(sent["message"]["type"], sent["ok"]) for sent in found["outcome"]["sent"]] == [
        ("PublishEventCommand", True)
    ]
    assert (await server.cmd("GetEventListQuery"))["totalCount"] == 0


async def test_a_process_is_rehearsed(server: RunningApp) -> None:
    """The first steps of a process are shown, and no instance is left."""
    made = await server.cmd("CreateProcessDefinitionCommand", name="trial", description="d", bpmnXml=PROCESS)
    found = await trial(server, {"body": {"n": 1}}, executionType=3, processDefinitionId=made["id"])
    state = found["outcome"]["data"]
    assert (state["status"], [task["elementId"] for task in state["currentTasks"]]) == ("WAITING", ["t"])
    assert state["variables"]["payload"] == {"n": 1}
    assert (await server.cmd("GetProcessInstanceListQuery"))["totalCount"] == 0


async def test_what_reaches_outside_is_not_sent(server: RunningApp) -> None:
    """A command that acts on more than the database is not sent, and the answer says so."""
    found = await trial(server, {}, commandName="DeleteWebHookConfigCommand", parameters={"id": 1})
    sentence = "DeleteWebHookConfigCommand reaches outside the database, so it is not sent in a rehearsal"
    assert (found["outcome"]["ok"], found["outcome"]["errors"]) == (False, [sentence])


@pytest.mark.parametrize(
    ("request_", "config", "cause"),
    [
        ({"address": "10.0.0.1"}, {"allowableIPs": "192.168.0.0/16"}, "address"),
        ({"method": "put"}, {}, "method"),
        ({"body": "x" * 20}, {"maxBodyBytes": 10}, "size"),
        ({"body": "{", "headers": {"Content-Type": "application/json"}}, {}, "malformed"),
        ({"body": {}}, {"signature": {"scheme": "github", "secret": "s-of-eight"}}, "signature"),
        ({}, {"isEnabled": False}, "disabled"),
    ],
)
async def test_the_guards_verdict_has_its_cause(
    server: RunningApp, request_: dict[str, Any], config: dict[str, Any], cause: str
) -> None:
    """A request that the guard would refuse is shown with the cause."""
    found = await trial(server, request_, **PUBLISH, **config)
    assert not found["wouldExecute"]
    assert found["verdict"]["cause"] == cause
    assert found["verdict"]["detail"]


async def test_a_right_signature_passes(server: RunningApp) -> None:
    """A sample request signed as its provider does is let through."""
    signature = {"scheme": "github", "secret": "s3cret-of-eight"}
    headers = sign(SignatureConfig.model_validate(signature), b"{}", now=0)
    found = await trial(server, {"body": "{}", "headers": headers}, **PUBLISH, signature=signature)
    assert found["verdict"]["passed"]


async def test_a_handshake_is_answered(server: RunningApp) -> None:
    """A provider's question is shown with its answer instead of being executed."""
    handshake = {"kind": "meta", "verifyToken": "t0ken"}
    query = "hub.mode=subscribe&hub.verify_token=t0ken&hub.challenge=42"
    found = await trial(server, {"method": "GET", "query": query}, **PUBLISH, handshake=handshake)
    assert (found["handshake"]["status"], found["handshake"]["body"]) == (200, "42")
    assert not found["wouldExecute"]


async def test_a_mapping_that_fails_says_where(server: RunningApp) -> None:
    """A template that reads what the request does not have is told with its path."""
    found = await trial(
        server, {"body": {"a": 1}}, commandName="PublishEventCommand", parameters={"event": "{{payload.name}}"}
    )
    assert found["outcome"] is None
    assert found["errors"] == ["event: payload.name is missing: payload has a"]


async def test_a_drafts_problems_are_told(server: RunningApp) -> None:
    """What would keep a draft from being saved is listed with what looks wrong."""
    await server.rule("taken", path="orders/{number}", commandName="PingQuery")
    found = await trial(server, {}, executionType=2, executionCode="return paylod")
    assert found["problems"] == ["path: POST orders/{id} is answered by the configuration 'taken' already"]
    assert "paylod" in found["warnings"][0]
    assert found["route"]["answeredBy"] == "taken"
    await server.cmd(
        "DeleteWebHookConfigCommand", id=(await server.cmd("LookupWebHookByKeyCommand", key="taken"))["id"]
    )


async def test_a_saved_configuration_takes_a_captured_request(server: RunningApp) -> None:
    """A refused request is tried against the saved configuration and against changes to it."""
    rule = await server.rule("saved", **PUBLISH, allowableIPs="10.0.0.0/8")
    await server.hook("saved", {"n": 1})
    (captured,) = await server.requests(configKey="saved")
    ids = {"id": rule["id"], "requestId": captured["requestId"]}
    found = await server.cmd("TestWebHookConfigCommand", **ids)
    assert (found["verdict"]["cause"], found["route"]["answeredBy"]) == ("address", "saved")
    changed = {**DRAFT, "path": "saved", "commandName": "PublishEventCommand", "parameters": {"event": "now"}}
    found = await server.cmd("TestWebHookConfigCommand", **ids, config=changed)
    assert (found["wouldExecute"], found["outcome"]["data"]["event"]) == (True, "now")


async def test_a_repeated_request_is_recognised(server: RunningApp) -> None:
    """A request whose id came before is shown as a duplicate of the first."""
    await server.rule("once", **{**PUBLISH, "parameters": {"event": "once"}}, deduplication="body:id")
    await server.hook("once", {"id": "e1"})
    (first,) = await server.requests(configKey="once")
    rule = await server.cmd("LookupWebHookByKeyCommand", key="once")
    found = await server.cmd("TestWebHookConfigCommand", id=rule["id"], request={"body": {"id": "e1"}})
    assert found["verdict"]["cause"] == "duplicate"
    assert first["requestId"] in found["verdict"]["detail"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"request": {}}, "id: is required, or draftId, or config for what is not saved"),
        ({"id": 1}, "request: either it or requestId is required"),
        ({"id": 1, "request": {}, "requestId": "r"}, "request: either it or requestId is required"),
        ({"id": 99_999, "request": {}}, "Configuration not found"),
        (
            {"config": {**DRAFT, "commandName": "PingQuery", "executionType": 2}, "request": {}},
            "config.executionCode: is",
        ),
    ],
)
async def test_what_a_test_needs_is_asked_for(server: RunningApp, fields: dict[str, Any], sentence: str) -> None:
    """A test without a configuration, without a request or of a contradicting draft is refused."""
    with pytest.raises(ServerRefused) as raised:
        await server.cmd("TestWebHookConfigCommand", **fields)
    assert any(sentence in error for error in raised.value.reply.errors)


async def test_a_process_that_does_not_exist_is_refused(server: RunningApp) -> None:
    """A configuration that starts a process needs a definition that exists."""
    fields = {**DRAFT, "key": "p", "executionType": 3, "processDefinitionId": 999}
    reply = await server.send("CreateWebHookConfigCommand", fields)
    assert reply.status == 422
    assert reply.errors == ["processDefinitionId: no process definition has the id 999"]
