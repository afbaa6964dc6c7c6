"""The main job: rules of all four execution types turn requests into effects."""

from collections.abc import AsyncIterator

import pytest

from bpm.testing import ServerProcess

pytestmark = pytest.mark.anyio

PAYLOAD = {"items": [{"qty": 2}, {"qty": 5}], "key": "native"}

BPMN = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="journey">
  <process id="total" isExecutable="true">
    <startEvent id="start"/><sequenceFlow id="a" sourceRef="start" targetRef="add"/>
    <scriptTask id="add" scriptFormat="python">
      <script>result = sum(item["qty"] for item in variables["payload"]["items"])</script>
    </scriptTask>
    <sequenceFlow id="b" sourceRef="add" targetRef="end"/><endEvent id="end"/>
  </process>
</definitions>"""

CHAIN = [
    {"name": "first", "commandName": "LookupWebHookByKeyCommand", "parameters": {"key": "{{payload.key}}"}},
    {"name": "second", "commandName": "GetWebHookConfigByIdQuery", "parameters": {"id": "{{steps.first.id}}"}},
]


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ServerProcess]:
    """A server with one rule of each execution type, all answering at once."""
    async with ServerProcess() as server:
        definition = await server.cmd("CreateProcessDefinitionCommand", name="total", description="t", bpmnXml=BPMN)
        native = {"commandName": "LookupWebHookByKeyCommand", "parameters": {"key": "{{payload.key}}"}}
        code = 'return {"total": sum(item["qty"] for item in payload["items"])}'
        await server.rule("native", responseMode="sync", **native)
        await server.rule("chain", responseMode="sync", executionType=1, commandChain=CHAIN)
        await server.rule("code", responseMode="sync", executionType=2, executionCode=code)
        await server.rule("process", responseMode="sync", executionType=3, processDefinitionId=definition["id"])
        yield server


async def test_a_native_command_answers(server: ServerProcess) -> None:
    """The named command's result is the answer's data."""
    reply = await server.hook("native", PAYLOAD)
    assert (reply.status, reply.data["key"]) == (200, "native")


async def test_a_chain_hands_results_on(server: ServerProcess) -> None:
    """The second step uses the first one's result, and every step's outcome is told."""
    reply = await server.hook("chain", PAYLOAD)
    assert reply.status == 200
    assert [step["name"] for step in reply.data["steps"]] == ["first", "second"]
    assert reply.data["steps"][1]["data"]["key"] == "native"


async def test_a_script_answers(server: ServerProcess) -> None:
    """What the script returns is in the answer's data."""
    reply = await server.hook("code", PAYLOAD)
    assert (reply.status, reply.data) == (200, {"total": 7})


async def test_a_process_runs_to_its_end(server: ServerProcess) -> None:
    """A process that waits for nobody is completed when the answer is given."""
    reply = await server.hook("process", PAYLOAD)
    assert (reply.status, reply.data["status"]) == (200, "COMPLETED")


@pytest.mark.parametrize("path", ["/api/webhook/native", "/api/webhooks/native/"])
async def test_a_rule_answers_at_its_other_addresses(server: ServerProcess, path: str) -> None:
    """The older address and a trailing slash are the same rule."""
    assert (await server.request("POST", path, PAYLOAD)).status == 200


async def test_what_was_asked_is_kept(server: ServerProcess) -> None:
    """Every request can be looked up with its outcome by the id of its answer."""
    reply = await server.hook("native", PAYLOAD)
    kept = await server.cmd("GetInboundRequestByIdQuery", requestId=reply.headers["x-request-id"])
    assert (kept["state"], kept["messageType"], kept["configKey"]) == ("done", "LookupWebHookByKeyCommand", "native")


async def test_an_unknown_path_is_not_found(server: ServerProcess) -> None:
    """Where no rule is, there is nothing."""
    assert (await server.hook("nothing-here", {})).status == 404


async def test_a_deactivated_rule_is_not_found(server: ServerProcess) -> None:
    """From the moment the command is answered the address is gone, and deactivating again is a conflict."""
    rule = await server.cmd("LookupWebHookByKeyCommand", key="code")
    off = await server.cmd("DeactivateWebHookConfigCommand", id=rule["id"])
    assert off["isEnabled"] is False
    assert (await server.hook("code", PAYLOAD)).status == 404
    assert (await server.send("DeactivateWebHookConfigCommand", {"id": rule["id"]})).status == 409
    await server.cmd("ActivateWebHookConfigCommand", id=rule["id"])
    assert (await server.hook("code", PAYLOAD)).status == 200


async def test_a_terminated_server_exits_with_zero_and_keeps_everything(server: ServerProcess) -> None:
    """After SIGTERM and a new start all rules answer again."""
    assert await server.stop() == 0
    await server.start()
    for key in ("native", "chain", "code", "process"):
        assert (await server.hook(key, PAYLOAD)).status == 200, key
