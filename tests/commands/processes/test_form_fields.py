"""Forms that stand in a process file: what their fields ask is held against a completion and a start."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bpm.testing import RunningApp, running_app
from tests.commands.playing import bpmn

pytestmark = pytest.mark.anyio


def field(about: str, *constraints: str, values: str = "") -> str:
    """A field with constraints such as `min=2`."""
    inner = "".join(
        f'<camunda:constraint name="{name}" config="{config}"/>'
        for name, _, config in (one.partition("=") for one in constraints)
    )
    validation = f"<camunda:validation>{inner}</camunda:validation>" if inner else ""
    options = "".join(f'<camunda:value id="{one}"/>' for one in values.split())
    return f"<camunda:formField {about}>{validation}{options}</camunda:formField>"


def data(*fields: str) -> str:
    """The fields as a form."""
    return f"<camunda:formData>{''.join(fields)}</camunda:formData>"


def asking(words: str, tag: str = '<userTask id="t">') -> str:
    """A process with a user task whose form, or its start event's, is given."""
    written = bpmn("start s; user t; end e\ns -> t -> e")
    return written.replace(tag, f"{tag}<extensionElements>{words}</extensionElements>")


FORM = data(
    field('id="amount" label="Amount" type="long"', "required", "min=2", "max=10.5"),
    field('id="name" type="string"', "minlength=2", "maxlength=3"),
    field('id="locked" type="boolean"', "readonly=true"),
    field('id="color" type="enum"', values="red green"),
    field('id="day" type="date"'),
    field('id="at" type="date" datePattern="dd/MM/yyyy HH:mm"'),
    field('id="sure" type="boolean"'),
    field('id="twice" type="long" defaultValue="${amount * 2}"'),
    field('id="note" type="string" defaultValue="none"'),
    field('id="yes" type="boolean" defaultValue="true"'),
)
PROPERTIES = """
<flowable:formProperty id="amount" name="Amount" type="long" required="true"/>
<flowable:formProperty id="price" type="double"/>
<flowable:formProperty id="shown" writable="false" expression="${order.id}"/>
<flowable:formProperty id="color" type="enum" default="red">
  <flowable:value id="red" name="Red"/>
</flowable:formProperty>
"""
WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ['variables: "amount" is a required property']),
    ({"amount": None}, ['variables.amount: null is not of type "integer"']),
    ({"amount": 1}, ["variables.amount: 1 is less than the minimum of 2"]),
    ({"amount": 11}, ["variables.amount: 11 is greater than the maximum of 10.5"]),
    ({"amount": "5"}, ['variables.amount: "5" is not of type "integer"']),
    ({"amount": 5, "name": "a"}, ['variables.name: "a" is shorter than 2 characters']),
    ({"amount": 5, "name": "abcd"}, ['variables.name: "abcd" is longer than 3 characters']),
    ({"amount": 5, "locked": True}, ['variables.locked: true is not of type "null"']),
    ({"amount": 5, "color": "blue"}, ['variables.color: "blue" is not one of "red", "green" or null']),
    ({"amount": 5, "day": "1/2/2026"}, ['variables.day: "1/2/2026" is not a "date"']),
    ({"amount": 5, "at": "2026-01-02"}, ['variables.at: "2026-01-02" is not a "date-time"']),
    ({"amount": 5, "sure": "yes"}, ['variables.sure: "yes" is not of types "boolean", "null"']),
]
REFUSED = [
    (data(field('id="a" type="lung"')), "the type 'lung', which is not known"),
    (data(field('id="" type="long"')), "a field without an id"),
    (data(field('id="a"'), field('id="a"')), "the field 'a' twice"),
    (data(field('id="a" type="long"', "validator=org.example.Check")), "calls Java code"),
    (data(field('id="a" type="long"', "most=1")), "the constraint 'most', which is not known"),
    (data(field('id="a" type="long"', "minlength=1")), "the constraint minlength, which its type 'long' can't have"),
    (data(field('id="a" type="string"', "max=1")), "the constraint max, which its type 'string' can't have"),
    (data(field('id="a" type="long"', "max=ten")), "the constraint max with 'ten', which is no such number"),
    (data(field('id="a" type="enum"')), "0 values; an enum has 1 to 1000"),
    (data(field('id="a" type="long"', values="b")), "values, which only the type enum has"),
    (data(field('id="a" defaultvalue="b"')), "the attribute 'defaultvalue' of its <formField>"),
    (data('<camunda:formfield id="a"/>'), "<formfield>, which is not known; 'formField' may be meant"),
    (data(field('id="a" defaultValue="${(}"')), "the default of its form's field 'a'"),
    (data(*(field(f'id="f{n}"') for n in range(201))), "more than 200 fields"),
    (data(*(field(f'id="f{n}" type="enum"', values="x" * 900) for n in range(80))), "more than 65536 bytes"),
    (data(field('id="a"')) + "<bpm:formSchema>{}</bpm:formSchema>", None),
    (data(field('id="a"')) + '<bpm:formSchema>{"type": "object"}</bpm:formSchema>', "leave one of them"),
    ('<flowable:formProperty id="a" variable="b"/>', "is written to 'b'; map it with an output"),
    ('<flowable:formProperty id="a" defaul="b"/>', "'default' may be meant"),
]


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


