"""Listeners on a running application: scripts in the sandbox and commands of the bus, with the rights of tasks."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpm.testing import RunningApp, running_app
from tests.bpm.bpmn.player import flows, model
from tests.commands.playing import instances

pytestmark = pytest.mark.anyio

FLOWS = flows("s > t > e")
SCRIPT = '<camunda:script scriptFormat="python">{}</camunda:script>'
TASK = (
    '<startEvent id="s"/><userTask id="t"><extensionElements><camunda:taskListener event="create">'
    + SCRIPT.format('variables["offered"] = variables["x"] + 1')
    + '</camunda:taskListener><bpm:executionListener event="end" type="GetUserTaskListQuery" resultVariable="left"/>'
    "</extensionElements></userTask>"
    '<endEvent id="e"/>'
)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


async def test_scripts_and_commands_listen(app: RunningApp) -> None:
    """The task is offered when its listener has run; the history tells what each wrote."""
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=model(TASK + FLOWS))
    started = await app.cmd("StartProcessInstanceCommand", processKey="p", variables={"x": 1})
    (task,) = started["currentTasks"]
    assert (task["kind"], started["variables"]) == ("user", {"x": 1, "offered": 2})
    await app.cmd("SignalProcessInstanceCommand", instanceId=started["instanceId"], variables={})
    (done,) = await instances(app, "p", 1)
    found = await app.cmd("GetProcessInstanceByIdQuery", instanceId=done["instanceId"])
    assert found["variables"]["left"]["totalCount"] == 0
    history = await app.cmd("GetProcessInstanceHistoryQuery", instanceId=done["instanceId"])
    listened = [line["values"] for line in history["items"] if line["event"] == "listened"]
    assert {"offered": 2} in listened


async def test_a_flow_with_a_listener_that_is_no_command_is_refused(app: RunningApp) -> None:
    """With the flow's own id and line; in a draft it is a gap."""
    word = '<bpm:executionListener event="take" type="NoSuchCommand"/>'
    listened = f'<sequenceFlow id="f" sourceRef="s" targetRef="e"><extensionElements>{word}</extensionElements>'
    body = f'<startEvent id="s"/><endEvent id="e"/>{listened}</sequenceFlow>'
    fields = {"name": "p", "bpmnXml": model(body)}
    refused = await app.send("CreateProcessDefinitionCommand", fields)
    assert refused.status == 422
    assert "'f': no command is named NoSuchCommand" in refused.errors[0]
    draft = await app.cmd("CreateProcessDefinitionCommand", **fields, draft=True)
    assert "NoSuchCommand" in draft["gaps"][0]
