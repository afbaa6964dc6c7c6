"""Files are checked, and decisions tried, as a deployment would read them, and nothing is deployed."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bpm.testing import RunningApp, running_app

pytestmark = pytest.mark.anyio

BPMN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpm="urn:bpm-bus">
<process id="p" isExecutable="true"><startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="t"/>
{}<sequenceFlow id="g" sourceRef="t" targetRef="e"/><endEvent id="e"/></process></definitions>"""
UNNAMED = '<serviceTask id="t" name="Charge"/>'
UNKNOWN = """<serviceTask id="t" name="Charge"><extensionElements><bpm:command type="NoSuchCommand"/>
</extensionElements></serviceTask>"""
SCRIPT = '<scriptTask id="t" scriptFormat="python"><script>{}</script></scriptTask>'
UNDECIDED = '<businessRuleTask id="t" bpm:decision="nowhere"/>'
DMN = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">
<decision id="limit" name="Limit"><decisionTable id="table" hitPolicy="{policy}">
<input id="in"><inputExpression id="ie"><text>amount</text></inputExpression></input><output id="out" name="limit"/>
<rule id="r1"><inputEntry id="c1"><text>{test}</text></inputEntry><outputEntry id="o1"><text>"small"</text></outputEntry></rule>
<rule id="r2"><inputEntry id="c2"><text>&gt; 5</text></inputEntry><outputEntry id="o2"><text>"large"</text></outputEntry></rule>
</decisionTable></decision></definitions>"""  # noqa: E501 a rule a line


@pytest.fixture
async def app() -> AsyncIterator[RunningApp]:
    async with running_app() as running:
        yield running


@pytest.mark.parametrize("task", [UNNAMED, UNKNOWN, UNDECIDED, SCRIPT.format("a ="), SCRIPT.format("a = ().__class__")])
async def test_the_check_says_what_a_deployment_says(app: RunningApp, task: str) -> None:
    """The very sentences, each with its element and line; nothing is deployed."""
    file = BPMN.format(task)
    checked = await app.cmd("CheckProcessDefinitionCommand", bpmnXml=file)
    assert checked["keys"] == []
    refused = await app.send("CreateProcessDefinitionCommand", {"name": "p", "bpmnXml": file})
    assert [sentence_of(problem) for problem in checked["problems"]] == refused.errors
    assert {problem["elementId"] for problem in checked["problems"]} == {"t"}
    assert (await app.cmd("GetProcessDefinitionListQuery"))["totalCount"] == 0


def sentence_of(problem: dict[str, Any]) -> str:
    """A problem as a deployment words it."""
    name = f" ({problem['elementName']})" if problem["elementName"] else ""
    return f"line {problem['line']}, '{problem['elementId']}'{name}: {problem['message']}"


async def test_a_file_without_problems_names_what_it_would_deploy(app: RunningApp) -> None:
    """And one that is no BPMN says so, about no element."""
    fine = await app.cmd("CheckProcessDefinitionCommand", bpmnXml=BPMN.format('<userTask id="t"/>'))
    assert fine == {"keys": ["p"], "problems": []}
    (problem,) = (await app.cmd("CheckProcessDefinitionCommand", bpmnXml="<a>"))["problems"]
    assert (problem["elementId"], bool(problem["message"])) == ("", True)


async def test_a_decision_is_tried_before_it_is_deployed(app: RunningApp) -> None:
    """Which rules match is told, what it comes to, and why it comes to nothing."""
    file = DMN.format(policy="UNIQUE", test="&lt; 10")
    tried = await app.cmd("CheckDecisionDefinitionCommand", dmnXml=file, key="limit", variables={"amount": 3})
    assert tried == {
        "keys": ["limit"], "problems": [], "trial": {"matched": [1], "result": "small", "failure": None},
    }  # fmt: skip
    both = await app.cmd("CheckDecisionDefinitionCommand", dmnXml=file, key="limit", variables={"amount": 7})
    assert both["trial"]["matched"] == [1, 2]
    assert "2 rules match" in both["trial"]["failure"]
    assert (await app.cmd("CheckDecisionDefinitionCommand", dmnXml=file))["trial"] is None
    unknown = await app.send("CheckDecisionDefinitionCommand", {"dmnXml": file, "key": "other"})
    assert (unknown.status, unknown.errors) == (422, ["key: the file has no decision other"])
    assert (await app.cmd("GetDecisionDefinitionListQuery"))["totalCount"] == 0


async def test_a_problem_of_a_decision_names_its_cell(app: RunningApp) -> None:
    """In the words of its deployment, and nothing is tried."""
    file = DMN.format(policy="FIRST", test="1 +")
    checked = await app.cmd("CheckDecisionDefinitionCommand", dmnXml=file, key="limit", variables={"amount": 3})
    refused = await app.send("CreateDecisionDefinitionCommand", {"dmnXml": file})
    assert [sentence_of(problem) for problem in checked["problems"]] == refused.errors
    assert [problem["elementId"] for problem in checked["problems"]] == ["c1"]
    assert checked["trial"] is None


async def test_nothing_is_deployed_over_a_version_that_was_not_seen(app: RunningApp) -> None:
    """Of a process and of a decision; without a number of a version nobody asks."""
    process = {"name": "p", "bpmnXml": BPMN.format('<userTask id="t"/>')}
    decision = {"dmnXml": DMN.format(policy="FIRST", test="-")}
    for name, fields in (("CreateProcessDefinitionCommand", process), ("CreateDecisionDefinitionCommand", decision)):
        assert (await app.send(name, {**fields, "afterVersion": 1})).status == 409
        assert (await app.send(name, {**fields, "afterVersion": 0})).status == 200
        again = await app.send(name, {**fields, "afterVersion": 0})
        assert (again.status, "is there already, in version 1" in again.errors[0]) == (409, True)
        assert (await app.send(name, {**fields, "afterVersion": 1})).status == 200
        late = await app.send(name, {**fields, "afterVersion": 1})
        assert (late.status, "version 2" in late.errors[0]) == (409, True)
        assert (await app.send(name, fields)).status == 200


async def test_a_decision_is_shown_with_its_file(app: RunningApp) -> None:
    """And one that is not there is not found."""
    file = DMN.format(policy="FIRST", test="-")
    (made,) = await app.cmd("CreateDecisionDefinitionCommand", dmnXml=file)
    assert await app.cmd("GetDecisionDefinitionByIdQuery", id=made["id"]) == {**made, "dmnXml": file}
    assert (await app.send("GetDecisionDefinitionByIdQuery", {"id": made["id"] + 1})).status == 404
