"""Processes that begin with a condition."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpm.testing import RunningApp, running_app
from tests.commands.playing import bpmn, instance

pytestmark = pytest.mark.anyio


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


async def deploy(app: RunningApp, condition: str, process: str = "p") -> int:
    """Deploy a process that begins with a condition."""
    xml = bpmn(f"start s: condition {condition}; user u; end e\ns -> u -> e", process)
    return (await app.cmd("CreateProcessDefinitionCommand", name=process, bpmnXml=xml))["id"]


async def test_processes_begin_whose_condition_holds(app: RunningApp) -> None:
    """With the variables that it was asked for; only the newest active version is asked."""
    await deploy(app, "amount > 5")
    newest = await deploy(app, "amount > 100")
    await deploy(app, "amount < 100", "small")
    found = await app.cmd("EvaluateStartConditionsCommand", variables={"amount": 500}, businessKey="A-7")
    (started,) = found["started"]
    assert found["unanswered"] == []
    state = await instance(app, started)
    assert (state["processKey"], state["businessKey"], state["variables"]) == ("p", "A-7", {"amount": 500})
    assert (await app.cmd("EvaluateStartConditionsCommand", variables={"amount": 100}))["started"] == []
    await app.cmd("DeactivateProcessDefinitionCommand", id=newest)
    found = await app.cmd("EvaluateStartConditionsCommand", variables={"amount": 50}, processKey="p")
    assert len(found["started"]) == 1


async def test_a_condition_that_gives_no_answer_is_told(app: RunningApp) -> None:
    """It begins nothing, and keeps the others from nothing."""
    await deploy(app, "amount > 100")
    await deploy(app, "amount", "other")
    found = await app.cmd("EvaluateStartConditionsCommand", variables={"amount": 500})
    assert len(found["started"]) == 1
    (unanswered,) = found["unanswered"]
    assert (unanswered["processKey"], unanswered["elementId"]) == ("other", "s")
    assert "must be true or false" in unanswered["reason"]


async def test_a_process_that_begins_with_a_condition_is_not_started_directly(app: RunningApp) -> None:
    """The refusal says what it begins with."""
    await deploy(app, "amount > 100")
    refused = await app.send("StartProcessInstanceCommand", {"processKey": "p", "variables": {"amount": 500}})
    assert "a timer, a signal or a condition" in refused.errors[0]
