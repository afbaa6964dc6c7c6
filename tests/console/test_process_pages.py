"""Instances are seen on their drawing, and mended there."""

import json
from typing import Any

import pytest
from playwright.async_api import Page, expect

from bpm.testing import ServerProcess
from tests.commands.playing import bpmn
from tests.console.conftest import REFUND, captured
from tests.console.test_screens import faults, visit

pytestmark = pytest.mark.anyio


async def begin(server: ServerProcess, amount: int) -> int:
    """Start a refund and wait until it rests."""
    started = await server.cmd("StartProcessInstanceCommand", processKey="refund", variables={"amount": amount})
    return started["instanceId"]


async def test_an_incident_is_mended_on_the_drawing(signed_in: Page, server: ServerProcess) -> None:
    """It stands at its element with its sentence; with another variable it is tried again, and the end is reached."""
    page, instance = signed_in, await begin(server, 5)
    await visit(page, server, f"processes/{instance}")
    await expect(page.locator(".canvas .mark.incident")).to_have_text("!")
    await expect(page.locator('[data-element-id="small"].is-passed')).to_be_attached()
    await expect(page.locator('[data-element-id="big"].is-passed')).to_have_count(0)
    await page.locator('.djs-shape[data-element-id="pay"]').click()
    await expect(page.get_by_role("heading", name="Waits at pay")).to_be_visible()
    await expect(page.locator(".waits")).to_contain_text("ZeroDivisionError")
    await page.get_by_role("button", name="Try again").click()
    await page.get_by_label("Variables to set first").fill('{"amount": 15}')
    await page.get_by_role("dialog").get_by_role("button", name="Try again").click()
    await expect(page.locator("h1")).to_contain_text("completed")
    await expect(page.locator(".canvas .mark")).to_have_count(0)
    await page.get_by_role("tab", name="Variables").click()
    await expect(page.get_by_label("Variables", exact=True).and_(page.locator("pre"))).to_contain_text('"paid": 10')


async def test_a_token_is_moved(signed_in: Page, server: ServerProcess) -> None:
    """From the task where it rests to the element that was chosen; the history says so."""
    page, instance = signed_in, await begin(server, 500)
    await visit(page, server, f"processes/{instance}")
    await expect(page.locator(".canvas .mark.token")).to_have_text("1")
    await page.get_by_label("Element", exact=True).select_option("pay")
    await page.get_by_role("button", name="Move a token").click()
    await expect(page.get_by_label("Take away from")).to_have_value("approve")
    await expect(page.get_by_label("Put before")).to_have_value("pay")
    await page.get_by_role("button", name="Move it").click()
    await expect(page.locator("h1")).to_contain_text("completed")
    shown = await server.cmd("GetProcessInstanceByIdQuery", instanceId=instance)
    assert shown["status"] == "COMPLETED"


async def test_a_task_is_completed(signed_in: Page, server: ServerProcess) -> None:
    """From the instance to the task, and back to the instance, which goes on."""
    page, instance = signed_in, await begin(server, 500)
    await visit(page, server, f"processes/{instance}")
    await page.get_by_role("link", name="Open the task").click()
    await expect(page.locator("h1")).to_have_text("Approve refund")
    await page.get_by_label("What it came to").fill('{"amount": 15}')
    await page.get_by_role("button", name="Complete the task").click()
    await expect(page.locator("h1")).to_contain_text("completed")


FORM = {
    "type": "default",
    "id": "loan",
    "components": [
        {"type": "text", "text": "Decide about the loan."},
        {"type": "number", "key": "amount", "label": "Amount", "readonly": True},
        {"type": "radio", "key": "answer", "label": "Answer", "validate": {"required": True},
         "values": [{"label": "Yes, as asked", "value": "yes"}, {"label": "No", "value": "no"}]},
        {"type": "textarea", "key": "why", "label": "Why not", "validate": {"required": True},
         "conditional": {"hide": '=answer != "no"'}},
        {"type": "dynamiclist", "path": "notes", "label": "Notes",
         "components": [{"type": "textfield", "key": "note", "label": "Note", "validate": {"minLength": 3}}]},
    ],
}  # fmt: skip
TASK = bpmn("start s; user t; end e\ns -> t -> e", "loan").replace(
    '<userTask id="t">',
    '<userTask id="t" name="Decide"><extensionElements><zeebe:formDefinition formId="loan"/></extensionElements>',
)


