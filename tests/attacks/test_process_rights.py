"""Nobody does by way of a process what they may not do: every person behind a step is asked when it runs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpm.testing import RunningApp, running_app
from tests.attacks.people import (
    END,
    MAKE_ADMIN,
    START,
    WAIT,
    Person,
    bpmn,
    deploy,
    ended,
    incident,
    names,
    person,
    task,
)

pytestmark = pytest.mark.anyio

LACKS = "CreateUserCommand needs the permission users:write, which 'op' does not have"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    """A running application, signed in as its administrator."""
    async with running_app(tmp_path) as running:
        yield running


@pytest.fixture
async def op(app: RunningApp) -> Person:
    """An operator, who may deploy processes and make no accounts."""
    return await person(app, "op", "operator")


async def refused(app: RunningApp, process: str) -> int:
    """Look that the step of a process was refused for the operator's sake; return the instance."""
    instance_id, sentence = await incident(app, process)
    assert sentence == LACKS
    assert "evil" not in await names(app)
    return instance_id


async def test_migrating_an_administrators_instance(app: RunningApp, op: Person) -> None:
    """An operator takes it to a version of his own; the step asks him, too."""
    definition = await deploy(app, "job", START, WAIT, END)
    started = await app.cmd("StartProcessInstanceCommand", processDefinitionId=definition)
    own = await deploy(op.client, "job", START, WAIT, MAKE_ADMIN, END)
    instance_id = started["instanceId"]
    await op.client.cmd("MigrateProcessInstancesCommand", instanceId=instance_id, toDefinitionId=own)
    await op.client.cmd("SignalProcessInstanceCommand", instanceId=instance_id)
    await refused(app, "job")


async def test_migrating_to_an_administrators_version(app: RunningApp, op: Person) -> None:
    """Whoever migrates is asked from then on, until somebody else migrates."""
    definition = await deploy(app, "job", START, WAIT, END)
    started = await app.cmd("StartProcessInstanceCommand", processDefinitionId=definition)
    newer = await deploy(app, "job", START, WAIT, MAKE_ADMIN, END)
    where = {"instanceId": started["instanceId"], "toDefinitionId": newer}
    await op.client.cmd("MigrateProcessInstancesCommand", **where)
    await op.client.cmd("SignalProcessInstanceCommand", instanceId=started["instanceId"])
    instance_id = await refused(app, "job")
    await app.cmd("MigrateProcessInstancesCommand", **where)
    await op.client.cmd("RetryIncidentCommand", instanceId=instance_id)
    await ended(app, instance_id)
    assert "evil" in await names(app)


async def test_an_administrator_starts_the_newest_version(app: RunningApp, op: Person) -> None:
    """The version's author is asked, whoever starts it; a retry by an administrator adds no rights."""
    await deploy(app, "job", START, END)
    await deploy(op.client, "job", START, MAKE_ADMIN, END)
    await app.cmd("StartProcessInstanceCommand", processKey="job")
    instance_id = await refused(app, "job")
    await app.cmd("RetryIncidentCommand", instanceId=instance_id)
    await refused(app, "job")


async def test_an_administrators_rule_and_a_call_activity(app: RunningApp, op: Person) -> None:
    """A stranger's request starts the administrator's process, which calls the operator's version."""
    await deploy(app, "helper", START, END)
    caller = await deploy(app, "caller", START, '<callActivity id="c" calledElement="helper"/>', END)
    await app.rule("open", executionType=3, processDefinitionId=caller)
    await deploy(op.client, "helper", START, MAKE_ADMIN, END)
    assert (await app.hook("open", {})).ok
    await refused(app, "helper")


async def test_an_operators_process_calls_an_administrators(app: RunningApp, op: Person) -> None:
    """The calling instance's people are asked in the called one, at any depth."""
    await deploy(app, "inner", START, MAKE_ADMIN, END)
    await deploy(app, "middle", START, '<callActivity id="c" calledElement="inner"/>', END)
    await deploy(op.client, "outer", START, '<callActivity id="c" calledElement="middle"/>', END)
    await app.cmd("StartProcessInstanceCommand", processKey="outer")
    await refused(app, "inner")


async def test_an_administrator_renames_an_operators_process(app: RunningApp, op: Person) -> None:
    """A version that keeps the diagram keeps the diagram's author."""
    definition = await deploy(op.client, "job", START, MAKE_ADMIN, END)
    await app.cmd("UpdateProcessDefinitionCommand", id=definition, description="looks fine")
    await app.cmd("StartProcessInstanceCommand", processKey="job")
    await refused(app, "job")


async def test_an_operator_adds_an_event_to_an_administrators_process(app: RunningApp, op: Person) -> None:
    """Whoever lets a process begin by itself is asked in the instances that do."""
    definition = await deploy(app, "job", START, MAKE_ADMIN, END)
    await op.client.cmd("UpdateProcessDefinitionCommand", id=definition, triggerEvents=["some.event"])
    await app.cmd("PublishEventCommand", event="some.event")
    await refused(app, "job")


