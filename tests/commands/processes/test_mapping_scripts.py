"""Scripts in mappings, on a running application: in the sandbox, with the rights of script tasks."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpm.testing import RunningApp, running_app
from tests.bpm.bpmn.player import flows, model
from tests.commands.playing import instances

pytestmark = pytest.mark.anyio

TASK = """<startEvent id="s"/><userTask id="t"><extensionElements><camunda:inputOutput>
<camunda:inputParameter name="double"><camunda:script scriptFormat="python">result = variables["x"] * 2</camunda:script>
</camunda:inputParameter><camunda:outputParameter name="words"><camunda:list><camunda:script scriptFormat="python">
result = variables["answer"].split()</camunda:script></camunda:list></camunda:outputParameter>
</camunda:inputOutput></extensionElements></userTask><endEvent id="e"/>""" + flows("s > t > e")


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


async def test_scripts_of_a_mapping_run_in_the_sandbox(app: RunningApp) -> None:
    """A person sees what the first came to, and what is answered is kept and goes through the second."""
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=model(TASK))
    started = await app.cmd("StartProcessInstanceCommand", processKey="p", variables={"x": 21})
    (task,) = (await app.cmd("GetUserTaskListQuery"))["items"]
    assert task["variables"] == {"double": 42}
    await app.cmd("SignalProcessInstanceCommand", instanceId=started["instanceId"], variables={"answer": "so be it"})
    (done,) = await instances(app, "p", 1)
    found = await app.cmd("GetProcessInstanceByIdQuery", instanceId=done["instanceId"])
    assert found["variables"] == {"x": 21, "answer": "so be it", "words": [["so", "be", "it"]]}


async def test_a_script_that_fails_is_an_incident_at_the_element(app: RunningApp) -> None:
    """Corrected variables let it go on."""
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=model(TASK))
    started = await app.cmd("StartProcessInstanceCommand", processKey="p", variables={"x": None})
    (task,) = started["currentTasks"]
    assert (started["status"], task["elementId"], task["kind"]) == ("ERROR", "t", "incident")
    await app.cmd("RetryIncidentCommand", instanceId=started["instanceId"], variables={"x": 1})
    await instances(app, "p", 1, "WAITING")
    (task,) = (await app.cmd("GetUserTaskListQuery"))["items"]
    assert task["variables"] == {"double": 2}


async def test_what_cannot_run_in_the_sandbox_is_refused_with_its_place(app: RunningApp) -> None:
    """When the process is deployed."""
    broken = TASK.replace('variables["x"] * 2', "import os")
    refused = await app.send("CreateProcessDefinitionCommand", {"name": "p", "bpmnXml": model(broken)})
    assert refused.status == 422
    assert "'t': in its script, line 1" in refused.errors[0]


async def test_turns_that_are_stored_by_themselves_keep_what_their_scripts_came_to(app: RunningApp) -> None:
    """Between one script of a turn and the next the turn is in the database alone."""
    second = '<camunda:inputParameter name="more"><camunda:script>result = variables["double"] + 1</camunda:script>'
    many = '<multiInstanceLoopCharacteristics camunda:collection="${items}" camunda:elementVariable="x"/></userTask>'
    first = '<camunda:outputParameter name="words">'
    body = TASK.replace(first, f"{second}</camunda:inputParameter>{first}").replace("</userTask>", many)
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=model(body))
    started = await app.cmd("StartProcessInstanceCommand", processKey="p", variables={"items": list(range(20))})
    await instances(app, "p", 1, "WAITING")
    tasks = (await app.cmd("GetUserTaskListQuery", pageSize=50))["items"]
    assert sorted(task["variables"]["more"] for task in tasks) == [2 * x + 1 for x in range(20)]
    about = {"instanceId": started["instanceId"]}
    for task in tasks:
        await app.cmd("CompleteUserTaskCommand", **about, waitId=task["waitId"], variables={"answer": "a b"})
    assert await instances(app, "p", 1)