async def test_a_deployed_form_is_drawn_and_completed(signed_in: Page, server: ServerProcess) -> None:
    """Its conditions are followed while it is filled in; what is wrong stands at its field."""
    page = signed_in
    await server.cmd("CreateFormDefinitionCommand", formJson=json.dumps(FORM))
    await server.cmd("CreateProcessDefinitionCommand", name="loan", bpmnXml=TASK)
    started = await server.cmd("StartProcessInstanceCommand", processKey="loan", variables={"amount": 500})
    await visit(page, server, f"processes/{started['instanceId']}")
    await page.get_by_role("link", name="Open the task").click()
    await expect(page.get_by_label("Amount")).to_have_value("500")
    await expect(page.get_by_label("Amount")).to_be_disabled()
    await expect(page.get_by_label("Why not")).to_have_count(0)
    await page.get_by_label("Answer").select_option("No")
    await page.get_by_label("Why not").fill("Too much")
    await page.get_by_role("button", name="one more").click()
    await page.get_by_label("Note", exact=True).fill("ab")
    await page.get_by_role("button", name="Complete the task").click()
    await expect(page.get_by_text("must have at least 3 characters").first).to_be_visible()
    await expect(page.get_by_label("Note", exact=True)).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("Note", exact=True).fill("abc")
    await page.get_by_role("button", name="Complete the task").click()
    await expect(page.locator("h1")).to_contain_text("completed")
    variables = (await server.cmd("GetProcessInstanceByIdQuery", instanceId=started["instanceId"]))["variables"]
    assert variables == {"amount": 500, "answer": "no", "why": "Too much", "notes": [{"note": "abc"}]}


async def test_a_definition_shows_where_its_instances_stand(signed_in: Page, server: ServerProcess) -> None:
    """And starts another one, which leads to its page."""
    page = signed_in
    counts = await server.cmd("GetProcessDefinitionCountsQuery", id=1)
    at = {each["elementId"]: each for each in counts["elements"]}
    await visit(page, server, "definitions/1")
    await expect(page.locator(".canvas .mark.token")).to_have_text(str(at["approve"]["waiting"]))
    await expect(page.locator(".canvas .mark.incident")).to_have_text(f"! {at['pay']['incidents']}")
    await page.get_by_role("button", name="Start one").click()
    await page.get_by_role("dialog").get_by_label("Variables").fill('{"amount": 15}')
    await page.get_by_role("button", name="Start it").click()
    await expect(page.locator("h1")).to_contain_text("completed")


