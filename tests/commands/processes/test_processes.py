"""Processes through the bus: deploy, start, wait, go on, fail, mend; with real scripts and a real database."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from bpm.bus import Envelope
from bpm.security.permissions import SYSTEM
from bpm.testing import RunningApp, running_app, until
from tests.commands import playing

pytestmark = pytest.mark.anyio


def bpmn(body: str, process: str = "order", declarations: str = "") -> str:
    return dedent(
        f"""<?xml version="1.0" encoding="UTF-8"?>
        <definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpm="https://bpm-bus.dev/bpmn"
          xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="test">{declarations}
          <process id="{process}" isExecutable="true">{body}</process></definitions>"""
    )


def line(*elements: str) -> str:
    """Join elements by flows, in order: each is written `<tag id="x" …>`."""
    ids = [element.split('id="')[1].split('"')[0] for element in elements]
    flows = [f'<sequenceFlow id="f{n}" sourceRef="{a}" targetRef="{b}"/>' for n, (a, b) in enumerate(pairwise(ids))]
    return "".join([*elements, *flows])


START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
SCRIPT = '<scriptTask id="t" scriptFormat="python"><script>{}</script></scriptTask>'
USER = '<userTask id="approve" name="Approve the order"/>'


def zeebe(element: str, command: str, *inputs: tuple[str, str], tag: str = "serviceTask") -> str:
    mappings = "".join(f'<zeebe:input source="{source}" target="{target}"/>' for source, target in inputs)
    return (
        f'<{tag} id="{element}"><extensionElements><zeebe:taskDefinition type="{command}"/>'
        f"<zeebe:ioMapping>{mappings}</zeebe:ioMapping></extensionElements></{tag}>"
    )


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


async def deploy(app: RunningApp, xml: str, **fields: Any) -> dict[str, Any]:
    return await app.cmd("CreateProcessDefinitionCommand", name="test", bpmnXml=xml, **fields)


async def run(app: RunningApp, xml: str, **fields: Any) -> dict[str, Any]:
    definition = await deploy(app, xml)
    return await app.cmd("StartProcessInstanceCommand", processDefinitionId=definition["id"], **fields)


async def reached(app: RunningApp, instance_id: int, status: str, seconds: float = 5) -> dict[str, Any]:
    """Wait until an instance has a status, and return it."""
    return await until(
        lambda: app.cmd("GetProcessInstanceByIdQuery", instanceId=instance_id),
        lambda found: found["status"] == status,
        seconds=seconds,
    )


async def test_a_script_task_computes_from_variables(app: RunningApp) -> None:
    """A supervised start returns when the process has ended, with what its script came to."""
    xml = bpmn(line(START, SCRIPT.format('result = sum(i["qty"] for i in variables["items"])'), END))
    state = await run(app, xml, variables={"items": [{"qty": 2}, {"qty": 5}]})
    assert state["status"] == "COMPLETED"
    assert state["variables"]["lastScriptResult"] == 7
    assert state["currentTasks"] == []


async def test_what_a_script_changes_is_kept(app: RunningApp) -> None:
    """A script may write the process's variables."""
    state = await run(app, bpmn(line(START, SCRIPT.format('variables["total"] = 12'), END)), variables={"total": 1})
    assert state["variables"]["total"] == 12


async def test_a_transactional_command_runs_inside_the_step(app: RunningApp) -> None:
    """A service task's command commits with the instance, and its result is a variable."""
    task = zeebe("publish", "PublishEventCommand", ("=name", "event"), ("=payload", "data"))
    state = await run(app, bpmn(line(START, task, END)), variables={"name": "order.paid", "payload": {"id": 5}})
    assert state["status"] == "COMPLETED"
    events = (await app.cmd("GetEventListQuery"))["items"]
    assert {e["event"] for e in events} == {"order.paid", "process.completed"}


async def test_an_effect_of_a_service_task_is_a_job(app: RunningApp) -> None:
    """A command that reaches outside is run after the commit, and the process goes on with its result."""
    task = zeebe("code", "ExecuteCodeCommand", ("='result = 6 * 7'", "code"))
    xml = bpmn(line(START, task, END))
    state = await run(app, xml)
    assert state["status"] == "COMPLETED"


async def test_a_number_may_be_the_business_key(app: RunningApp) -> None:
    """A payload's number is as good a key as its text, for the list as well."""
    state = await run(app, bpmn(line(START, END)), businessKey=17)
    for key in (17, "17"):
        (found,) = (await app.cmd("GetProcessInstanceListQuery", businessKey=key))["items"]
        assert (found["instanceId"], found["businessKey"]) == (state["instanceId"], "17")


