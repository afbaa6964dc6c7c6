"""Processes that call processes and decisions; tasks for the right people; instances that change their version."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bpm.testing import RunningApp, running_app
from tests.commands.playing import bpmn, deploy, instance, instances, start, trace

pytestmark = pytest.mark.anyio


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


async def called(app: RunningApp, parent_id: int) -> dict[str, Any]:
    """Return the one instance that another has called."""
    (found,) = (await app.cmd("GetProcessInstanceListQuery", parentInstanceId=parent_id))["items"]
    return found


async def test_a_called_process_gets_and_returns_variables(app: RunningApp) -> None:
    """It runs to its end in the caller's transaction when nothing keeps it."""
    await deploy(app, "start s; script t: total = amount * 2; end e\ns -> t -> e", "child")
    await deploy(app, "start s; call c: child; end e\ns -> c -> e")
    state = await start(app, amount=5)
    assert (state["status"], state["variables"]) == ("COMPLETED", {"amount": 5, "total": 10})
    child = await called(app, state["instanceId"])
    assert (child["status"], child["processKey"]) == ("COMPLETED", "child")


async def test_the_caller_waits_for_the_called_process(app: RunningApp) -> None:
    """Completing its task lets both go on; scripts of called processes count for a supervised start."""
    await deploy(app, "start s; user u; end e\ns -> u -> e", "child")
    await deploy(app, "start s; call c: child; end e\ns -> c -> e")
    state = await start(app)
    assert [(task["elementId"], task["kind"]) for task in state["currentTasks"]] == [("c", "call")]
    child = await called(app, state["instanceId"])
    await app.cmd("SignalProcessInstanceCommand", instanceId=child["instanceId"], variables={"ok": True})
    await instances(app, "p", 1)
    found = await instance(app, state["instanceId"])
    assert (found["status"], found["variables"]) == ("COMPLETED", {"ok": True})


async def test_a_called_process_ends_with_a_call_that_is_cancelled_at_once(app: RunningApp) -> None:
    """Also when it was begun in the same transaction, and so is not written yet."""
    await deploy(app, "start s; user u; end e\ns -> u -> e", "child")
    await deploy(app, "start s; and g; call c: child; end e; end t: terminate\ns -> g; g -> c -> e; g -> t")
    state = await start(app)
    child = await called(app, state["instanceId"])
    assert (state["status"], child["status"]) == ("COMPLETED", "CANCELLED")


async def test_an_error_of_the_called_process_is_caught_by_the_caller(app: RunningApp) -> None:
    """One that nobody catches is an incident where it happened."""
    await deploy(app, "start s; end x: error E1\ns -> x", "child")
    caught = "start s; call c: child; boundary b on c: error E1; end late; end e\ns -> c -> e; b -> late"
    await deploy(app, caught)
    state = await start(app)
    assert state["status"] == "COMPLETED"
    assert await trace(app, state["instanceId"]) == ["s", "b", "late"]
    await deploy(app, "start s; call c: child; end e\ns -> c -> e", "careless")
    careless = await start(app, "careless")
    assert careless["status"] == "WAITING"
    assert (await called(app, careless["instanceId"]))["status"] == "ERROR"


async def test_leaving_a_call_activity_cancels_the_called_process(app: RunningApp) -> None:
    """So does cancelling the caller; cancelling the called one is the caller's incident."""
    await deploy(app, "start s; user u; end e\ns -> u -> e", "child")
    await deploy(app, "start s; call c: child; boundary b on c: message Stop; end e\ns -> c -> e; b -> e")
    state = await start(app)
    await app.cmd("CorrelateMessageCommand", messageName="Stop")
    assert (await instance(app, state["instanceId"]))["status"] == "COMPLETED"
    assert (await called(app, state["instanceId"]))["status"] == "CANCELLED"
    other = await start(app)
    await app.cmd("CancelProcessInstanceCommand", instanceId=other["instanceId"])
    assert (await called(app, other["instanceId"]))["status"] == "CANCELLED"
    third = await start(app)
    child = await called(app, third["instanceId"])
    await app.cmd("CancelProcessInstanceCommand", instanceId=child["instanceId"])
    assert (await instance(app, third["instanceId"]))["status"] == "ERROR"
    assert (await app.cmd("GetUserTaskListQuery"))["totalCount"] == 0


