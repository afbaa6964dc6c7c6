"""Runs of scripts: each shows what it was given and what it came to, and is run once more, as it was or changed."""

import pytest
from playwright.async_api import Page, expect

from bpm.testing import ServerProcess
from tests.console.conftest import sign_in
from tests.console.test_rule_page import write
from tests.console.test_screens import faults, visit

pytestmark = pytest.mark.anyio

CODE = 'send("PublishEventCommand", {"event": "till.seen", "data": {}})\nreturn payload["till"] + 1\n'
ONCE = {"attempts": 1, "backoffSeconds": [0.0]}


async def ran(server: ServerProcess, key: str, till: object) -> str:
    """Run a script of a rule with a value that it may or may not add to, and return the run's id."""
    await server.rule(key, executionType=2, executionCode=CODE, retry=ONCE)
    await server.hook(key, {"till": till})
    await server.settled()
    (request,) = await server.requests(configKey=key)
    (run,) = (await server.cmd("GetCodeRunListQuery", requestId=request["requestId"]))["items"]
    return run["runId"]


async def test_a_failed_run_is_mended_on_what_it_was_given(signed_in: Page, server: ServerProcess, axe: str) -> None:
    """From the list to the line at fault; the changed script is run with the same payload, and what differs is told."""
    page, run = signed_in, await ran(server, "till-broken", "seven")
    await visit(page, server, "scripts")
    await page.locator(f'tbody a[href$="{run}"]').focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("main .notice")).to_contain_text("Line 2: ")
    await expect(page.get_by_label("What it was given", exact=True)).to_contain_text('"seven"')
    await page.get_by_role("button", name="Run it once more").click()
    await expect(page.get_by_text("as it was", exact=True)).to_be_visible()
    assert await faults(page, axe) == []
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await faults(page, axe) == []
    await write(page, CODE.replace('payload["till"]', 'len(payload["till"])'))
    await page.get_by_role("button", name="Run it changed").click()
    await expect(page.get_by_text("not as it was", exact=True)).to_be_visible()
    await expect(page.get_by_text("result differs")).to_be_visible()
    await expect(page.get_by_label("What it comes to now", exact=True)).to_contain_text('"result": 6')


async def test_who_may_only_read_runs_nothing(page: Page, server: ServerProcess) -> None:
    """The script and what it came to are seen, without a button that would be refused."""
    run = await ran(server, "till-read", 7)
    await server.cmd("CreateUserCommand", username="runa", password="Correct-horse-7", roles=["viewer"])
    await sign_in(page, "runa", "Correct-horse-7")
    await page.get_by_role("heading", name="Overview").wait_for()
    await visit(page, server, f"scripts/{run}")
    await expect(page.get_by_label("What it came to", exact=True)).to_contain_text("8")
    await expect(page.get_by_label("Script", exact=True)).to_contain_text("till.seen")
    await expect(page.get_by_role("button", name="Run it once more")).to_have_count(0)