async def test_fire_and_forget_returns_at_once(app: RunningApp) -> None:
    """The caller has the id at once, and a worker does the rest."""
    xml = bpmn(line(START, SCRIPT.format("result = 1"), END))
    state = await run(app, xml, executionMode="FireAndForget")
    assert state["status"] == "RUNNING"
    await reached(app, state["instanceId"], "COMPLETED")


async def test_a_user_task_waits_for_a_person(app: RunningApp) -> None:
    """The task is listed, completing it lets the process go on, completing it twice is a conflict."""
    state = await run(app, bpmn(line(START, USER, END)))
    assert state["status"] == "WAITING"
    (task,) = (await app.cmd("GetUserTaskListQuery"))["items"]
    assert (task["elementId"], task["name"]) == ("approve", "Approve the order")
    fields = {"instanceId": task["instanceId"], "waitId": task["waitId"], "variables": {"approved": True}}
    done = await app.cmd("CompleteUserTaskCommand", **fields)
    assert done["status"] == "COMPLETED"
    assert done["variables"]["approved"] is True
    again = await app.send("CompleteUserTaskCommand", fields)
    assert again.status == 409


async def test_user_tasks_are_a_list_like_any_other(app: RunningApp) -> None:
    """They are searched literally, bounded by date and sorted, the oldest first unless asked otherwise."""
    definition = await deploy(app, bpmn(line(START, USER, END)))
    ids = [
        (await app.cmd("StartProcessInstanceCommand", processDefinitionId=definition["id"]))["instanceId"]
        for _ in range(3)
    ]

    async def listed(**fields: Any) -> list[int]:
        return [task["instanceId"] for task in (await app.cmd("GetUserTaskListQuery", **fields))["items"]]

    assert await listed() == ids
    assert await listed(sortDirection="desc", pageSize=2) == ids[:0:-1]
    assert await listed(searchText="approve the") == ids
    assert await listed(searchText="%") == []
    assert await listed(endDate="2020-01-01") == []
    assert (await app.send("GetUserTaskListQuery", {"sortBy": "nothing"})).status == 422


MESSAGE = (
    '<message id="m" name="paid"><extensionElements><zeebe:subscription correlationKey="=orderId"/>'
    "</extensionElements></message>"
)
RECEIVE = '<receiveTask id="wait" messageRef="m"/>'


async def test_a_message_goes_to_the_instance_with_its_key(app: RunningApp) -> None:
    """Of two instances that wait for one name, the one with the key goes on."""
    xml = bpmn(line(START, RECEIVE, END), declarations=MESSAGE)
    first = await run(app, xml, variables={"orderId": "o-1"})
    second = await app.cmd("StartProcessInstanceCommand", processKey="order", variables={"orderId": "o-2"})
    fields = {"messageName": "paid", "correlationKey": "o-2", "variables": {"amount": 9}}
    state = await app.cmd("CorrelateMessageCommand", **fields)
    assert (state["instanceId"], state["status"]) == (second["instanceId"], "COMPLETED")
    assert (await app.cmd("GetProcessInstanceByIdQuery", instanceId=first["instanceId"]))["status"] == "WAITING"
    nobody = await app.send("CorrelateMessageCommand", {**fields, "correlationKey": "o-3"})
    assert nobody.status == 404


async def test_a_start_policy_starts_only_what_it_names(app: RunningApp) -> None:
    """Where no instance waits, `correlate` starts nothing, and `correlateOrStart` the definition it was given."""
    begin = '<startEvent id="s"><messageEventDefinition messageRef="m"/></startEvent>'
    message = '<message id="m" name="paid"/>'
    await deploy(app, bpmn(line(begin, USER, END), "other", message))
    named = await deploy(app, bpmn(line(begin, USER, END), "named", message))
    fields = {"processDefinitionId": named["id"], "businessKey": "b-1", "messageName": "paid", "correlationKey": "k"}
    nobody = await app.send("StartProcessInstanceCommand", {**fields, "startPolicy": "correlate"})
    assert (nobody.status, nobody.errors) == (
        404,
        ["no process instance waits for the message 'paid' with the key 'k'"],
    )
    assert (await app.cmd("GetProcessInstanceListQuery"))["totalCount"] == 0
    await app.cmd("StartProcessInstanceCommand", **fields, startPolicy="correlateOrStart")
    (instance,) = (await app.cmd("GetProcessInstanceListQuery"))["items"]
    assert (instance["processKey"], instance["businessKey"]) == ("named", "b-1")


