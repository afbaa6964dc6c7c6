"""What a script task is told that is given more than a script takes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpm.testing import RunningApp, running_app
from tests.bpm.bpmn.player import flows, model
from tests.commands.playing import instance, instances

pytestmark = pytest.mark.anyio

SOURCE = 'result = len(variables["both"])'
GROWING = (
    '<startEvent id="s"/>'
    '<scriptTask id="d"><extensionElements><zeebe:script expression="=[part, part]" resultVariable="both"/>'
    "</extensionElements></scriptTask>"
    f'<scriptTask id="t" scriptFormat="python"><script>{SOURCE}</script></scriptTask>'
    '<endEvent id="e"/>' + flows("s > d > t > e")
)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


async def test_a_variable_larger_than_a_script_takes_is_named(app: RunningApp) -> None:
    """In the incident of the instance and in the list of runs; a smaller value lets it go on."""
    version = await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=model(GROWING))
    await app.cmd("StartProcessInstanceCommand", processKey="p", variables={"part": "x" * 700 * 1024})
    (failed,) = await instances(app, "p", 1, "ERROR")
    (incident,) = (await instance(app, failed["instanceId"]))["currentTasks"]
    sentence = incident["detail"]["message"]
    assert "The script was given 1400 KiB; at most 1088 are allowed (input_bytes)." in sentence
    assert "The largest is variables['both'] with 1400 KiB." in sentence
    (run,) = (await app.cmd("GetCodeRunListQuery", rule=f"process:{version['id']}"))["items"]
    shown = await app.cmd("GetCodeRunByIdQuery", runId=run["runId"])
    assert run["failure"]["reason"] == shown["failure"]["reason"] == "error"
    assert shown["failure"]["message"] in sentence

    await app.cmd("RetryIncidentCommand", instanceId=failed["instanceId"], variables={"both": ["short"]})
    (done,) = await instances(app, "p", 1)
    assert (await instance(app, done["instanceId"]))["variables"]["lastScriptResult"] == 1