async def test_a_process_that_is_not_there_cannot_be_called(app: RunningApp) -> None:
    """The incident says so; a retry after the deployment goes on. Endless calls end as an incident, too."""
    await deploy(app, "start s; call c: child; end e\ns -> c -> e")
    state = await start(app)
    (incident,) = state["currentTasks"]
    assert "no active process child" in incident["detail"]["message"]
    await deploy(app, "start s; end e\ns -> e", "child")
    retried = await app.cmd("RetryIncidentCommand", instanceId=state["instanceId"])
    assert retried["status"] == "COMPLETED"
    await deploy(app, "start s; call c: endless; end e\ns -> c -> e", "endless")
    assert (await start(app, "endless"))["status"] == "WAITING"


async def test_a_process_that_begins_otherwise_cannot_be_called(app: RunningApp) -> None:
    """The call activity has the incident, and whoever brought the instance there is not refused."""
    await deploy(app, "start s; user u; call c: child; end e\ns -> u -> c -> e")
    await deploy(app, "start s: message Only; end e\ns -> e", "child")
    state = await start(app)
    done = await app.cmd("SignalProcessInstanceCommand", instanceId=state["instanceId"])
    (incident,) = done["currentTasks"]
    assert (done["status"], incident["elementId"]) == ("ERROR", "c")
    assert "no start event without a trigger" in incident["detail"]["message"]


async def test_a_called_process_may_have_its_callers_business_key(app: RunningApp) -> None:
    """In the words that every modeller of Camunda 7 uses."""
    await deploy(app, "start s; user u; end e\ns -> u -> e", "child")
    words = '<camunda:in businessKey="#{execution.processBusinessKey}"/>'
    xml = bpmn("start s; call c: child; end e\ns -> c -> e")
    xml = xml.replace('calledElement="child">', f'calledElement="child"><extensionElements>{words}</extensionElements>')
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=xml)
    state = await app.cmd("StartProcessInstanceCommand", processKey="p", businessKey="A-7")
    assert (await called(app, state["instanceId"]))["businessKey"] == "A-7"


async def test_a_start_event_names_a_variable_for_whoever_begins(app: RunningApp) -> None:
    """A called process is begun by whoever began the calling one."""
    xml = bpmn("start s; end e\ns -> e", "child").replace('id="s"', 'id="s" camunda:initiator="who"')
    await app.cmd("CreateProcessDefinitionCommand", name="child", bpmnXml=xml)
    state = await app.cmd("StartProcessInstanceCommand", processKey="child")
    assert state["variables"] == {"who": "admin"}
    await deploy(app, "start s; call c: child; end e\ns -> c -> e")
    assert (await start(app))["variables"] == {"who": "admin"}