COLLAPSED = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC">
<process id="collapsed" isExecutable="true"><startEvent id="a"/><sequenceFlow id="f" sourceRef="a" targetRef="outer"/>
<subProcess id="outer" name="Inside"><userTask id="ask"/></subProcess></process>
<bpmndi:BPMNDiagram id="d"><bpmndi:BPMNPlane id="p" bpmnElement="collapsed">
<bpmndi:BPMNShape id="s" bpmnElement="outer" isExpanded="false"><dc:Bounds x="160" y="80" width="100" height="80"/>
</bpmndi:BPMNShape></bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
<bpmndi:BPMNDiagram id="e"><bpmndi:BPMNPlane id="q" bpmnElement="outer">
<bpmndi:BPMNShape id="t" bpmnElement="ask"><dc:Bounds x="160" y="80" width="100" height="80"/></bpmndi:BPMNShape>
</bpmndi:BPMNPlane></bpmndi:BPMNDiagram></definitions>"""


async def test_what_waits_in_a_collapsed_sub_process_is_seen_outside(signed_in: Page, server: ServerProcess) -> None:
    """Its shape says so; inside it stands at its element."""
    page = signed_in
    await server.cmd("CreateProcessDefinitionCommand", name="collapsed", bpmnXml=COLLAPSED)
    started = await server.cmd("StartProcessInstanceCommand", processKey="collapsed")
    await visit(page, server, f"processes/{started['instanceId']}")
    await expect(page.locator('[data-container-id="outer"] .mark.token')).to_have_text("inside")
    await page.locator('[data-container-id="outer"] .bjs-drilldown').click()
    await expect(page.locator('[data-container-id="ask"] .mark.token')).to_have_text("1")


async def test_a_process_without_a_drawing_is_told(signed_in: Page, server: ServerProcess) -> None:
    """What it waits for is listed all the same."""
    page, started = signed_in, await asking(server, "undrawn")
    await visit(page, server, f"processes/{started['instanceId']}")
    await expect(page.get_by_role("heading", name="There is no drawing of this process")).to_be_visible()
    await expect(page.get_by_role("link", name="Open the task")).to_be_visible()


def undrawn(key: str, task: str = "b") -> str:
    """A process with one task and no drawing."""
    return (
        f'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="{key}" isExecutable="true">'
        f'<startEvent id="a"/><userTask id="{task}"/><sequenceFlow id="f" sourceRef="a" targetRef="{task}"/>'
        "</process></definitions>"
    )


async def asking(server: ServerProcess, key: str) -> dict[str, Any]:
    """Start a process without a drawing that waits for a person."""
    await server.cmd("CreateProcessDefinitionCommand", name=key, bpmnXml=undrawn(key))
    return await server.cmd("StartProcessInstanceCommand", processKey=key)


async def test_a_task_is_claimed_given_back_and_completed(signed_in: Page, server: ServerProcess) -> None:
    """While it is one's own it is among one's tasks."""
    page, started = signed_in, await asking(server, "claimed")
    number, wait = started["instanceId"], started["currentTasks"][0]["waitId"]
    await visit(page, server, f"tasks/{number}.{wait}")
    await page.get_by_role("button", name="Claim it").click()
    await expect(page.get_by_role("button", name="Give it back")).to_be_visible()
    await visit(page, server, "processes?list=tasks&whose=assigned")
    mine = page.locator("tbody tr", has_text=str(number))
    await expect(mine).to_have_count(1)
    await mine.get_by_role("link").first.click()
    await page.get_by_role("button", name="Give it back").click()
    await expect(page.get_by_role("button", name="Claim it")).to_be_visible()
    await page.get_by_role("button", name="Give it to").click()
    await page.get_by_label("User name").fill("ann")
    await page.get_by_role("button", name="Give it to ann").click()
    await expect(page.locator(".facts", has_text="For")).to_contain_text("ann")
    await page.get_by_role("button", name="Complete the task").click()
    await expect(page.locator("h1")).to_contain_text("completed")


async def test_an_instance_is_migrated(signed_in: Page, server: ServerProcess) -> None:
    """To a version that has what it stands on; one that lacks it is told before anything is done."""
    page, started = signed_in, await asking(server, "migrated")
    for task in ("b", "other"):
        await server.cmd("CreateProcessDefinitionCommand", name="migrated", bpmnXml=undrawn("migrated", task))
    await visit(page, server, f"processes/{started['instanceId']}")
    await page.get_by_role("button", name="Migrate").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_text("It stands on b, which this version lacks.")).to_be_visible()
    await expect(dialog.get_by_role("button", name="Migrate to version 3")).to_be_disabled()
    await dialog.get_by_label("Version").select_option("2: migrated")
    await dialog.get_by_role("button", name="Migrate to version 2").click()
    await expect(page.get_by_text("Migrated", exact=True)).to_be_visible()
    shown = await server.cmd("GetProcessInstanceByIdQuery", instanceId=started["instanceId"])
    now = await server.cmd("GetProcessDefinitionByIdQuery", id=shown["processDefinitionId"])
    assert now["version"] == 2


async def test_a_request_is_followed_to_its_last_effect_and_back(signed_in: Page, server: ServerProcess) -> None:
    """On its page each effect stands under its cause; from the id of an event the same story leads back."""
    page = signed_in
    done = await captured(server, "traced")
    await visit(page, server, f"requests/{done['requestId']}")
    story = page.locator(".trace")
    await expect(story.locator("li").first).to_contain_text("POST /traced")
    await expect(story.locator("li", has_text="order.created")).to_be_visible()
    trace = await server.cmd("GetTraceQuery", id=done["requestId"])
    await page.keyboard.press("Control+k")
    await page.keyboard.type(trace["events"][0]["id"])
    await page.get_by_role("option", name="All that belongs to").click()
    await expect(page.locator("li.is-wanted")).to_contain_text("order.created")
    await story.get_by_role("link", name="POST /traced").click()
    await expect(page.get_by_label("Body", exact=True)).to_contain_text("Sandpiper")


async def versions(server: ServerProcess, key: str) -> tuple[int, int]:
    """Two versions of the refund: the second asks for more, pays otherwise, and has one flow less."""
    one = REFUND.replace('id="refund"', f'id="{key}"').replace('bpmnElement="refund"', f'bpmnElement="{key}"')
    flow = '<sequenceFlow id="f3" sourceRef="approve" targetRef="pay"/>'
    two = one.replace("amount &gt; 100", "amount &gt; 250").replace(flow, flow.replace("f3", "f9"))
    two = two.replace('bpmnElement="f3"', 'bpmnElement="f9"').replace('name="Approve refund"', 'name="Approve it"')
    made = [await server.cmd("CreateProcessDefinitionCommand", name="Refund", bpmnXml=each) for each in (one, two)]
    return made[0]["id"], made[1]["id"]


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
async def test_versions_are_compared_on_the_drawing(
    signed_in: Page, server: ServerProcess, axe: str, width: int, theme: str
) -> None:
    """What differs is coloured on either drawing, and listed; the list leads to the drawing by keyboard."""
    page, (first, second) = signed_in, await versions(server, f"compared-{width}")
    await page.set_viewport_size({"width": width, "height": 844})
    await page.evaluate(f"localStorage.setItem('bpm-theme', '{theme}')")
    await page.reload()
    await visit(page, server, f"definitions/{second}")
    await page.get_by_label("Compare with").select_option(str(first))
    await expect(page.get_by_role("heading", name="From version 1 to 2")).to_be_visible()
    await expect(page.get_by_role("status").filter(has_text="added")).to_have_text("1 added, 1 removed, 2 changed")
    await expect(page.locator('.canvas [data-element-id="approve"].has-changed')).to_be_attached()
    await expect(page.locator('.canvas [data-element-id="f9"].has-added')).to_be_attached()
    await expect(page.locator(".differences")).to_contain_text("= amount > 100= amount > 250")
    assert await faults(page, axe) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.get_by_role("button", name="f3", exact=True).focus()
    await page.keyboard.press("Enter")
    await expect(page.locator('.canvas [data-element-id="f3"].has-removed.is-chosen')).to_be_attached()
    await expect(page.get_by_role("radio", name="Version 1")).to_be_checked()
    await expect(page.locator('.canvas [data-element-id="f9"]')).to_have_count(0)
    assert f"with={first}" in page.url
    await visit(page, server, f"definitions/{first}?with={second}")
    await expect(page.get_by_role("heading", name="From version 1 to 2")).to_be_visible()
    await page.get_by_label("Compare with").select_option("no other version")
    await expect(page.get_by_role("heading", name="From version 1 to 2")).to_have_count(0)
