"""Decision tables are written, tried and deployed in the browser."""

import pytest
from playwright.async_api import Page, expect

from bpm.testing import ServerProcess
from tests.console.conftest import sign_in
from tests.console.test_screens import faults, visit

pytestmark = pytest.mark.anyio

TWO = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">
<decision id="{key}" name="Risk"><variable name="risk"/><decisionTable hitPolicy="FIRST">
<input label="Age"><inputExpression typeRef="number"><text>age</text></inputExpression></input><output name="risk"/>
<rule><inputEntry><text>&lt; 25</text></inputEntry><outputEntry><text>"high"</text></outputEntry></rule>
<rule><inputEntry><text>-</text></inputEntry><outputEntry><text>"low"</text></outputEntry></rule>
</decisionTable></decision>
<decision id="{key}-premium" name="Premium">
<informationRequirement><requiredDecision href="#{key}"/></informationRequirement>
<literalExpression><text>if risk = "high" then 200 else 100</text></literalExpression></decision></definitions>"""


async def write(page: Page, cells: dict[str, str]) -> None:
    """Fill cells by their labels."""
    for label, text in cells.items():
        await page.get_by_label(label, exact=True).fill(text)


@pytest.mark.parametrize("width", [1280, 390])
async def test_a_decision_is_written_tried_and_deployed(
    signed_in: Page, server: ServerProcess, axe: str, width: int
) -> None:
    """The rule that matches is seen, and a problem stands in its cell until it is mended."""
    page, key = signed_in, f"discount-{width}"
    await page.set_viewport_size({"width": width, "height": 844})
    await visit(page, server, "decisions/new")
    await page.get_by_label("Id required").fill(key)
    await page.get_by_label("Id required").press("Enter")
    await write(page, {"Name": f"Discount {width}", "Rule 1, input 1": "< 100", "Rule 1, output 1": '"none"'})
    await page.get_by_role("button", name="Add a rule").click()
    await write(page, {"Rule 2, input 1": ">= 100 +", "Rule 2, output 1": '"tenth"'})
    await expect(page.locator("td.is-wrong")).to_have_count(1)
    await page.get_by_role("button", name="rule 2, input 1", exact=True).click()
    await expect(page.get_by_label("Rule 2, input 1", exact=True)).to_be_focused()
    await write(page, {"Rule 2, input 1": ">= 100", "Value for input 1": "250"})
    await expect(page.locator("tr.is-matched th")).to_contain_text("2")
    await expect(page.get_by_label("Result result")).to_have_text("tenth")
    await expect(page.locator(".flaws")).to_contain_text("ready to deploy")
    assert await faults(page, axe) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.get_by_role("button", name="Deploy", exact=True).click()
    await expect(page.get_by_text("Deployed as version 1")).to_be_visible()
    evaluated = await server.cmd("EvaluateDecisionQuery", key=key, variables={"amount": 3})
    assert evaluated["result"] == "none"


async def test_columns_and_rules_come_and_go(signed_in: Page, server: ServerProcess) -> None:
    """What is tried with several columns gives a value in each; two rules for UNIQUE are told."""
    page = signed_in
    await visit(page, server, "decisions/new")
    await page.get_by_role("button", name="Add an input").click()
    await page.get_by_role("button", name="Add an output").click()
    await write(page, {
        "What input 2 looks at": "customer.tier", "Rule 1, input 1": "> 1", "Rule 1, input 2": '"gold"',
        "Rule 1, output 1": '"yes"', "Rule 1, output 2": "amount * 2", "Note of rule 1": "Good customers",
    })  # fmt: skip
    await page.get_by_label("Type of output 2").select_option("number")
    await page.get_by_label("Rule 1, input 1", exact=True).press("Control+Enter")
    await write(page, {"Rule 2, output 1": '"no"', "Value for input 1": "21", "Value for input 2": "gold"})
    await expect(page.get_by_label("Result result2")).to_have_text("42")
    await page.get_by_label("Which rules count").select_option("UNIQUE")
    await expect(page.locator(".trial .problem")).to_contain_text("2 rules match")
    await page.get_by_role("button", name="Rule 2 earlier").click()
    await expect(page.get_by_label("Rule 1, output 1", exact=True)).to_have_value('"no"')
    await page.get_by_role("button", name="Remove rule 1").click()
    await page.get_by_role("button", name="Remove input 2").click()
    await expect(page.locator("tr.is-matched")).to_have_count(1)
    await expect(page.get_by_label("Rule 1, input 2", exact=True)).to_have_count(0)


async def test_a_file_of_several_decisions_is_edited(signed_in: Page, server: ServerProcess) -> None:
    """Each is shown; nothing is deployed over a newer version, and what was written is still there."""
    page = signed_in
    made = await server.cmd("CreateDecisionDefinitionCommand", dmnXml=TWO.format(key="risk"))
    await visit(page, server, f"decisions/{made[1]['id']}")
    await expect(page.get_by_label("Expression", exact=True)).to_have_value('if risk = "high" then 200 else 100')
    await page.get_by_label("Expression", exact=True).fill('if risk = "high" then 300 else 100')
    await page.get_by_label("Decision", exact=True).select_option("risk")
    await page.get_by_label("Rule 1, input 1", exact=True).fill("< 30")
    await server.cmd("CreateDecisionDefinitionCommand", dmnXml=TWO.format(key="risk"))
    await page.get_by_role("button", name="Deploy", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("version 2 of risk was deployed meanwhile")
    await page.reload()
    await page.get_by_label("Decision", exact=True).select_option("risk")
    await expect(page.get_by_label("Rule 1, input 1", exact=True)).to_have_value("< 30")


async def test_a_viewer_reads_a_decision(page: Page, server: ServerProcess) -> None:
    """And is offered nothing that would be refused."""
    (made, _) = await server.cmd("CreateDecisionDefinitionCommand", dmnXml=TWO.format(key="seen"))
    await server.cmd("CreateUserCommand", username="vincent", password="Correct-horse-7", roles=["viewer"])
    await sign_in(page, "vincent", "Correct-horse-7")
    await page.get_by_role("heading", name="Overview").wait_for()
    await visit(page, server, f"decisions/{made['id']}")
    await expect(page.get_by_label("Rule 1, input 1", exact=True)).to_be_disabled()
    await expect(page.get_by_role("button", name="Deploy", exact=True)).to_have_count(0)


async def test_versions_of_a_decision_are_compared(signed_in: Page, server: ServerProcess) -> None:
    """The rule that differs is listed with what it was and is."""
    page, file = signed_in, TWO.format(key="compared").replace("<rule>", '<rule id="young">', 1)
    made = [
        await server.cmd("CreateDecisionDefinitionCommand", dmnXml=file.replace("25", each)) for each in ("25", "30")
    ]
    await visit(page, server, f"decisions/{made[1][0]['id']}")
    await page.get_by_role("tab", name="Versions").click()
    await page.get_by_label("Compare with").select_option(str(made[0][0]["id"]))
    await expect(page.locator(".differences del")).to_have_text("< 25")
    await expect(page.locator(".differences ins")).to_have_text("< 30")
