"""Which version of a process or decision an element means: the newest, one deployed with it, by number or by tag."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bpm.testing import RunningApp, running_app
from tests.commands.playing import bpmn, instance, instances, start
from tests.commands.processes.test_calls import DMN

pytestmark = pytest.mark.anyio

CHILD = """<process id="child" name="Child" isExecutable="true" {tag}><startEvent id="cs"/><scriptTask id="ct">
<extensionElements><zeebe:script expression="={number}" resultVariable="made"/></extensionElements></scriptTask>
<endEvent id="ce"/><sequenceFlow id="c1" sourceRef="cs" targetRef="ct"/>
<sequenceFlow id="c2" sourceRef="ct" targetRef="ce"/></process>"""
HEAD = bpmn("start s; end e\ns -> e").split("<process")[0]


def child(number: int, tag: str = "") -> str:
    """A process that writes which version it is."""
    return f"{HEAD}{CHILD.format(number=number, tag=tag)}</definitions>"


def caller(words: str = "", attributes: str = "") -> str:
    """A process that calls it."""
    xml = bpmn("start s; call c: child; end e\ns -> c -> e")
    inner = f"<extensionElements>{words}</extensionElements>"
    return xml.replace('calledElement="child">', f'calledElement="child" {attributes}>{inner}')


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


async def deploy(app: RunningApp, xml: str, **fields: Any) -> dict[str, Any]:
    """Deploy a file."""
    return await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=xml, **fields)


async def made(app: RunningApp) -> Any:
    """Run the newest version of the calling process; return what the called one made, or the incident."""
    state = await start(app)
    if state["status"] != "COMPLETED":
        return state["currentTasks"][0]["detail"]["message"]
    return state["variables"]["made"]


async def test_a_call_means_the_version_it_names(app: RunningApp) -> None:
    """By number, by tag, or the newest."""
    await deploy(app, child(1, 'camunda:versionTag="v1"'))
    shown = await deploy(app, child(2).replace("<startEvent", f"{ZEEBE_TAG}<startEvent", 1))
    assert shown["versionTag"] == "v2"
    await deploy(app, child(3))
    for words, attributes, expected in (
        ("", "", 3),
        ("", 'camunda:calledElementBinding="latest"', 3),
        ("", 'camunda:calledElementBinding="version" camunda:calledElementVersion="2"', 2),
        ("", 'camunda:calledElementBinding="versionTag" camunda:calledElementVersionTag="v1"', 1),
        ('<zeebe:calledElement processId="child" bindingType="versionTag" versionTag="v2"/>', "", 2),
        ('<zeebe:calledElement processId="child" bindingType="versionTag" versionTag="v9"/>', "",
         "there is no active process child with the version tag v9"),
    ):  # fmt: skip
        await deploy(app, caller(words, attributes))
        assert expected == await made(app)


ZEEBE_TAG = '<extensionElements><zeebe:versionTag value="v2"/></extensionElements>'


async def test_of_several_versions_with_a_tag_the_newest_active_one_is_called(app: RunningApp) -> None:
    """One that is switched off is passed over."""
    for number in (1, 2):
        newest = await deploy(app, child(number, 'camunda:versionTag="v1"'))
    await deploy(app, caller("", 'camunda:calledElementVersionTag="v1"'))
    assert await made(app) == 2
    await app.cmd("DeactivateProcessDefinitionCommand", id=newest["id"])
    assert await made(app) == 1


async def test_deployment_means_the_version_of_the_same_file(app: RunningApp) -> None:
    """Or else the newest that was there; later ones don't count, and drafts never do."""
    words = '<zeebe:calledElement processId="child" bindingType="deployment"/>'
    together = caller(words).replace("</definitions>", CHILD.format(number=1, tag="") + "</definitions>")
    await deploy(app, together)
    await deploy(app, child(2))
    assert await made(app) == 1
    await deploy(app, caller(words))
    await deploy(app, child(3).replace("scriptTask", "implicitThrowEvent"), draft=True)
    newest = await deploy(app, child(4))
    assert await made(app) == 2
    await app.cmd("DeactivateProcessDefinitionCommand", id=newest["id"])
    assert await made(app) == 2


async def test_deployment_without_a_version_from_then_is_an_incident(app: RunningApp) -> None:
    """What is deployed later was not there."""
    await deploy(app, caller("", 'camunda:calledElementBinding="deployment"'))
    await deploy(app, child(1))
    assert "child that was deployed with the version that names it, or before" in await made(app)


