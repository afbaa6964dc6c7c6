"""What is being written or looked at outlives what comes between: a reload, somebody faster, a server that is away."""

import pytest
from playwright.async_api import Browser, Page, expect

from bpm.testing import ServerProcess
from tests.console.conftest import LOOPBACK, PUBLISH, sign_in
from tests.console.test_process_pages import begin
from tests.console.test_screens import visit

pytestmark = pytest.mark.anyio


async def test_a_server_that_was_away_is_asked_again(built: None, browser: Browser) -> None:
    """The page says that it is away and keeps what it shows; when it is back, lists and screens go on by themselves."""
    async with ServerProcess(**LOOPBACK) as server:
        await server.rule("away", **PUBLISH)
        page = await (await browser.new_context()).new_page()
        await page.goto(f"{server.url}/console/")
        await sign_in(page)
        await page.get_by_role("heading", name="Overview").wait_for()
        await visit(page, server, "rules")
        await page.get_by_role("cell", name="away", exact=True).wait_for()
        await server.stop()
        await page.get_by_role("button", name="Ask again").click()
        await expect(page.locator("main > .notice")).to_contain_text("can't be reached")
        await expect(page.get_by_role("cell", name="away", exact=True)).to_be_visible()
        await page.get_by_role("link", name="Processes").click()
        await expect(page.get_by_role("heading", name="The server can't be reached")).to_be_visible()
        await server.start()
        await expect(page.get_by_text("An instance begins with")).to_be_visible()
        await expect(page.locator("main > .notice")).to_have_count(0)
        await page.context.close()


async def test_a_half_written_message_outlives_a_reload(signed_in: Page, server: ServerProcess) -> None:
    """Without its secrets, and until it is sent."""
    page = signed_in
    await visit(page, server, "anything/CreateUserCommand")
    await page.get_by_label("username required").fill("half-written")
    await page.get_by_label("password", exact=True).fill("not-to-be-kept-9")
    await page.reload()
    await expect(page.get_by_label("username required")).to_have_value("half-written")
    kept: str = await page.evaluate("JSON.stringify(sessionStorage)")
    assert "half-written" in kept
    assert "not-to-be-kept-9" not in kept
    await page.get_by_label("password", exact=True).fill("Correct-horse-battery-9")
    await page.get_by_role("button", name="Send the command").click()
    await expect(page.get_by_label("Data", exact=True)).to_contain_text("half-written")
    await page.reload()
    await expect(page.get_by_label("username required")).to_have_value("")


async def test_a_half_filled_task_outlives_a_reload(signed_in: Page, server: ServerProcess) -> None:
    """It is forgotten when the task is completed."""
    page, instance = signed_in, await begin(server, 500)
    await visit(page, server, f"tasks/{instance}.2")
    await page.get_by_label("What it came to").fill('{"amount": 15}')
    await page.reload()
    await expect(page.get_by_label("What it came to")).to_have_value('{"amount": 15}')
    await page.get_by_role("button", name="Complete the task").click()
    await expect(page.locator("h1")).to_contain_text("completed")
    assert f"tasks/{instance}" not in await page.evaluate("JSON.stringify(sessionStorage)")


async def test_nobody_is_overwritten_after_a_reload(signed_in: Page, server: ServerProcess) -> None:
    """Who wrote from an older revision is told, is refused, and goes on only on purpose."""
    page, rule = signed_in, await server.rule("overtaken", **PUBLISH)
    await visit(page, server, f"rules/{rule['id']}")
    await page.get_by_label("Description required").fill("Mine")
    changes = {"description": "Theirs", "isEnabled": True, "path": "overtaken", "action": "POST", "executionType": 0}
    await server.cmd("UpdateWebHookConfigCommand", id=rule["id"], revision=1, **changes, **PUBLISH)
    await page.reload()
    await expect(page.get_by_label("Description required")).to_have_value("Mine")
    await expect(page.locator("main > .notice")).to_contain_text("somebody has saved revision 2")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.locator("main > .notice", has_text="409")).to_be_visible()
    assert (await server.cmd("GetWebHookConfigByIdQuery", id=rule["id"]))["description"] == "Theirs"
    await page.get_by_role("button", name="Go on with mine").click()
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_text("revision 3 by")).to_be_visible()
    assert (await server.cmd("GetWebHookConfigByIdQuery", id=rule["id"]))["description"] == "Mine"


async def test_text_that_is_selected_to_beyond_a_dialog_is_not_lost(signed_in: Page, server: ServerProcess) -> None:
    """Only a press beside the dialog closes it, not one that ends there."""
    page = signed_in
    await visit(page, server, "administration?list=users")
    await page.get_by_role("button", name="New user").click()
    name = page.get_by_role("dialog").get_by_label("User name")
    await name.fill("selected by mouse")
    box = await name.bounding_box()
    assert box
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 10)
    await page.mouse.down()
    await page.mouse.move(4, box["y"] + 10)
    await page.mouse.up()
    await expect(name).to_have_value("selected by mouse")
    await page.mouse.click(4, 4)
    await expect(page.get_by_role("dialog")).to_have_count(0)
