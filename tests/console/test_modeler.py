"""Processes are drawn in the browser, deployed, and watched."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from bpm.testing import ServerProcess, until
from bpm.web.console import build_hook
from tests.console.conftest import REFUND, sign_in
from tests.console.test_screens import faults, visit

pytestmark = pytest.mark.anyio

FORM = '{"type": "default", "id": "looked", "components": [{"type": "checkbox", "key": "fine", "label": "Fine"}]}'
SMALL = {"width": 390, "height": 844}


async def add(page: Page, kind: str, name: str, identifier: str) -> None:
    """Add an element behind the chosen one, and name it; by the keyboard's way."""
    before = await page.get_by_label("Id required").input_value()
    await page.get_by_label("Add behind it").select_option(kind)
    await expect(page.get_by_label("Id required")).not_to_have_value(before)
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Id required").fill(identifier)
    await page.get_by_label("Id required").press("Enter")
    await expect(page.locator(f'.djs-shape[data-element-id="{identifier}"]')).to_be_visible()
    await expect(page.get_by_label("Element", exact=True)).to_have_value(identifier)


async def choose(page: Page, element: str) -> None:
    """Choose an element in the list."""
    await page.get_by_label("Element", exact=True).select_option(element)
    await expect(page.get_by_label("Id required")).to_have_value(element)


async def name_process(page: Page, key: str, name: str) -> None:
    """Name the process that is drawn."""
    await choose(page, "new-process")
    await page.get_by_label("Id required").fill(key)
    await page.get_by_label("Id required").press("Enter")
    await page.get_by_label("Name", exact=True).fill(name)
    await expect(page.locator("h1")).to_contain_text(name)


async def opened(page: Page, server: ServerProcess, place: str) -> None:
    """Open a drawing for editing."""
    await visit(page, server, place)
    await expect(page.locator(".djs-container > svg")).to_be_visible()
    await expect(page.get_by_label("Properties")).to_be_visible()


async def test_a_new_process_is_called_in_its_file_what_it_is_called(signed_in: Page, server: ServerProcess) -> None:
    """The id follows the name until it is written by hand, and what is deployed keeps the id that others use."""
    page = signed_in
    name, key = page.get_by_label("Name", exact=True), page.get_by_label("Id required")
    await opened(page, server, "diagrams/new")
    await choose(page, "start")
    await add(page, "End", "Refunded", "end")
    await choose(page, "new-process")
    await name.fill("Refund of a Café, by card")
    await expect(key).to_have_value("refund-of-a-cafe-by-card")
    await name.fill("27")
    await expect(key).to_have_value("refund-of-a-cafe-by-card")
    await key.fill("repayment")
    await key.press("Enter")
    await name.fill("Refund 2")
    await expect(key).to_have_value("repayment")
    await name.fill("Refund")
    await page.get_by_role("button", name="Deploy", exact=True).click()
    await page.get_by_role("link", name="Edit", exact=True).click()
    await expect(key).to_have_value("repayment")
    await name.fill("Refund of a card")
    await expect(page.locator("h1")).to_contain_text("Refund of a card")
    await expect(key).to_have_value("repayment")


@pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, SMALL], ids=["wide", "narrow"])
async def test_a_process_is_drawn_deployed_and_watched(
    signed_in: Page, server: ServerProcess, axe: str, size: dict[str, int]
) -> None:
    """A token is seen, a task claimed and completed with its form, an incident caused, moved on, and migrated."""
    page, key = signed_in, f"expense-{size['width']}"
    await page.set_viewport_size({"width": size["width"], "height": size["height"]})
    await opened(page, server, "diagrams/new")
    await choose(page, "start")
    await add(page, "UserTask", "Approve the expense", "approve")
    await page.get_by_label("Form", exact=True).select_option("fields")
    await page.get_by_label("Name of a field to add").fill("amount")
    await page.get_by_role("button", name="Add a field").click()
    await page.get_by_label("Type of amount").select_option("number")
    await page.get_by_label("amount is required").check()
    await add(page, "ScriptTask", "Pay it", "pay")
    await expect(page.locator(".flaws")).to_contain_text("Pay it: its script is empty")
    await expect(page.locator('[data-element-id="pay"].has-flaw')).to_be_attached()
    await page.locator(".script .cm-content").click()
    await page.keyboard.type('return 100 / (variables["amount"] - 5)')
    await page.get_by_label("Variable for its result").fill("paid")
    await add(page, "End", "Paid", "end")
    await name_process(page, key, f"Expense {size['width']}")
    await expect(page.locator(".flaws")).to_contain_text("ready to deploy")
    assert await faults(page, axe) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    await page.get_by_role("button", name="Deploy", exact=True).click()
    await expect(page.get_by_role("button", name="Start one")).to_be_visible()

    await page.get_by_role("button", name="Start one").click()
    await page.get_by_role("button", name="Start it").click()
    await expect(page.locator('[data-container-id="approve"] .mark.token')).to_have_text("1")
    await page.get_by_role("link", name="Open the task").click()
    await page.get_by_role("button", name="Claim it").click()
    await expect(page.get_by_role("button", name="Give it back")).to_be_visible()
    await page.get_by_label("amount required").fill("5")
    await page.get_by_role("button", name="Complete the task").click()

    await expect(page.locator('[data-container-id="pay"] .mark.incident')).to_have_text("!")
    await expect(page.locator(".waits")).to_contain_text("ZeroDivisionError")
    instance = page.url.split("/")[-1]
    again = await server.cmd("GetProcessDefinitionListQuery", key=key)
    file = await server.cmd("GetProcessDefinitionByIdQuery", id=again["items"][0]["id"])
    await server.cmd("CreateProcessDefinitionCommand", name="Expense", bpmnXml=file["bpmnXml"])
    await page.get_by_label("Element", exact=True).select_option("end")
    await page.get_by_role("button", name="Migrate").click()
    await page.get_by_role("button", name="Migrate to version 2").click()
    await expect(page.get_by_text("Migrated", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Move a token").click()
    await expect(page.get_by_label("Put before")).to_have_value("end")
    await page.get_by_role("button", name="Move it").click()
    await expect(page.locator("h1")).to_contain_text("completed")
    assert (await server.cmd("GetProcessInstanceByIdQuery", instanceId=int(instance)))["status"] == "COMPLETED"


async def test_a_command_is_filled_from_the_catalogue(signed_in: Page, server: ServerProcess) -> None:
    """Its fields are those of its schema; one that is not there is told in the words of the deployment."""
    page = signed_in
    await opened(page, server, "diagrams/new")
    await choose(page, "start")
    await add(page, "ServiceTask", "Tell the shop", "tell")
    await page.get_by_label("Command required").fill("NoSuchCommand")
    await expect(page.locator(".panel .script-problems")).to_contain_text("no command is named NoSuchCommand")
    await page.get_by_label("Command required").fill("PublishEventCommand")
    await page.get_by_label("event required").fill("shop.told")
    await page.get_by_label("data", exact=True).fill('{"order": "{{order}}"}')
    await expect(page.locator(".panel .script-problems")).to_have_count(0)
    await add(page, "End", "Told", "end")
    await name_process(page, "shop", "Shop")
    await page.get_by_role("button", name="Deploy", exact=True).click()
    await expect(page.get_by_role("button", name="Start one")).to_be_visible()
    await server.cmd("StartProcessInstanceCommand", processKey="shop", variables={"order": 7})
    events = await server.cmd("GetEventListQuery", event="shop.told")
    assert events["items"][0]["data"] == {"order": 7}


async def write(page: Page, label: str, text: str) -> None:
    """Fill a field that is written when it is left."""
    await page.get_by_label(label, exact=True).fill(text)
    await page.get_by_label(label, exact=True).press("Enter")


async def test_events_flows_and_forms_are_executed_as_they_are_drawn(signed_in: Page, server: ServerProcess) -> None:
    """A message with its key, an error with its code, a condition and its default, a form that is deployed."""
    page = signed_in
    await server.cmd("CreateFormDefinitionCommand", formJson=FORM)
    await opened(page, server, "diagrams/new")
    await choose(page, "start")
    await add(page, "ExclusiveGateway", "Large?", "large")
    await add(page, "UserTask", "Look at it", "look")
    await page.get_by_label("Form", exact=True).select_option("deployed")
    await page.get_by_label("Id of the form").fill("nowhere")
    await expect(page.locator(".panel .script-problems")).to_contain_text("there is no form nowhere")
    await page.get_by_label("Id of the form").fill("looked")
    await expect(page.locator(".panel .script-problems")).to_have_count(0)
    await page.get_by_label("Add at its edge").select_option("ErrorBoundary")
    await write(page, "Error", "Broken")
    await write(page, "Code", "E1")
    await choose(page, "large")
    await add(page, "MessageCatch", "Answer", "answer")
    await write(page, "Message required", "answered")
    await page.get_by_label("Correlation key").fill("{{order}}")
    await page.get_by_label("Element", exact=True).select_option(label="flow: Large? → Look at it")
    await page.get_by_label("Condition", exact=True).fill("amount > 100")
    await choose(page, "large")
    await page.get_by_label("When no condition holds").select_option(label="to Answer")
    await name_process(page, "drawn-events", "Drawn events")
    await expect(page.locator(".flaws")).to_contain_text("ready to deploy")
    await page.get_by_role("button", name="Deploy", exact=True).click()
    await expect(page.get_by_role("button", name="Start one")).to_be_visible()
    waits: dict[int, list[dict[str, Any]]] = {}
    for amount in (5, 500):
        fields = {"processKey": "drawn-events", "variables": {"amount": amount, "order": amount}}
        waits[amount] = (await server.cmd("StartProcessInstanceCommand", **fields))["currentTasks"]
    assert [task["elementId"] for task in waits[5]] == ["answer"]
    assert "look" in [task["elementId"] for task in waits[500]]
    await server.cmd("CorrelateMessageCommand", messageName="answered", correlationKey="5")
    listed = await server.cmd("GetProcessDefinitionListQuery", key="drawn-events")
    file = await server.cmd("GetProcessDefinitionByIdQuery", id=listed["items"][0]["id"])
    for words in ('errorCode="E1"', '<zeebe:formDefinition formId="looked"', 'name="answered"'):
        assert words in file["bpmnXml"]


async def test_an_edited_process_is_not_deployed_over_a_newer_version(signed_in: Page, server: ServerProcess) -> None:
    """What was drawn stays, also when the page is loaded again; its own file is kept word for word beside it."""
    page = signed_in
    file = REFUND.replace('"refund"', '"edited"')
    made = await server.cmd("CreateProcessDefinitionCommand", name="Edited", bpmnXml=file, triggerEvents=["a.b"])
    await opened(page, server, f"diagrams/{made['id']}")
    await choose(page, "approve")
    await page.get_by_label("Candidate groups").fill("clerks")
    await expect(page.get_by_text("not deployed")).to_be_visible()
    await server.cmd("CreateProcessDefinitionCommand", name="Edited", bpmnXml=file)
    await page.get_by_role("button", name="Deploy", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("version 2 of edited was deployed meanwhile")
    await page.reload()
    await choose(page, "approve")
    await expect(page.get_by_label("Candidate groups")).to_have_value("clerks")
    await page.get_by_role("button", name="Undo all changes").click()
    await choose(page, "approve")
    await expect(page.get_by_label("Candidate groups")).to_have_value("")


async def test_what_a_definition_says_beside_its_file_goes_along(signed_in: Page, server: ServerProcess) -> None:
    """Its name, the events that start it; and words of other engines stay in the file."""
    page = signed_in
    words = '<zeebe:properties><zeebe:property name="a" value="b"/></zeebe:properties>'
    task = '<userTask id="approve" name="Approve refund">'
    told = f"{task}<extensionElements>{words}</extensionElements></userTask>"
    file = REFUND.replace(f"{task[:-1]}/>", told).replace('"refund"', '"carried"')
    fields = {"name": "Carried along", "description": "As it was", "triggerEvents": ["a.c"]}
    made = await server.cmd("CreateProcessDefinitionCommand", bpmnXml=file, **fields)
    await opened(page, server, f"diagrams/{made['id']}")
    await choose(page, "approve")
    await page.get_by_label("Assignee").fill("ann")
    await page.get_by_role("button", name="Deploy", exact=True).click()
    await expect(page.get_by_role("button", name="Start one")).to_be_visible()
    listed = await server.cmd("GetProcessDefinitionListQuery", key="carried")
    newest = await server.cmd("GetProcessDefinitionByIdQuery", id=listed["items"][0]["id"])
    assert newest["version"] == 2
    assert {name: newest[name] for name in fields} == fields
    assert 'bpm:assignee="ann"' in newest["bpmnXml"]
    assert '<zeebe:property name="a" value="b"' in newest["bpmnXml"]


async def test_a_session_that_ends_loses_no_drawing(signed_in: Page, server: ServerProcess) -> None:
    """Whoever signs in again over the page goes on, and deploys what was drawn."""
    page = signed_in
    await opened(page, server, "diagrams/new")
    await choose(page, "start")
    await add(page, "End", "Over", "over")
    await expect(page.locator(".flaws")).to_contain_text("ready to deploy")
    await page.context.clear_cookies()
    await page.get_by_label("Name", exact=True).fill("All over")
    await expect(page.get_by_role("dialog", name="Your session has ended")).to_be_visible()
    await sign_in(page)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_label("Name", exact=True)).to_have_value("All over")
    await name_process(page, "resumed", "Resumed")
    await page.get_by_role("button", name="Deploy", exact=True).click()
    await expect(page.get_by_role("button", name="Start one")).to_be_visible()
    await until(
        lambda: server.cmd("GetProcessDefinitionListQuery", key="resumed"), lambda found: found["totalCount"] == 1
    )


async def test_a_draft_is_kept_with_its_problems(signed_in: Page, server: ServerProcess) -> None:
    """It is gone on with later; a file that is written as XML is drawn again."""
    page = signed_in
    await opened(page, server, "diagrams/new")
    await choose(page, "start")
    await add(page, "TimerCatch", "Later", "later")
    await expect(page.locator(".flaws")).to_contain_text("Later: ")
    await name_process(page, "unfinished", "Unfinished")
    await page.get_by_role("button", name="Keep as a draft").click()
    await expect(page.locator("h1")).to_contain_text("draft")
    await page.get_by_role("link", name="Edit").click()
    await choose(page, "later")
    await page.get_by_label("Time required").fill("PT5M")
    await expect(page.locator(".flaws")).to_contain_text("ready to deploy")
    await page.get_by_role("tab", name="XML").click()
    source = page.get_by_label("BPMN", exact=True)
    await source.fill((await source.input_value()).replace('name="Later"', 'name="Much later"'))
    await page.get_by_role("tab", name="Drawing").click()
    await choose(page, "later")
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Much later")


async def test_the_mark_of_the_library_is_seen(signed_in: Page, server: ServerProcess) -> None:
    """Nothing lies over it, as its licence asks."""
    page = signed_in
    await opened(page, server, "diagrams/new")
    mark = page.locator(".bjs-powered-by")
    await expect(mark).to_be_visible()
    place = await mark.bounding_box()
    assert place is not None
    at = [place["x"] + place["width"] / 2, place["y"] + place["height"] / 2]
    assert await page.evaluate("([x, y]) => Boolean(document.elementFromPoint(x, y)?.closest('.bjs-powered-by'))", at)


def test_the_licence_of_the_library_is_shipped() -> None:
    """With its condition that the mark stays visible."""
    licences = (build_hook.DIST / "THIRD_PARTY_LICENSES").read_text()
    assert "bpmn-js 18" in licences
    assert "bpmn.io project" in licences