async def test_a_draft_is_not_called_by_its_number(app: RunningApp) -> None:
    """Nor is a version that is switched off."""
    draft = child(1).replace("<scriptTask", "<implicitThrowEvent").replace("</scriptTask", "</implicitThrowEvent")
    await deploy(app, draft, draft=True)
    await deploy(app, caller("", 'camunda:calledElementVersion="1"'))
    assert await made(app) == "there is no active process child in version 1"


RULE = """<startEvent id="s"/><businessRuleTask id="r" {attributes}><extensionElements>{words}</extensionElements>
</businessRuleTask><endEvent id="e"/><sequenceFlow id="a" sourceRef="s" targetRef="r"/><sequenceFlow id="b"
 sourceRef="r" targetRef="e"/></process></definitions>"""
CAMUNDA = 'camunda:decisionRef="rate" camunda:mapDecisionResult="singleEntry" camunda:resultVariable="made"'


def rule(attributes: str, words: str = "") -> str:
    """A process that evaluates a decision."""
    xml = bpmn("start s; end e\ns -> e").split("<startEvent")[0]
    return xml + RULE.format(attributes=attributes, words=words)


def rates(number: int, tag: str = "") -> str:
    """A decision that says which version it is."""
    xml = DMN.replace(">5<", f">{number}<")
    if tag.startswith("<"):
        return xml.replace('name="Rate">', f'name="Rate"><extensionElements>{tag}</extensionElements>')
    return xml.replace("<definitions ", '<definitions xmlns:camunda="http://camunda.org/schema/1.0/dmn" ').replace(
        'name="Rate">', f'name="Rate" {tag}>'
    )


async def test_a_business_rule_task_means_the_version_it_names(app: RunningApp) -> None:
    """In the words of Camunda 7 and 8; a tag that is nowhere is refused when deployed."""
    zeebe = '<z:versionTag xmlns:z="http://camunda.org/schema/zeebe/1.0" value="v2"/>'
    for number, tag in ((1, 'camunda:versionTag="v1"'), (2, zeebe), (3, "")):
        (shown,) = await app.cmd("CreateDecisionDefinitionCommand", dmnXml=rates(number, tag))
        assert shown["versionTag"] == {1: "v1", 2: "v2", 3: None}[number]
    called = '<zeebe:calledDecision decisionId="rate" resultVariable="made" bindingType="{}"/>'
    deployment = rule("", called.format("deployment"))
    for xml, expected in (
        (rule(CAMUNDA), 3),
        (rule(f'{CAMUNDA} camunda:decisionRefBinding="version" camunda:decisionRefVersion="2"'), 2),
        (rule(f'{CAMUNDA} camunda:decisionRefBinding="versionTag" camunda:decisionRefVersionTag="v1"'), 1),
        (rule("", called.format('versionTag" versionTag="v2')), 2),
        (deployment, 3),
    ):
        await deploy(app, xml)
        state = await app.cmd("StartProcessInstanceCommand", processKey="p", variables={"amount": 50})
        assert state["variables"]["made"] == expected
    await app.cmd("CreateDecisionDefinitionCommand", dmnXml=rates(4))
    state = await app.cmd("StartProcessInstanceCommand", processKey="p", variables={"amount": 50})
    assert state["variables"]["made"] == 3
    unknown = rule("", called.format('versionTag" versionTag="v9'))
    refused = await app.send("CreateProcessDefinitionCommand", {"name": "p", "bpmnXml": unknown})
    assert "there is no decision rate with the version tag v9" in refused.errors[0]


async def test_variables_are_mapped_out_of_a_process_that_throws(app: RunningApp) -> None:
    """Through every call in between."""
    thrown = bpmn("start s; script t: made = 7; end x: error E1\ns -> t -> x", "child")
    await deploy(app, thrown)
    out = '<camunda:out source="made" target="made"/>'
    between = caller(out).replace('<process id="p"', '<process id="between"')
    await deploy(app, between)
    xml = bpmn("start s; call c: between; boundary b on c: error E1; end late; end e\ns -> c -> e; b -> late")
    xml = xml.replace(
        'calledElement="between">', f'calledElement="between"><extensionElements>{out}</extensionElements>'
    )
    await deploy(app, xml)
    state = await start(app)
    (ended,) = await instances(app, "p", 1)
    assert ended["instanceId"] == state["instanceId"]
    assert (await instance(app, state["instanceId"]))["variables"]["made"] == 7
