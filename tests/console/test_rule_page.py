"""A rule is written, tried, compared and published on its page."""

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from bpm.testing import ServerProcess
from tests.console.conftest import PUBLISH, captured, sign_in
from tests.console.test_screens import visit

pytestmark = pytest.mark.anyio

SCRIPT = "return {'number': payload['number']}\n"


def editor(page: Page) -> Locator:
    """The editor of the script, in its shadow root."""
    return page.get_by_label("Script", exact=True).and_(page.locator(".cm-content"))


async def begin(page: Page, server: ServerProcess, key: str, kind: str) -> None:
    """Fill in what every rule has, and choose its kind of work."""
    await visit(page, server, "rules/new")
    await page.get_by_label("Key required").fill(key)
    await expect(page.get_by_label("Path required")).to_have_value(key)
    await page.get_by_label("Description required").fill(f"The rule {key}")
    await page.get_by_role("radio", name=kind).check(force=True)


async def create(page: Page) -> None:
    """Press the button, and wait until the rule is there."""
    await page.get_by_role("button", name="Create the rule").click()
    await expect(page.get_by_text("Created; it answers at")).to_be_visible()


async def write(page: Page, text: str) -> None:
    """Put a script in the place of the one that is there."""
    await editor(page).click()
    await page.keyboard.press("Control+a")
    await page.keyboard.insert_text(text)


async def rule_with(server: ServerProcess, key: str) -> dict[str, Any]:
    """The rule as the bus has it."""
    return await server.cmd("LookupWebHookByKeyCommand", key=key)


async def test_a_command_is_filled_from_the_request(signed_in: Page, server: ServerProcess) -> None:
    """Its fields stand in the form, each with a template."""
    page = signed_in
    await begin(page, server, "made-command", "Command")
    await page.get_by_label("Command required").fill("PublishEventCommand")
    await page.get_by_label("Fill each field from the field of the same name").uncheck()
    await page.get_by_label("event required").fill("order.seen")
    await page.get_by_label("data", exact=True).fill("{{payload}}")
    await create(page)
    rule = await rule_with(server, "made-command")
    assert rule["parameters"] == {"event": "order.seen", "data": "{{payload}}"}


async def test_a_chain_has_steps(signed_in: Page, server: ServerProcess) -> None:
    """They are added, named and put in order."""
    page = signed_in
    await begin(page, server, "made-chain", "Chain")
    await page.get_by_label("Command of step 1 required").fill("PublishEventCommand")
    await page.get_by_role("button", name="One more step").click()
    await page.get_by_label("Command of step 2 required").fill("PingQuery")
    await page.get_by_role("button", name="Step 2 earlier").click()
    await expect(page.get_by_label("Command of step 1 required")).to_have_value("PingQuery")
    await page.get_by_label("Only when").nth(1).fill("payload.number > 1")
    await create(page)
    rule = await rule_with(server, "made-chain")
    assert [step["commandName"] for step in rule["commandChain"]] == ["PingQuery", "PublishEventCommand"]
    assert rule["commandChain"][1]["when"] == "payload.number > 1"


async def test_a_process_is_chosen(signed_in: Page, server: ServerProcess) -> None:
    """From those that are deployed, with the variables that it begins with."""
    page = signed_in
    bpmn = (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="short" isExecutable="true">'
        '<startEvent id="a"/><endEvent id="b"/><sequenceFlow id="f" sourceRef="a" targetRef="b"/>'
        "</process></definitions>"
    )
    await server.cmd("CreateProcessDefinitionCommand", name="Short", bpmnXml=bpmn)
    await begin(page, server, "made-process", "Process")
    await page.get_by_label("Process required").select_option(label="Short, version 1")
    await page.get_by_label("Business key").fill("{{payload.number}}")
    await page.get_by_label("Name to add to variables").fill("number")
    await page.keyboard.press("Enter")
    await page.get_by_label("number", exact=True).fill("{{payload.number}}")
    await create(page)
    rule = await rule_with(server, "made-process")
    assert rule["businessKey"] == "{{payload.number}}"
    assert rule["parameters"] == {"number": "{{payload.number}}"}


async def test_a_script_says_its_problem_at_the_line(signed_in: Page, server: ServerProcess) -> None:
    """While one types, and when the server refuses it; what is not published yet is there after a reload."""
    page = signed_in
    await begin(page, server, "made-script", "Script")
    await write(page, "a = 1\nb = (\n")
    problems = page.get_by_label("Problems of script")
    await expect(problems.get_by_role("button").first).to_have_text("line 2, column 5")
    await page.get_by_role("button", name="Create the rule").click()
    await expect(page.get_by_role("alert").filter(has_text="line 2, column 5")).to_be_visible()
    await write(page, SCRIPT)
    await expect(problems.get_by_role("listitem")).to_have_count(0)
    await page.reload()
    await expect(editor(page)).to_contain_text("payload['number']")
    await create(page)
    assert (await rule_with(server, "made-script"))["executionCode"] == SCRIPT


