"""Forms that user tasks name: deployed, shown with the task, and held against what completes it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bpm.testing import RunningApp, running_app
from tests.commands.playing import bpmn, deploy, instance, start

pytestmark = pytest.mark.anyio


def form(most: int, **about: Any) -> str:
    """A form with one number, at most so large."""
    amount = {"type": "number", "key": "amount", "label": "Amount", "validate": {"required": True, "max": most}}
    return json.dumps({"type": "default", "id": "loan", "components": [amount], **about})


def asking(words: str = '<zeebe:formDefinition formId="loan"/>', attributes: str = "") -> str:
    """A process with a task that names the form."""
    inner = f"<extensionElements>{words}</extensionElements>" if words else ""
    return bpmn("start s; user t; end e\ns -> t -> e").replace(
        '<userTask id="t">', f'<userTask id="t" {attributes}>{inner}'
    )


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


async def deploy_form(app: RunningApp, text: str) -> dict[str, Any]:
    return await app.cmd("CreateFormDefinitionCommand", formJson=text)


async def begun(app: RunningApp, xml: str) -> dict[str, Any]:
    """Deploy and start a process; return its task."""
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=xml)
    await start(app)
    return (await app.cmd("GetUserTaskListQuery", sortDirection="desc"))["items"][0]


async def complete(app: RunningApp, task: dict[str, Any], **variables: Any) -> Any:
    """Complete a task; return what is wrong with the values."""
    named = {"instanceId": task["instanceId"], "waitId": task["waitId"], "variables": variables}
    return (await app.send("CompleteUserTaskCommand", named)).errors


async def test_a_task_shows_its_form_and_takes_what_fits(app: RunningApp) -> None:
    """Also by `SignalProcessInstanceCommand`."""
    deployed = await deploy_form(app, form(10))
    assert (deployed["key"], deployed["version"]) == ("loan", 1)
    task = await begun(app, asking())
    assert (task["formKey"], task["form"]["version"]) == ("loan", 1)
    assert task["form"]["definition"] == json.loads(form(10))
    assert await complete(app, task) == ["variables.amount (Amount): is required"]
    signal = {"instanceId": task["instanceId"], "variables": {"amount": 11}}
    refused = await app.send("SignalProcessInstanceCommand", signal)
    assert (refused.status, refused.errors) == (422, ["variables.amount (Amount): must be at most 10"])
    assert await complete(app, task, amount=10, other="kept") == []
    assert (await instance(app, task["instanceId"]))["variables"] == {"amount": 10, "other": "kept"}


async def test_a_binding_says_which_version_is_meant(app: RunningApp) -> None:
    """An open task keeps the version that it was opened with."""
    await deploy_form(app, form(1, versionTag="v1"))
    bound = asking('<zeebe:formDefinition formId="loan" bindingType="deployment"/>')
    first = await begun(app, bound)
    await deploy_form(app, form(2))
    for xml, version in (
        (asking(), 2),
        (asking('<zeebe:formDefinition formId="loan" bindingType="versionTag" versionTag="v1"/>'), 1),
        (asking("", 'camunda:formRef="loan"'), 2),
        (asking("", 'camunda:formRef="loan" camunda:formRefBinding="version" camunda:formRefVersion="1"'), 1),
        (bound, 2),
    ):
        assert (await begun(app, xml))["form"]["version"] == version
    assert await complete(app, first, amount=2) == ["variables.amount (Amount): must be at most 1"]


async def test_conditions_of_a_form_see_the_variables_of_the_task(app: RunningApp) -> None:
    """Those of its turn as well."""
    why = {"type": "textfield", "key": "why", "validate": {"required": True}, "conditional": {"hide": "=item < limit"}}
    await deploy_form(app, json.dumps({"type": "default", "id": "loan", "components": [why]}))
    xml = bpmn("start s; user t many parallel over items as item; end e\ns -> t -> e")
    named = '<extensionElements><zeebe:formDefinition formId="loan"/></extensionElements>'
    await app.cmd(
        "CreateProcessDefinitionCommand",
        name="p",
        bpmnXml=xml.replace('<userTask id="t">', '<userTask id="t">' + named),
    )
    await start(app, items=[1, 9], limit=5)
    small, large = (await app.cmd("GetUserTaskListQuery", sortBy="createdAt"))["items"]
    assert await complete(app, small) == []
    assert await complete(app, large) == ["variables.why: is required"]
    assert await complete(app, large, why="so") == []


async def test_options_may_be_a_large_variable(app: RunningApp) -> None:
    """It is stored by itself, and read for the check."""
    bank = {"type": "select", "key": "bank", "valuesKey": "banks"}
    await deploy_form(app, json.dumps({"type": "default", "id": "loan", "components": [bank]}))
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=asking())
    await start(app, banks=[f"bank number {number}" for number in range(2_000)])
    task = (await app.cmd("GetUserTaskListQuery"))["items"][0]
    assert await complete(app, task, bank="none of them") == ["variables.bank: is none of the options"]
    assert await complete(app, task, bank="bank number 7") == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ('<zeebe:formDefinition formId="other"/>', "there is no form other; deploy it"),
        (
            '<zeebe:formDefinition formId="loan" bindingType="versionTag" versionTag="v9"/>',
            "there is no form loan with the version tag v9",
        ),
        ('<zeebe:formDefinition formId="loan" bindingType="deploymnt"/>', "its binding 'deploymnt' is not one of"),
        ('<zeebe:formDefinition formKey="k" bindingType="latest"/>', "it names no form by its id"),
        ('<zeebe:formDefinition formId="=name"/>', "its form's id '=name' is an expression"),
    ],
)
async def test_a_form_that_is_not_there_is_refused(app: RunningApp, words: str, says: str) -> None:
    """When the process is deployed; a draft lists it."""
    await deploy_form(app, form(1))
    refused = await app.send("CreateProcessDefinitionCommand", {"name": "p", "bpmnXml": asking(words)})
    assert refused.status == 422
    assert says in refused.errors[0]
    draft = await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=asking(words), draft=True)
    assert says in draft["gaps"][0]


async def test_a_form_is_listed_by_version_and_refused_by_component(app: RunningApp) -> None:
    """What people see of a list are the versions, without the files."""
    await deploy_form(app, form(1))
    await deploy_form(app, form(2, versionTag="v2"))
    listed = (await app.cmd("GetFormDefinitionListQuery", key="loan"))["items"]
    assert [(each["version"], each["versionTag"]) for each in listed] == [(2, "v2"), (1, None)]
    assert "definition" not in listed[0]
    bad = form(1).replace('"number"', '"nummer"')
    refused = await app.send("CreateFormDefinitionCommand", {"formJson": bad})
    assert refused.status == 422
    assert refused.errors == [
        "'amount' (Amount): its type 'nummer' is none of a form's components; 'number' may be meant"
    ]


async def test_a_key_of_a_form_elsewhere_is_shown_alone(app: RunningApp) -> None:
    """Nothing is held against a form that others keep."""
    await deploy(app, "start s; user t; end e\ns -> t -> e")
    task = await begun(app, asking('<zeebe:formDefinition externalReference="https://example.com/f"/>'))
    assert (task["formKey"], task["form"]) == ("https://example.com/f", None)
    assert await complete(app, task, amount="any") == []


async def test_a_task_says_what_of_its_form_is_shown(app: RunningApp) -> None:
    """For what has been entered, with the variables that the task sees; another organisation's is not found."""
    why = {"type": "textfield", "key": "why", "conditional": {"hide": "=amount < 5"}}
    amount = {"type": "number", "key": "amount", "label": "Amount", "validate": {"required": True}}
    await deploy_form(app, json.dumps({"type": "default", "id": "loan", "components": [amount, why]}))
    task = await begun(app, asking())
    named = {"instanceId": task["instanceId"], "waitId": task["waitId"]}
    small = await app.cmd("GetUserTaskFormQuery", **named, variables={"amount": 1})
    assert small["fields"] == [{"path": "amount", "value": 1, "isLocked": False, "isRequired": True, "options": None}]
    large = await app.cmd("GetUserTaskFormQuery", **named, variables={"amount": 7})
    assert [each["path"] for each in large["fields"]] == ["amount", "why"]
    await complete(app, task, amount=1)
    assert (await app.send("GetUserTaskFormQuery", named)).status == 404
