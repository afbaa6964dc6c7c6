"""A change of a rule is kept as a draft, looked at, and published by somebody else."""

import pytest
from playwright.async_api import Browser, Page, expect

from bpm.testing import ADMINISTRATOR, PASSWORD, ServerProcess
from tests.console.conftest import PUBLISH, sign_in
from tests.console.test_screens import visit

pytestmark = pytest.mark.anyio


async def write_draft(page: Page, comment: str) -> None:
    """Change the description of the rule on the page, and keep that as a draft."""
    await page.get_by_label("Description required").fill("Orders of the new shop")
    await page.get_by_role("button", name="Save as draft").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("What it is for").fill(comment)
    await dialog.get_by_role("button", name="Save the draft").click()
    await expect(page.get_by_text(comment)).to_be_visible()


async def open_console(page: Page, server: ServerProcess, name: str, password: str) -> None:
    """Sign in on a page of one's own."""
    await page.goto(f"{server.url}/console/")
    await sign_in(page, name, password)
    await page.get_by_role("heading", name="Overview").wait_for()


async def test_a_draft_is_kept_compared_and_published(signed_in: Page, server: ServerProcess) -> None:
    """It is not live, its page shows what it changes, and the rule's page leads to it; published, it is history."""
    page, rule = signed_in, await server.rule("drafted", **PUBLISH)
    await visit(page, server, f"rules/{rule['id']}")
    await write_draft(page, "for the new shop")
    await expect(page.get_by_label("Changes to what is live")).to_contain_text("Orders of the new shop")
    assert (await server.cmd("GetWebHookConfigByIdQuery", id=rule["id"]))["description"] == rule["description"]
    await page.get_by_role("tab", name="Try it").click()
    await page.get_by_role("radio", name="One made up").check(force=True)
    await page.get_by_role("button", name="Try it").click()
    await expect(page.get_by_text("would be executed")).to_be_visible()
    await visit(page, server, f"rules/{rule['id']}")
    await page.get_by_role("link", name=f"A draft by {ADMINISTRATOR} waits").click()
    await page.get_by_role("button", name="Publish").click()
    await page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("Published; it answers at")).to_be_visible()
    await page.get_by_role("tab", name="History").click()
    await expect(page.get_by_label("Proof").get_by_text("for the new shop")).to_be_visible()
    live = await server.cmd("GetWebHookConfigByIdQuery", id=rule["id"])
    assert (live["description"], live["revision"]) == ("Orders of the new shop", 2)


async def test_a_rule_goes_back_to_an_earlier_revision(signed_in: Page, server: ServerProcess) -> None:
    """Restored from its history, it is what it was, as a new revision."""
    page, rule = signed_in, await server.rule("restored", **PUBLISH)
    await visit(page, server, f"rules/{rule['id']}")
    await page.get_by_label("Description required").fill("Another description")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("revision 2 by")).to_be_visible()
    await page.get_by_role("tab", name="History").click()
    await page.get_by_role("button", name="compare with the form").nth(1).click()
    await page.get_by_role("button", name="Restore", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="Restore", exact=True).click()
    await expect(page.get_by_text("revision 3 by")).to_be_visible()
    live = await server.cmd("GetWebHookConfigByIdQuery", id=rule["id"])
    assert live["description"] == rule["description"]


async def test_a_second_pair_of_eyes(browser: Browser) -> None:
    """Where the organisation wants it, one can save a draft only, and somebody else publishes it."""
    async with ServerProcess() as server:
        rule = await server.rule("reviewed", **PUBLISH)
        await server.cmd("UpdateOrganizationCommand", id=1, features={"ruleReview": True})
        await server.cmd("CreateUserCommand", username="grace", password="Correct-horse-9", roles=["admin"])
        author, reviewer = await browser.new_page(), await browser.new_page()
        await open_console(author, server, ADMINISTRATOR, PASSWORD)
        await visit(author, server, f"rules/{rule['id']}")
        await expect(author.get_by_text("somebody else publishes what you change")).to_be_visible()
        await expect(author.get_by_role("button", name="Publish")).to_have_count(0)
        await write_draft(author, "look at this")
        await expect(author.get_by_text("Publishing it is for somebody else")).to_be_visible()
        await expect(author.get_by_role("button", name="Publish")).to_be_disabled()
        await author.close()
        await open_console(reviewer, server, "grace", "Correct-horse-9")
        await visit(reviewer, server, "rules?list=drafts")
        await reviewer.get_by_role("link", name="reviewed").click()
        await reviewer.get_by_role("button", name="Publish").click()
        await reviewer.get_by_role("dialog").get_by_role("button", name="Publish").click()
        await expect(reviewer.get_by_text("Published; it answers at")).to_be_visible()
        await reviewer.close()
