"""Where the instances of one version stand, in the whole application."""

from collections.abc import AsyncIterator

import pytest

from bpm.client import ServerRefused
from bpm.process import definition_counts
from bpm.testing import RunningApp, running_app

pytestmark = pytest.mark.anyio

BPMN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" isExecutable="true">
<startEvent id="a"/><userTask id="ask"/><scriptTask id="work" scriptFormat="python"><script>1 / variables["n"]</script>
</scriptTask><endEvent id="z"/><sequenceFlow id="f" sourceRef="a" targetRef="work"/>
<sequenceFlow id="g" sourceRef="work" targetRef="ask"/><sequenceFlow id="h" sourceRef="ask" targetRef="z"/>
</process></definitions>"""


@pytest.fixture
async def server() -> AsyncIterator[RunningApp]:
    async with running_app() as server:
        yield server


async def begin(server: RunningApp, definition: int, *numbers: int) -> None:
    for number in numbers:
        await server.cmd("StartProcessInstanceCommand", processDefinitionId=definition, variables={"n": number})


async def test_instances_are_counted_by_status_and_element(server: RunningApp) -> None:
    """Those of another version are not, and what failed is told from what waits."""
    old = (await server.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=BPMN))["id"]
    await begin(server, old, 1, 1, 0)
    new = (await server.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=BPMN))["id"]
    await begin(server, new, 1)
    found = await server.cmd("GetProcessDefinitionCountsQuery", id=old)
    assert found["instances"] == {"WAITING": 2, "ERROR": 1}
    assert found["elements"] == [
        {"elementId": "ask", "waiting": 2, "incidents": 0},
        {"elementId": "work", "waiting": 0, "incidents": 1},
    ]
    assert found["countedSince"] is None
    with pytest.raises(ServerRefused, match="no process definition 99"):
        await server.cmd("GetProcessDefinitionCountsQuery", id=99)


async def test_only_the_newest_instances_are_looked_at(server: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer says how far back that was."""
    monkeypatch.setattr(definition_counts, "MOST_COUNTED", 2)
    definition = (await server.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=BPMN))["id"]
    await begin(server, definition, 1, 1, 1)
    found = await server.cmd("GetProcessDefinitionCountsQuery", id=definition)
    assert found["instances"] == {"WAITING": 2}
    instances = (await server.cmd("GetProcessInstanceListQuery"))["items"]
    assert found["countedSince"] == instances[1]["createdAt"]
