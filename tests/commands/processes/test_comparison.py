"""Two versions of a process or a decision are compared."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bpm.testing import RunningApp, running_app
from tests.commands.playing import bpmn
from tests.commands.processes.test_checking import DMN

pytestmark = pytest.mark.anyio

ONE = bpmn("start s; user t; end e\ns -> t -> e", "order")


@pytest.fixture
async def app() -> AsyncIterator[RunningApp]:
    async with running_app() as running:
        yield running


async def deployed(app: RunningApp, *files: str) -> list[int]:
    """The ids of the versions that files become."""
    made = [await app.cmd("CreateProcessDefinitionCommand", name="order", bpmnXml=file) for file in files]
    return [each["id"] for each in made]


async def compare(app: RunningApp, before: int, after: int, **headers: Any) -> dict[str, Any]:
    """What the query tells."""
    return await app.cmd("CompareProcessDefinitionsQuery", beforeId=before, afterId=after, **headers)


async def test_versions_of_a_process_are_compared(app: RunningApp) -> None:
    """In both directions; a version does not differ from itself."""
    added = '<endEvent id="n"/><sequenceFlow id="g" sourceRef="t" targetRef="n"/></process>'
    two = ONE.replace('<userTask id="t"', '<userTask id="t" name="Check"').replace("</process>", added)
    first, second = await deployed(app, ONE, two)
    found = await compare(app, first, second)
    assert {each["elementId"]: each["change"] for each in found["elements"]} == {
        "t": "changed",
        "n": "added",
        "g": "added",
    }
    (changed,) = [each for each in found["elements"] if each["change"] == "changed"]
    assert changed == {
        "elementId": "t", "name": "Check", "kind": "userTask", "change": "changed", "fieldCount": 1,
        "fields": [{"path": "name", "before": None, "after": "Check"}],
    }  # fmt: skip
    assert (found["added"], found["removed"], found["changed"]) == (2, 0, 1)
    back = await compare(app, second, first)
    assert (back["added"], back["removed"], back["changed"]) == (0, 2, 1)
    assert (await compare(app, first, first))["elements"] == []


async def test_versions_of_a_decision_are_compared(app: RunningApp) -> None:
    """By the rules of its table."""
    files = [DMN.format(policy=policy, test=test) for policy, test in (("FIRST", "&lt; 10"), ("UNIQUE", "&lt; 5"))]
    made = [(await app.cmd("CreateDecisionDefinitionCommand", dmnXml=file))[0]["id"] for file in files]
    found = await app.cmd("CompareDecisionDefinitionsQuery", beforeId=made[0], afterId=made[1])
    assert {each["elementId"]: each["fields"] for each in found["elements"]} == {
        "limit": [{"path": "decisionTable.hitPolicy", "before": "FIRST", "after": "UNIQUE"}],
        "r1": [{"path": "inputEntry", "before": "< 10", "after": "< 5"}],
    }


async def test_what_is_not_there_is_said(app: RunningApp) -> None:
    """The version that is missing is named."""
    (known,) = await deployed(app, ONE)
    unknown = await app.send("CompareProcessDefinitionsQuery", {"beforeId": known, "afterId": 99})
    assert (unknown.status, unknown.errors) == (404, ["there is no process definition 99"])
    unknown = await app.send("CompareDecisionDefinitionsQuery", {"beforeId": 98, "afterId": 99})
    assert (unknown.status, unknown.errors) == (404, ["there is no decision definition 98"])


async def test_long_texts_are_shown_where_they_differ(app: RunningApp) -> None:
    """A script of 47,500 characters that changes at its end; large files are compared beside the readers."""
    line = "variables['n'] = 1\n"
    script = '<scriptTask id="t" scriptFormat="python"><script>{}</script></scriptTask>'
    scripts = [script.format(line * 2_500 + last) for last in ("return 1", "return 2")]
    files = [ONE.replace('<userTask id="t"></userTask>', each) for each in scripts]
    first, second = await deployed(app, *files)
    for _ in range(2):
        (changed,) = (await compare(app, first, second))["elements"]
        (field,) = changed["fields"]
        assert (field["path"], field["before"][-8:], field["after"][-8:]) == ("script", "return 1", "return 2")
        assert len(field["before"]) == 1_001


async def test_secrets_are_hidden_from_who_may_not_deploy(app: RunningApp) -> None:
    """A secret that changed is no difference to them; to whoever may deploy it is one."""
    secret = '<documentation/><extensionElements xmlns:b="urn:bpm-bus">{}</extensionElements></userTask>'
    xml = ONE.replace('<userTask id="t"></userTask>', f'<userTask id="t">{secret}')
    files = [xml.format(f'<b:property name="password">{each}</b:property>') for each in ("a1b2c3", "d4e5f6")]
    first, second = await deployed(app, *files)
    password = "Correct-horse-battery-8"
    await app.cmd("CreateUserCommand", username="vera", password=password, roles=["viewer"])
    assert (await compare(app, first, second))["changed"] == 1
    await app.sign_in("vera", password)
    assert (await compare(app, first, second))["changed"] == 0