async def test_a_script_is_completed_from_the_captured_request(signed_in: Page, server: ServerProcess) -> None:
    """The keys of its body stand in a list, with what they hold."""
    page, done = signed_in, await captured(server, "completed")
    await visit(page, server, "rules/new")
    await page.get_by_role("radio", name="Script").check(force=True)
    await page.get_by_label("Captured request", exact=True).select_option(done["requestId"])
    await expect(page.get_by_label("Its body", exact=True)).to_contain_text("Sandpiper")
    await write(page, "")
    await page.keyboard.type('payload["customer"]["')
    await expect(page.get_by_role("option", name="name")).to_be_visible()


async def test_a_change_is_proved_before_it_is_live(signed_in: Page, server: ServerProcess) -> None:
    """It is tried on a captured request, compared with all of them, published, and taken back from the history."""
    page = signed_in
    rule = await server.rule("proved", executionType=2, executionCode=SCRIPT)
    assert (await server.hook("proved", {"number": 7})).ok
    await server.settled()
    await visit(page, server, f"rules/{rule['id']}")
    await expect(page.get_by_role("button", name="Publish")).to_be_disabled()
    await page.get_by_role("button", name="Try it").click()
    await expect(page.get_by_label("What it would return", exact=True)).to_contain_text('"number": 7')

    await page.get_by_text("When it counts").click()
    await page.get_by_label("when", exact=True).fill("payload.number > 100")
    await page.get_by_label("order", exact=True).fill("1")
    await page.get_by_role("tab", name="Back-test").click()
    await page.get_by_role("button", name="Back-test").click()
    await expect(page.get_by_text("1 would change")).to_be_visible()
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("Revision 2 by admin")).to_be_visible()

    await page.get_by_role("tab", name="History").click()
    await page.get_by_role("button", name="compare with the form").nth(1).click()
    await expect(page.get_by_label("Changes since revision 1")).to_contain_text('+ when: "payload.number > 100"')
    await page.get_by_role("button", name="Take revision 1 into the form").click()
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("Revision 3 by admin")).to_be_visible()
    assert (await rule_with(server, "proved"))["when"] is None


async def test_a_rule_is_paused_and_deleted(signed_in: Page, server: ServerProcess) -> None:
    """Each asks first and says what will happen."""
    page = signed_in
    rule = await server.rule("short-lived", commandName="PingQuery")
    await visit(page, server, f"rules/{rule['id']}")
    await page.get_by_role("button", name="Pause").click()
    await page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    await expect(page.locator("h1")).to_contain_text("paused")
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.locator("h1")).to_have_text("Rules")


async def test_who_may_only_read_sees_the_rule_and_changes_nothing(page: Page, server: ServerProcess) -> None:
    """No button that would be refused, and no field that could be filled in."""
    await server.cmd("CreateUserCommand", username="rita", password="Correct-horse-7", roles=["viewer"])
    await sign_in(page, "rita", "Correct-horse-7")
    await page.get_by_role("heading", name="Overview").wait_for()
    rule = await rule_with(server, "orders")
    await visit(page, server, f"rules/{rule['id']}")
    await expect(page.get_by_label("Path required")).to_be_disabled()
    for name in ("Publish", "Delete", "Try it"):
        await expect(page.get_by_role("button", name=name)).to_have_count(0)


async def test_a_rule_that_is_kept_as_files_is_changed_only_on_purpose(signed_in: Page, server: ServerProcess) -> None:
    """Its page says so, and its form is closed until somebody opens it; what is changed then is of files no more."""
    page = signed_in
    part = {"kind": "rule", "key": "filed", "description": "of files", "isEnabled": True, "path": "filed"}
    parts = [{**part, "action": "POST", "executionType": 0, "commandName": "PingQuery"}]
    base = (await server.cmd("PlanConfigurationQuery", parts=parts))["base"]
    await server.cmd("ApplyConfigurationCommand", parts=parts, base=base)
    await visit(page, server, f"rules/{(await rule_with(server, 'filed'))['id']}")
    description = page.get_by_label("Description required")
    await expect(page.get_by_text("This rule is kept as files")).to_be_visible()
    await expect(description).to_be_disabled()
    await page.get_by_role("button", name="Change it here all the same").click()
    await description.fill("changed here")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("revision 2 by")).to_be_visible()
    await expect(page.get_by_text("This rule is kept as files")).to_have_count(0)


