"""A process is deployed when the commands that it sends are there, and know the fields that they are given."""

from collections.abc import AsyncIterator

import pytest

from bpm.testing import RunningApp, running_app
from tests.bpm.bpmn.player import flows, model

pytestmark = pytest.mark.anyio

COMMAND = "PublishEventCommand"
GIVEN = {
    "parameters": '<bpm:command type="COMMAND"><bpm:parameter name="FIELD">1</bpm:parameter></bpm:command>',
    "body": '<bpm:command type="COMMAND">{"event": "a.b", "FIELD": {}}</bpm:command>',
    "zeebe": '<zeebe:taskDefinition type="COMMAND"/><zeebe:ioMapping><zeebe:input source="=1" target="FIELD.x"/>'
    "</zeebe:ioMapping>",
    "camunda": '<camunda:inputOutput><camunda:inputParameter name="FIELD">1</camunda:inputParameter>'
    "</camunda:inputOutput>",
    "listener": '<bpm:executionListener event="start" type="COMMAND"><bpm:parameter name="FIELD">1</bpm:parameter>'
    "</bpm:executionListener>",
}


@pytest.fixture(scope="module")
async def app() -> AsyncIterator[RunningApp]:
    async with running_app() as running:
        yield running


def bpmn(how: str, name: str) -> str:
    """A process whose task gives its command a field of this name."""
    words = GIVEN[how].replace("COMMAND", COMMAND).replace("FIELD", name)
    attributes = f' camunda:type="external" camunda:topic="{COMMAND}"' if how == "camunda" else ""
    kind = "manualTask" if how == "listener" else "serviceTask"
    task = f'<{kind} id="t"{attributes}><extensionElements>{words}</extensionElements></{kind}>'
    return model(f'<startEvent id="s"/>{task}<endEvent id="e"/>' + flows("s > t > e"))


@pytest.mark.parametrize("how", GIVEN)
async def test_a_field_that_a_command_lacks_is_refused(app: RunningApp, how: str) -> None:
    """In whatever vocabulary it is given, with the nearest that there is; a draft lists it as a gap."""
    fields = {"name": "p", "bpmnXml": bpmn(how, "dta")}
    refused = await app.send("CreateProcessDefinitionCommand", fields)
    assert refused.status == 422
    assert [error for error in refused.errors if f"{COMMAND} has no field dta; did you mean data?" in error]
    draft = await app.cmd("CreateProcessDefinitionCommand", **fields, draft=True)
    assert [gap for gap in draft["gaps"] if "has no field dta" in gap]


@pytest.mark.parametrize("how", GIVEN)
async def test_a_field_that_it_knows_is_not(app: RunningApp, how: str) -> None:
    """What the variables will make of it is seen when it runs."""
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=bpmn(how, "data"))
