"""Two branches of one instance that go on at the same moment, each through a server process of its own."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bpm.process import wait_tables
from bpm.testing import RunningApp
from tests.attacks.pair import Pair
from tests.commands import playing
from tests.router import probes

pytestmark = pytest.mark.anyio

TWO_BRANCHES = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:bpm="https://bpm-bus.dev/bpmn" targetNamespace="t"><process id="two" isExecutable="true">
<startEvent id="s"/><parallelGateway id="f"/><userTask id="u"/><userTask id="v"/><serviceTask id="x">
<extensionElements><bpm:command type="DawdleCommand"><bpm:parameter name="event">{event}</bpm:parameter>
<bpm:parameter name="seconds">={seconds}</bpm:parameter></bpm:command></extensionElements></serviceTask>
<parallelGateway id="j"/><endEvent id="e"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="f"/><sequenceFlow id="f2" sourceRef="f" targetRef="u"/>
<sequenceFlow id="f3" sourceRef="f" targetRef="x"/><sequenceFlow id="f4" sourceRef="u" targetRef="j"/>
<sequenceFlow id="f5" sourceRef="x" targetRef="j"/><sequenceFlow id="f6" sourceRef="j" targetRef="e"/>
<sequenceFlow id="f7" sourceRef="f" targetRef="v"/><sequenceFlow id="f8" sourceRef="v" targetRef="j"/>
</process></definitions>"""


async def begun(pair: Pair, event: str) -> tuple[int, dict[str, Any]]:
    """Start an instance that waits for two people and a command that reaches outside; return its open waits."""
    xml = TWO_BRANCHES.format(event=event, seconds=0)
    made = await pair.one.cmd("CreateProcessDefinitionCommand", name="two", bpmnXml=xml)
    start = {"processDefinitionId": made["id"], "executionMode": "FireAndForget"}
    id_ = (await pair.one.cmd("StartProcessInstanceCommand", **start))["instanceId"]
    found = await pair.one.app.database.read(lambda tx: wait_tables.waits_of(tx, id_))
    return id_, {wait.element_id: wait for wait in found}


def completing(app: RunningApp, wait: Any) -> Callable[[], Awaitable[Any]]:
    fields = {"instanceId": wait.instance_id, "waitId": wait.wait_id}
    return lambda: app.cmd("CompleteUserTaskCommand", **fields)


async def test_a_command_outside_is_not_done_again_for_a_task_that_was_completed_beside_it(pair: Pair) -> None:
    """Its answer finds the instance as it is by then."""
    id_, waits = await begun(pair, "beside")
    job = wait_tables.job_of(waits["x"])
    await pair.at_once(completing(pair.one, waits["u"]), lambda: pair.other.app.components.processes.jobs.run(job))
    assert probes.tries["beside"] == 1
    left = await pair.one.app.database.read(lambda tx: wait_tables.waits_of(tx, id_))
    assert [wait.element_id for wait in left] == ["v"]
    await completing(pair.one, waits["v"])()
    assert (await playing.instance(pair.one, id_))["status"] == "COMPLETED"


async def test_two_people_complete_their_tasks_at_once(pair: Pair) -> None:
    """One of them was told that somebody else had settled the attempt."""
    id_, waits = await begun(pair, "people")
    await pair.at_once(completing(pair.one, waits["u"]), completing(pair.other, waits["v"]))
    await pair.one.app.components.processes.jobs.run(wait_tables.job_of(waits["x"]))
    assert (await playing.instance(pair.one, id_))["status"] == "COMPLETED"