async def test_an_operator_switches_an_administrators_process_on(app: RunningApp, op: Person) -> None:
    """An old version with an event, which the administrator had switched off."""
    definition = await deploy(app, "job", START, MAKE_ADMIN, END, triggerEvents=["some.event"])
    await app.cmd("DeactivateProcessDefinitionCommand", id=definition)
    await op.client.cmd("ActivateProcessDefinitionCommand", id=definition)
    await app.cmd("PublishEventCommand", event="some.event")
    await refused(app, "job")


async def test_a_step_that_deploys_a_process(app: RunningApp, op: Person) -> None:
    """What a step deploys has all its people for authors, not its starter alone."""
    inner = bpmn("inner", START, MAKE_ADMIN, END).replace("<", "&lt;").replace("{{", '{{"{{"}}', 1)
    step = task("CreateProcessDefinitionCommand", name="inner", bpmnXml=inner)
    await deploy(op.client, "outer", START, step, END)
    started = await app.cmd("StartProcessInstanceCommand", processKey="outer")
    await ended(app, started["instanceId"])
    await app.cmd("StartProcessInstanceCommand", processKey="inner")
    await refused(app, "inner")


async def test_a_step_that_makes_a_rule(app: RunningApp, op: Person) -> None:
    """A rule that an operator's version makes in an administrator's instance may not send what he may not."""
    rule = {"key": "r", "description": "r", "path": "r", "action": "POST", "executionType": "{{0}}"}
    step = task("CreateWebHookConfigCommand", **rule, isEnabled="{{true}}", commandName="CreateUserCommand")
    await deploy(op.client, "job", START, step, END)
    await app.cmd("StartProcessInstanceCommand", processKey="job")
    _, sentence = await incident(app, "job")
    assert "users:write" in sentence
    assert (await app.hook("r", {})).status == 404


async def test_a_step_that_starts_another_process(app: RunningApp, op: Person) -> None:
    """A process that a step starts acts for the step's people."""
    await deploy(app, "inner", START, MAKE_ADMIN, END)
    step = task("StartProcessInstanceCommand", processKey="inner", executionMode="FireAndForget")
    await deploy(op.client, "outer", START, step, END)
    await app.cmd("StartProcessInstanceCommand", processKey="outer")
    await refused(app, "inner")


async def test_a_message_that_begins_a_process(app: RunningApp, op: Person) -> None:
    """An operator's process throws the message that an administrator's process begins with."""
    go = '<messageEventDefinition messageRef="m"/>'
    await deploy(app, "receiver", f'<startEvent id="s">{go}</startEvent>', MAKE_ADMIN, END)
    await deploy(op.client, "thrower", START, f'<intermediateThrowEvent id="t">{go}</intermediateThrowEvent>', END)
    await app.cmd("StartProcessInstanceCommand", processKey="thrower")
    await refused(app, "receiver")


async def test_a_transactional_step(app: RunningApp, op: Person) -> None:
    """Commands that run within the step's transaction ask as those that become jobs."""
    step = task("RegisterEventTypeCommand", event="a.b")
    await deploy(op.client, "job", START, step, END)
    await app.cmd("StartProcessInstanceCommand", processKey="job")
    _, sentence = await incident(app, "job")
    assert sentence == "RegisterEventTypeCommand needs the permission events:write, which 'op' does not have"


@pytest.mark.parametrize("event", ["start", "end"])
async def test_a_listener_s_command(app: RunningApp, op: Person, event: str) -> None:
    """What listens beside an element asks the same people as the element's own command."""
    step = MAKE_ADMIN.replace("serviceTask", "task").replace("</bpm:command>", "</bpm:executionListener>")
    step = step.replace("<bpm:command", f'<bpm:executionListener event="{event}"')
    await deploy(op.client, "job", START, step, END)
    await app.cmd("StartProcessInstanceCommand", processKey="job")
    instance_id = await refused(app, "job")
    await op.client.cmd("RetryIncidentCommand", instanceId=instance_id)
    await refused(app, "job")


async def test_a_deployment_that_was_rolled_back(app: RunningApp, op: Person) -> None:
    """Two processes in a file, of which the second fails at last: nothing of the first is kept in memory.

    SQLite gives the next version its number; an administrator's must not run the operator's steps.
    """
    timer = '<timerEventDefinition><timeDuration>="x"</timeDuration></timerEventDefinition>'
    second = bpmn("second", f'<startEvent id="s2">{timer}</startEvent>', '<endEvent id="e2"/>')
    body = second.partition("<process ")[2].replace('id="f0"', 'id="f9"')
    both = bpmn("job", START, MAKE_ADMIN, END).replace("</definitions>", f"<process {body}")
    failed = await op.client.send("CreateProcessDefinitionCommand", {"name": "job", "bpmnXml": both})
    assert (failed.status, "the timer of 's2'" in failed.errors[0]) == (422, True)
    await deploy(app, "job", START, END)
    started = await app.cmd("StartProcessInstanceCommand", processKey="job")
    await ended(app, started["instanceId"])
    assert "evil" not in await names(app)