async def begun(app: RunningApp, xml: str, **variables: Any) -> dict[str, Any]:
    """Deploy and start a process; return its task."""
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=xml)
    await app.cmd("StartProcessInstanceCommand", processKey="p", variables=variables)
    return (await app.cmd("GetUserTaskListQuery", sortDirection="desc"))["items"][0]


async def test_a_task_takes_what_its_fields_ask_for(app: RunningApp) -> None:
    """Also by `SignalProcessInstanceCommand`; what is left out takes its default."""
    task = await begun(app, asking(FORM))
    named = {"instanceId": task["instanceId"]}
    assert task["schema"]["properties"]["amount"]["title"] == "Amount"
    for given, problems in WRONG:
        asked = {**named, "waitId": task["waitId"], "variables": given}
        assert (await app.send("CompleteUserTaskCommand", asked)).errors == problems
        assert (await app.send("SignalProcessInstanceCommand", {**named, "variables": given})).errors == problems
    given = {"amount": 10, "name": "Ann", "day": "2026-02-03", "color": None, "at": "2026-02-03T09:00:00Z"}
    done = await app.cmd("CompleteUserTaskCommand", **named, waitId=task["waitId"], variables={**given, "more": 1})
    assert done["variables"] == {**given, "more": 1, "twice": 20, "note": "none", "yes": True}


async def test_a_start_takes_what_its_fields_ask_for(app: RunningApp) -> None:
    """The fields are those of the start event without a trigger; a later default sees an earlier one."""
    xml = asking(FORM, '<startEvent id="s">')
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=xml)
    for given, problems in WRONG:
        answer = await app.send("StartProcessInstanceCommand", {"processKey": "p", "variables": given})
        assert (answer.status, answer.errors) == (422, problems)
    begun = await app.cmd("StartProcessInstanceCommand", processKey="p", variables={"amount": 3})
    assert begun["variables"] == {"amount": 3, "twice": 6, "note": "none", "yes": True}


async def test_what_is_there_need_not_be_given_again(app: RunningApp) -> None:
    """A required field with a variable or a default, whose default writes over nothing."""
    fields = [field('id="amount" type="long"', "required"), field('id="kind" defaultValue="a"', "required")]
    task = await begun(app, asking(data(*fields, field('id="note" defaultValue="b"'))), amount=1, note="mine")
    assert task["schema"]["required"] == []
    done = await app.cmd("CompleteUserTaskCommand", instanceId=task["instanceId"], waitId=task["waitId"])
    assert done["variables"] == {"amount": 1, "kind": "a", "note": "mine"}


async def test_nobody_takes_away_what_is_only_shown(app: RunningApp) -> None:
    """The null that stands for a read-only field leaves the variable as it is."""
    task = await begun(app, asking(data(field('id="approved" type="boolean"', "readonly"))), approved=True)
    named = {"instanceId": task["instanceId"], "waitId": task["waitId"]}
    done = await app.cmd("CompleteUserTaskCommand", **named, variables={"approved": None})
    assert done["variables"] == {"approved": True}


async def test_form_properties_are_read_alike(app: RunningApp) -> None:
    """Flowable's and Activiti's words."""
    xml = asking(PROPERTIES).replace("<definitions ", '<definitions xmlns:flowable="http://flowable.org/bpmn" ')
    task = await begun(app, xml)
    named = {"instanceId": task["instanceId"], "waitId": task["waitId"]}
    for given, problems in (
        ({}, ['variables: "amount" is a required property']),
        ({"amount": 1, "price": "x"}, ['variables.price: "x" is not of types "null", "number"']),
        ({"amount": 1, "shown": "x"}, ['variables.shown: "x" is not of type "null"']),
    ):
        assert (await app.send("CompleteUserTaskCommand", {**named, "variables": given})).errors == problems
    done = await app.cmd("CompleteUserTaskCommand", **named, variables={"amount": 1, "price": 2})
    assert done["variables"] == {"amount": 1, "price": 2, "color": "red"}


async def test_what_would_not_be_checked_is_refused(app: RunningApp) -> None:
    """Each with the field; and fields where nobody gives anything."""
    for words, reason in REFUSED:
        xml = asking(words).replace("<definitions ", '<definitions xmlns:flowable="http://flowable.org/bpmn" ')
        answer = await app.send("CreateProcessDefinitionCommand", {"name": "p", "bpmnXml": xml})
        assert answer.ok == (reason is None), answer.errors
        assert reason is None or reason in answer.errors[0]
    words = data(field('id="a"'))
    inside = bpmn("start s; sub q {\nstart i; end j; i -> j\n}\nend e; s -> q -> e").replace(
        '<startEvent id="i">', f'<startEvent id="i"><extensionElements>{words}</extensionElements>'
    )
    answer = await app.send("CreateProcessDefinitionCommand", {"name": "p", "bpmnXml": inside})
    assert "only who starts a process is asked" in answer.errors[0]