async def test_start_policies_correlate_or_start(app: RunningApp) -> None:
    """`correlateOrStart` starts an instance only when none waits."""
    definition = await deploy(app, bpmn(line(START, RECEIVE, END), declarations=MESSAGE))
    fields = {
        "processDefinitionId": definition["id"],
        "startPolicy": "correlateOrStart",
        "messageName": "paid",
        "correlationKey": "o-1",
        "variables": {"orderId": "o-1"},
    }
    first = await app.cmd("StartProcessInstanceCommand", **fields)
    second = await app.cmd("StartProcessInstanceCommand", **fields)
    assert (first["status"], second["status"]) == ("WAITING", "COMPLETED")
    assert first["instanceId"] == second["instanceId"]


MESSAGE_START = '<startEvent id="s"><messageEventDefinition messageRef="m"/></startEvent>'


async def test_a_message_starts_a_process(app: RunningApp) -> None:
    """A message that nobody waits for starts the process that begins with it."""
    await deploy(app, bpmn(line(MESSAGE_START, END), declarations='<message id="m" name="ordered"/>'))
    state = await app.cmd("CorrelateMessageCommand", messageName="ordered", variables={"order": 7})
    assert (state["status"], state["variables"]["order"]) == ("COMPLETED", 7)
    started = await app.cmd("StartProcessInstanceCommand", processKey="order", messageName="ordered")
    assert started["status"] == "COMPLETED"
    refused = await app.send("StartProcessInstanceCommand", {"processKey": "order"})
    assert (refused.status, "ordered" in refused.errors[0]) == (409, True)


async def test_a_message_of_one_process_reaches_another(app: RunningApp) -> None:
    """What a message end event sends goes to the instance that waits for it."""
    waiting = await run(app, bpmn(line(START, RECEIVE, END), declarations=MESSAGE), variables={"orderId": "o-1"})
    end = '<endEvent id="e"><messageEventDefinition messageRef="m"/></endEvent>'
    sender = bpmn(line(START, end), process="sender", declarations=MESSAGE)
    await run(app, sender, variables={"orderId": "o-1"})
    await reached(app, waiting["instanceId"], "COMPLETED")


async def test_a_timer_fires(app: RunningApp) -> None:
    """An intermediate timer lets the process go on when it is due."""
    timer = (
        '<intermediateCatchEvent id="pause"><timerEventDefinition><timeDuration>PT0.2S</timeDuration>'
        "</timerEventDefinition></intermediateCatchEvent>"
    )
    state = await run(app, bpmn(line(START, timer, END)))
    assert state["status"] == "WAITING"
    await reached(app, state["instanceId"], "COMPLETED")


async def test_a_timer_survives_a_restart(tmp_path: Path) -> None:
    """A timer that was set before the server stopped fires after it started again."""
    timer = (
        '<intermediateCatchEvent id="pause"><timerEventDefinition><timeDuration>PT1S</timeDuration>'
        "</timerEventDefinition></intermediateCatchEvent>"
    )
    async with running_app(tmp_path) as app:
        state = await run(app, bpmn(line(START, timer, END)))
    async with running_app(tmp_path) as app:
        await reached(app, state["instanceId"], "COMPLETED")


async def test_a_failing_script_becomes_an_incident_that_can_be_retried(app: RunningApp) -> None:
    """The incident names what failed; with the cause mended, a retry goes on."""
    state = await run(app, bpmn(line(START, SCRIPT.format('result = 10 / variables["by"]'), END)), variables={"by": 0})
    assert state["status"] == "ERROR"
    (incident,) = state["currentTasks"]
    assert (incident["kind"], incident["elementId"]) == ("incident", "t")
    assert "division" in incident["detail"]["message"]
    await app.cmd("RetryIncidentCommand", instanceId=state["instanceId"], variables={"by": 5})
    done = await reached(app, state["instanceId"], "COMPLETED")
    assert done["variables"]["lastScriptResult"] == 2


async def test_a_failed_task_can_be_skipped_and_an_instance_cancelled(app: RunningApp) -> None:
    """Skipping leaves the element behind; cancelling ends the instance."""
    xml = bpmn(line(START, SCRIPT.format("result = 1 / 0"), END))
    failed = await run(app, xml)
    skipped = await app.cmd("SkipFailedTaskCommand", instanceId=failed["instanceId"])
    assert skipped["status"] == "COMPLETED"
    other = await app.cmd("StartProcessInstanceCommand", processKey="order")
    cancelled = await app.cmd("CancelProcessInstanceCommand", instanceId=other["instanceId"], reason="test")
    assert cancelled["status"] == "CANCELLED"
    assert (await app.send("CancelProcessInstanceCommand", {"instanceId": other["instanceId"]})).status == 409