async def test_a_refusal_says_why_at_the_top(page: Page, server: ServerProcess) -> None:
    """Whoever mends rules and writes no scripts is told so where the button was pressed, whatever field it is about."""
    rule = await server.rule("scripted-by-others", executionType=2, executionCode=SCRIPT)
    await server.cmd("CreateUserCommand", username="olga-of-rules", password="Correct-horse-7", roles=["operator"])
    await sign_in(page, "olga-of-rules", "Correct-horse-7")
    await page.get_by_role("heading", name="Overview").wait_for()
    await visit(page, server, f"rules/{rule['id']}")
    await page.get_by_label("Description required").fill("another")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_role("alert")).to_contain_text("ExecuteCodeCommand needs code:write")


async def test_what_is_written_is_published_without_switching_the_rule(signed_in: Page, server: ServerProcess) -> None:
    """Whoever switches a rule off in the middle of a change publishes it later, and the rule stays off."""
    page = signed_in
    rule = await server.rule("switched", **PUBLISH)
    await visit(page, server, f"rules/{rule['id']}")
    await page.get_by_label("Description required").fill("written before it was off")
    await page.get_by_role("button", name="Switch off").click()
    await page.get_by_role("dialog").get_by_role("button", name="Switch off").click()
    await expect(page.get_by_role("button", name="Switch on")).to_be_visible()
    await expect(page.get_by_text("somebody has saved")).to_have_count(0)
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("Revision 3 by admin")).to_be_visible()
    after = await rule_with(server, "switched")
    assert after["description"] == "written before it was off"
    assert not after["isEnabled"]

    await page.get_by_role("tab", name="History").click()
    await page.get_by_role("button", name="compare with the form").last.click()
    await page.get_by_role("button", name="Take revision 1 into the form").click()
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("Revision 4 by admin")).to_be_visible()
    assert not (await rule_with(server, "switched"))["isEnabled"]


async def test_a_variable_begins_empty_and_may_be_emptied(signed_in: Page, server: ServerProcess) -> None:
    """Nothing stands in it before one writes, and it stays while one does."""
    page = signed_in
    await begin(page, server, "made-with-a-variable", "Process")
    await page.get_by_label("Name to add to variables").fill("amount")
    await page.get_by_role("button", name="Add", exact=True).click()
    amount = page.get_by_role("textbox", name="amount", exact=True)
    await expect(amount).to_have_value("")
    await amount.press_sequentially("{{payload.amount}}")
    await expect(amount).to_have_value("{{payload.amount}}")
    await amount.fill("")
    await expect(amount).to_have_value("")
    await page.get_by_role("button", name="Remove amount").click()
    await expect(amount).to_have_count(0)


async def test_a_request_that_comes_meanwhile_can_be_chosen(signed_in: Page, server: ServerProcess) -> None:
    """The first one of the rule takes the place of another rule's; what fails is not said to be executed."""
    page = signed_in
    rule = await server.rule("waits-for-one", executionType=2, executionCode=SCRIPT)
    await visit(page, server, f"rules/{rule['id']}")
    chosen = page.get_by_label("Captured request", exact=True)
    await expect(chosen).not_to_contain_text("/waits-for-one")
    await server.hook("waits-for-one", {"number": 1})
    await expect(chosen.locator("option:checked")).to_contain_text("/waits-for-one")
    await server.settled()
    await server.hook("waits-for-one", {"word": "no number"})
    await expect(chosen.locator("option", has_text="/waits-for-one")).to_have_count(2)
    await chosen.select_option(index=0)
    await expect(page.get_by_label("Its body", exact=True)).to_contain_text("no number")
    await page.get_by_role("button", name="Try it").click()
    await expect(page.get_by_text("would fail", exact=True)).to_be_visible()


async def test_a_signature_begins_with_what_most_need(signed_in: Page, server: ServerProcess) -> None:
    """Its scheme and its secret stand open, the many fields of a scheme of one's own below."""
    page = signed_in
    await begin(page, server, "made-signed", "Command")
    await page.get_by_text("Who may send").click()
    await page.get_by_role("button", name="signature", exact=True).click()
    await expect(page.get_by_label("scheme required")).to_be_visible()
    await expect(page.get_by_label("secret", exact=True)).to_be_visible()
    await expect(page.get_by_label("signedContent")).to_be_hidden()
    await page.get_by_text("further fields").click()
    await expect(page.get_by_label("signedContent")).to_be_visible()


async def test_a_script_is_typed_over(signed_in: Page, server: ServerProcess) -> None:
    """The browser would keep the look of what was chosen, by a style that the policy forbids; brackets go around it."""
    page = signed_in
    await begin(page, server, "made-by-typing", "Script")
    await write(page, "return 1")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("number = 1")
    await page.keyboard.press("Shift+Home")
    await page.keyboard.type("(")
    await page.keyboard.press("End")
    await expect(editor(page)).to_have_text("(number = 1)")
    await page.keyboard.press("Control+z")
    await expect(editor(page)).to_have_text("number = 1")