DMN = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="Rates" namespace="x">
<decision id="rate" name="Rate"><decisionTable id="t" hitPolicy="FIRST"><input id="i"><inputExpression id="ie">
<text>amount</text></inputExpression></input><output id="o" name="rate"/>
<rule id="r1"><inputEntry id="a"><text>&lt; 100</text></inputEntry><outputEntry id="b"><text>5</text></outputEntry>
</rule>
<rule id="r2"><inputEntry id="c"><text>-</text></inputEntry><outputEntry id="d2"><text>amount / 100</text></outputEntry>
</rule></decisionTable></decision></definitions>"""


async def test_a_business_rule_task_evaluates_the_newest_decision(app: RunningApp) -> None:
    """It must be deployed first; a later version counts at once."""
    model = bpmn("start s; rule r: rate; end e\ns -> r -> e")
    refused = await app.send("CreateProcessDefinitionCommand", {"name": "p", "bpmnXml": model})
    assert refused.errors[0].startswith("line ")
    assert "'r': there is no decision rate" in refused.errors[0]
    (decision,) = await app.cmd("CreateDecisionDefinitionCommand", dmnXml=DMN)
    assert (decision["key"], decision["version"]) == ("rate", 1)
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=model)
    assert (await start(app, amount=50))["variables"]["decisionResult"] == 5
    await app.cmd("CreateDecisionDefinitionCommand", dmnXml=DMN.replace(">5<", ">6<"))
    assert (await start(app, amount=50))["variables"]["decisionResult"] == 6
    assert (await app.cmd("EvaluateDecisionQuery", key="rate", variables={"amount": 500})) == {"result": 5}


async def test_user_tasks_are_found_by_whom_they_are_offered_to(app: RunningApp) -> None:
    """By group, by user, by assignee; a completed one is offered no more."""
    user = '<startEvent id="s"/><userTask id="t" bpm:candidateGroups="sales,board" bpm:candidateUsers="ada"/>'
    flow = '<sequenceFlow id="f" sourceRef="s" targetRef="t"/>'
    xml = bpmn("start s; end e\ns -> e").split("<startEvent")[0] + user + flow + "</process></definitions>"
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=xml)
    state = await start(app)
    for wanted, count in (
        ({"candidateGroup": "board"}, 1),
        ({"candidateGroup": "board", "candidateUser": "ada"}, 1),
        ({"candidateGroup": "it"}, 0),
        ({"assignee": "ada"}, 0),
    ):
        assert (await app.cmd("GetUserTaskListQuery", **wanted))["totalCount"] == count
    await app.cmd("SignalProcessInstanceCommand", instanceId=state["instanceId"])
    assert (await app.cmd("GetUserTaskListQuery", candidateGroup="board"))["totalCount"] == 0


async def test_a_form_is_held_against_its_schema(app: RunningApp) -> None:
    """What does not fit is refused by field, and the task stays open."""
    schema = '{"type": "object", "required": ["ok"], "properties": {"ok": {"type": "boolean"}}}'
    user = f'<startEvent id="s"/><userTask id="t"><extensionElements><bpm:formSchema>{schema}</bpm:formSchema>'
    user += '</extensionElements></userTask><sequenceFlow id="f" sourceRef="s" targetRef="t"/>'
    xml = bpmn("start s; end e\ns -> e").split("<startEvent")[0] + user + "</process></definitions>"
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=xml)
    state = await start(app)
    fields = {"instanceId": state["instanceId"], "waitId": state["currentTasks"][0]["waitId"]}
    refused = await app.send("CompleteUserTaskCommand", {**fields, "variables": {"ok": "yes"}})
    assert refused.status == 422
    assert refused.errors[0].startswith("variables.ok: ")
    assert (await app.cmd("CompleteUserTaskCommand", **fields, variables={"ok": True}))["status"] == "COMPLETED"


async def test_a_running_instance_moves_to_a_new_version(app: RunningApp) -> None:
    """If every element it stands on is there; otherwise the answer says which is not."""
    first = await deploy(app, "start s; user u; end e\ns -> u -> e")
    state = await start(app)
    renamed = await deploy(app, "start s; user v; end e\ns -> v -> e")
    longer = await deploy(app, "start s; user u; task more; end e\ns -> u -> more -> e")
    refused = await app.send(
        "MigrateProcessInstancesCommand", {"instanceId": state["instanceId"], "toDefinitionId": renamed["id"]}
    )
    assert refused.status == 409
    assert refused.errors == [f"instance {state['instanceId']} stands on u, which the new version lacks"]
    look = await app.cmd(
        "MigrateProcessInstancesCommand", fromDefinitionId=first["id"], toDefinitionId=renamed["id"], preview=True
    )
    assert (look["migrated"], look["refused"], look["instances"][0]["missing"]) == (0, 1, ["u"])
    done = await app.cmd("MigrateProcessInstancesCommand", fromDefinitionId=first["id"], toDefinitionId=longer["id"])
    assert (done["migrated"], done["refused"], done["more"]) == (1, 0, False)
    await app.cmd("SignalProcessInstanceCommand", instanceId=state["instanceId"])
    assert await trace(app, state["instanceId"]) == ["s", "u", "more", "e"]


async def test_a_process_that_would_end_its_caller_cannot_be_called(app: RunningApp) -> None:
    """Flowable's `terminateAll` ends the whole chain of calls there; started by itself the process completes."""
    words = 'xmlns:flowable="http://flowable.org/bpmn" flowable:terminateAll="true"'
    child = bpmn("start s; sub q {\nstart a; end x: terminate\na -> x\n}\nuser u; end e\ns -> q -> u -> e", "child")
    child = child.replace("<terminateEventDefinition/>", f"<terminateEventDefinition {words}/>")
    await app.cmd("CreateProcessDefinitionCommand", name="child", bpmnXml=child)
    assert (await start(app, "child"))["status"] == "COMPLETED"
    await deploy(app, "start s; call c: child; end e\ns -> c -> e")
    (incident,) = (await start(app))["currentTasks"]
    assert incident["detail"]["message"] == "process child can't be called: 'x' would end its caller as well"