async def test_a_refused_command_is_an_incident_and_undoes_nothing_else(app: RunningApp) -> None:
    """A service task whose command is refused leaves the instance where it was, with the reason."""
    task = zeebe("get", "GetWebHookConfigByIdQuery", ("=id", "id"))
    state = await run(app, bpmn(line(START, task, END)), variables={"id": 99})
    assert state["status"] == "ERROR"
    assert "no webhook configuration" in state["currentTasks"][0]["detail"]["message"].lower()


async def test_what_is_tried_again_says_why(app: RunningApp) -> None:
    """While a task's work waits for its next try, its task has the number of tries, the last failure and when."""
    task = zeebe("get", "ExecuteCodeCommand", ("=source", "code"))
    state = await run(app, bpmn(line(START, task, END)), variables={"source": "x = payload['amount']"})
    waiting: dict[str, Any] = {"detail": None}
    async with asyncio.timeout(60):
        while waiting["detail"] is None:
            shown = await app.cmd("GetProcessInstanceByIdQuery", instanceId=state["instanceId"])
            (waiting,) = shown["currentTasks"]
    assert (waiting["kind"], waiting["detail"]["code"]) == ("command", "Failed")
    assert waiting["detail"]["tries"] >= 1
    assert "TypeError" in waiting["detail"]["message"]
    assert waiting["dueAt"] is not None


async def test_a_new_deployment_is_a_new_version(app: RunningApp) -> None:
    """Running instances stay on theirs; new ones start on the newest active version."""
    old = await run(app, bpmn(line(START, USER, END)))
    second = await deploy(app, bpmn(line(START, END)))
    assert second["version"] == 2
    new = await app.cmd("StartProcessInstanceCommand", processKey="order")
    assert new["status"] == "COMPLETED"
    assert (await app.cmd("GetProcessInstanceByIdQuery", instanceId=old["instanceId"]))["status"] == "WAITING"
    await app.cmd("DeactivateProcessDefinitionCommand", id=second["id"])
    assert (await app.cmd("StartProcessInstanceCommand", processKey="order"))["status"] == "WAITING"
    refused = await app.send("StartProcessInstanceCommand", {"processDefinitionId": second["id"]})
    assert refused.status == 409


async def test_the_misspelt_name_of_the_seed_product_is_taken(app: RunningApp) -> None:
    """Older clients send `CreateProcessDefinitiionCommand`."""
    data = await app.cmd("CreateProcessDefinitiionCommand", name="x", bpmnXml=bpmn(line(START, END)))
    assert data["version"] == 1


async def test_history_says_what_happened(app: RunningApp) -> None:
    """Every element that a token passed stands in the history, in order."""
    state = await run(app, bpmn(line(START, SCRIPT.format("result = 3"), END)))
    entries = (await app.cmd("GetProcessInstanceHistoryQuery", instanceId=state["instanceId"]))["items"]
    assert [(e["elementId"], e["event"]) for e in entries] == [
        ("s", "completed"),
        ("t", "activated"),
        ("t", "completed"),
        ("e", "completed"),
    ]


@pytest.mark.parametrize(
    ("xml", "problem"),
    [
        ("not xml", "XML"),
        ("<a/>", "BPMN"),
        (bpmn(END), "start"),
        (bpmn(line(START, '<implicitThrowEvent id="c"/>', END)), "'c'"),
        (bpmn(line(START, zeebe("z", "NoSuchCommand"), END)), "NoSuchCommand"),
        (bpmn(line(START, SCRIPT.format("result = ().__class__"), END)), "'t'"),
        ('<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><d>&b;</d>', ""),
    ],
)
async def test_what_could_not_run_is_refused_when_deployed(app: RunningApp, xml: str, problem: str) -> None:
    """Each reason is a 422 that names the element, never a failure at run time."""
    answer = await app.send("CreateProcessDefinitionCommand", {"name": "x", "bpmnXml": xml})
    assert answer.status == 422
    assert problem in " ".join(answer.errors)


