"""Models that are not finished are kept as drafts: looked at, gone on with, and never started."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpm.testing import RunningApp, running_app
from tests.bpm.bpmn.player import DEFINITIONS, flows
from tests.commands.playing import bpmn, deploy, start

pytestmark = pytest.mark.anyio

UNLABELLED = """<startEvent id="s"/><exclusiveGateway id="g"/><serviceTask id="t" name="Charge"/>
<intermediateCatchEvent id="c"><messageEventDefinition/></intermediateCatchEvent><endEvent id="e"/>"""
SKETCH = DEFINITIONS.format(head="", body=UNLABELLED + flows("s > g > t > e", "g > c > e"))
GAPS = ("leaves the exclusive gateway", "names no command", "names no message")


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


async def test_a_draft_lists_each_gap_and_is_never_started(app: RunningApp) -> None:
    """Nor is it switched on, migrated to or called."""
    refused = await app.send("CreateProcessDefinitionCommand", {"name": "x", "bpmnXml": SKETCH})
    assert refused.status == 422
    draft = await app.cmd("CreateProcessDefinitionCommand", name="x", bpmnXml=SKETCH, draft=True)
    assert (draft["isDraft"], draft["isActive"], draft["version"]) == (True, False, 1)
    for says in GAPS:
        assert any(says in gap for gap in draft["gaps"])
    seen = await app.cmd("GetProcessDefinitionByIdQuery", id=draft["id"])
    assert (seen["gaps"], seen["bpmnXml"]) == (draft["gaps"], SKETCH)
    for name, fields in (
        ("StartProcessInstanceCommand", {"processDefinitionId": draft["id"]}),
        ("ActivateProcessDefinitionCommand", {"id": draft["id"]}),
        ("MigrateProcessInstancesCommand", {"toDefinitionId": draft["id"], "fromDefinitionId": draft["id"]}),
    ):
        reply = await app.send(name, fields)
        assert reply.status == 409
        assert "is a draft with" in str(reply.errors)
    assert (await app.send("StartProcessInstanceCommand", {"processKey": "p"})).status == 404
    update = await app.send("UpdateProcessDefinitionCommand", {"id": draft["id"], "name": "y"})
    assert update.status == 422


async def test_a_draft_leaves_the_running_version_alone(app: RunningApp) -> None:
    """It is the next version by number; the one before goes on, and what is finished takes its place."""
    await deploy(app, "start s; end e\ns -> e")
    draft = await app.cmd("CreateProcessDefinitionCommand", name="x", bpmnXml=SKETCH, draft=True, triggerEvents=["a"])
    assert draft["version"] == 2
    assert (await start(app))["status"] == "COMPLETED"
    finished = await deploy(app, "start s; user u; end e\ns -> u -> e", draft=True)
    assert (finished["version"], finished["isDraft"], finished["gaps"]) == (3, False, [])
    assert (await start(app))["status"] == "WAITING"


async def test_what_tasks_ask_for_may_be_missing_from_a_draft(app: RunningApp) -> None:
    """Commands that nobody has written yet are gaps, too."""
    draft = await deploy(app, "start s; service t: NobodysCommand; end e\ns -> t -> e", draft=True)
    assert draft["isDraft"]
    assert "no command is named NobodysCommand" in draft["gaps"][0]


async def test_what_is_no_model_is_no_draft(app: RunningApp) -> None:
    """A draft holds a process that can be told from others."""
    for xml in ("<definitions", "<definitions/>", DEFINITIONS.format(head="", body="").replace('id="p"', 'id=""')):
        reply = await app.send("CreateProcessDefinitionCommand", {"name": "x", "bpmnXml": xml, "draft": True})
        assert reply.status == 422, xml


async def test_the_gaps_of_a_draft_are_sealed_and_told_to_who_may_deploy(app: RunningApp) -> None:
    """They repeat what stands in the diagram."""
    xml = SKETCH.replace("<serviceTask", '<serviceTask camunda:class="com.bank.Hunter2"')
    draft = await app.cmd("CreateProcessDefinitionCommand", name="x", bpmnXml=xml, draft=True)
    rows = await app.app.database.read(
        lambda tx: tx.connection.exec_driver_sql("SELECT gaps FROM deployed_process").all()
    )
    assert rows[0][0].startswith("sealed:")
    listed = await app.cmd("GetProcessDefinitionListQuery")
    assert [(one["id"], one["isDraft"]) for one in listed["items"]] == [(draft["id"], True)]


async def test_one_of_several_pools_is_deployed_by_its_name(app: RunningApp) -> None:
    """The id of the process, or the id or name of its pool."""
    pools = """<collaboration id="c"><participant id="ours" name="Bank" processRef="p"/>
    <participant id="theirs" name="Customer" processRef="q"/></collaboration>
    <process id="q"><startEvent id="qs"/></process>"""
    xml = bpmn("start s; end e\ns -> e").replace('<process id="p"', pools + '<process id="p"')
    xml = xml.replace(' isExecutable="true"', "")
    deployed = await app.cmd("CreateProcessDefinitionCommand", name="x", bpmnXml=xml, processId="Bank")
    assert (deployed["key"], deployed["others"]) == ("p", [])
    assert (await start(app))["status"] == "COMPLETED"
    updated = await app.cmd("UpdateProcessDefinitionCommand", id=deployed["id"], bpmnXml=xml)
    assert updated["version"] == 2