async def test_the_same_request_starts_one_instance(app: RunningApp) -> None:
    """A start repeated under one idempotency key is one instance."""
    definition = await deploy(app, bpmn(line(START, USER, END)))
    headers = {"Idempotency-Key": "once"}
    for _ in range(2):
        await app.send("StartProcessInstanceCommand", {"processDefinitionId": definition["id"]}, headers)
    assert (await app.cmd("GetProcessInstanceListQuery"))["totalCount"] == 1


async def test_only_the_engine_answers_jobs(app: RunningApp) -> None:
    """Not even an administrator can pretend that a job was done."""
    state = await run(app, bpmn(line(START, USER, END)))
    fields = {"instanceId": state["instanceId"], "waitId": 1, "attempt": 1, "kind": "script"}
    assert (await app.send("AdvanceProcessInstanceCommand", fields)).status == 403


@pytest.mark.parametrize("name", ["name", "description", "triggerEvents", "isActive", "bpmnXml"])
async def test_null_in_an_update_leaves_what_was(app: RunningApp, name: str) -> None:
    """A field that is null in an update is as good as left out."""
    before = await deploy(app, bpmn(line(START, END)), description="d", triggerEvents=["x"], isActive=False)
    after = await app.cmd("UpdateProcessDefinitionCommand", id=before["id"], **{name: None})
    assert after["version"] == 2
    kept = ("name", "description", "triggerEvents", "isActive")
    assert [after[field] for field in kept] == [before[field] for field in kept]


async def test_an_update_is_bounded_like_a_creation(app: RunningApp) -> None:
    """What can't be deployed at first can't be deployed as a later version either."""
    definition = await deploy(app, bpmn(line(START, END)))
    fields = {"id": definition["id"], "triggerEvents": ["x"] * 51}
    refused = await app.send("UpdateProcessDefinitionCommand", fields)
    assert (refused.status, refused.errors) == (422, ["triggerEvents: must have at most 50 items, not 51"])


async def become_operator(app: RunningApp) -> None:
    """Sign in as somebody who may change processes but not write code."""
    fields = {"username": "op", "password": "Correct-horse-battery-8", "roles": ["operator"]}
    await app.cmd("CreateUserCommand", **fields)
    await app.sign_in("op", "Correct-horse-battery-8")


async def test_whoever_starts_a_process_need_not_write_code(app: RunningApp) -> None:
    """A script task is run because its author might write code, and sends what the starter may send."""
    send = 'try:\n  send("GetUserListQuery", {})\n  send("CreateUserCommand", {"username": "eve"})\n'
    caught = send + "except CommandError as error:\n  result = error.errors"
    definition = await deploy(app, bpmn(line(START, SCRIPT.format(caught), END)))
    await become_operator(app)
    state = await app.cmd("StartProcessInstanceCommand", processDefinitionId=definition["id"])
    assert state["status"] == "COMPLETED"
    assert state["variables"]["lastScriptResult"] == [
        "CreateUserCommand needs the permission users:write, which 'op' does not have"
    ]


async def test_whoever_deploys_scripts_must_be_allowed_to_write_code(app: RunningApp) -> None:
    """Scripts can't be brought in by way of a process; a process as it is may be changed without them."""
    xml = bpmn(line(START, SCRIPT.format("result = 1"), END))
    definition = await deploy(app, xml)
    await become_operator(app)
    fields = {"name": "x", "bpmnXml": xml}
    for name, more in (("CreateProcess", {}), ("UpdateProcess", {"id": definition["id"]})):
        refused = await app.send(f"{name}DefinitionCommand", {**fields, **more})
        assert refused.status == 422
        assert "'t': a script needs code:write, which op does not have" in refused.errors[0]
    await app.cmd("UpdateProcessDefinitionCommand", id=definition["id"], description="mine")


async def test_a_request_sent_twice_at_once_starts_one_instance(app: RunningApp) -> None:
    """Both get the same answer, even when both are written in the same group."""
    definition = await playing.deploy(app, "start s; task t; end e\ns -> t -> e", "twice")
    bus = app.app.bus
    fields = {"processDefinitionId": definition["id"], "variables": {"n": 1}}

    def sent(number: int) -> Envelope:
        message = bus.registry.decode("StartProcessInstanceCommand", fields)
        return Envelope(message, SYSTEM, request_id=f"twice-{number // 3}")

    outcomes = await asyncio.gather(*(bus.execute(sent(number)) for number in range(30)))
    answers = [outcome.unwrap() for outcome in outcomes]
    assert {answer.status for answer in answers} == {"COMPLETED"}
    assert len({answer.instance_id for answer in answers}) == 10
    assert (await app.cmd("GetProcessInstanceListQuery", processKey="twice"))["totalCount"] == 10
