"""Failures are driven again by their reason, a group at a time."""

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from bpm.testing import ServerProcess
from tests.console.test_screens import visit

pytestmark = pytest.mark.anyio

ONCE = {"attempts": 1, "backoffSeconds": [0.0]}
PUBLISH = {"commandName": "PublishEventCommand", "parameters": {"event": "{{payload.kind}}"}}


async def fail(server: ServerProcess, key: str, count: int) -> dict[str, object]:
    """Bring about so many requests that are dead for the same reason, and return their rule."""
    rule = await server.rule(key, **PUBLISH, retry=ONCE)
    for number in range(count):
        await server.hook(key, {"number": number})
    await server.settled()
    assert len(await server.requests(configKey=key, state="dead")) == count
    return rule


async def test_a_group_is_driven_again(signed_in: Page, server: ServerProcess) -> None:
    """After its rule was mended every request of it is done; each of them stands in the list of what was touched."""
    page, rule = signed_in, await fail(server, "grouped", 12)
    await visit(page, server, "dead")
    group = page.locator(".groups > li", has_text="grouped, revision 1")
    await expect(group.locator(".number")).to_have_text("12")
    mended = {"parameters": {"event": "mended"}, "commandName": "PublishEventCommand", "executionType": 0}
    usual = {"description": "d", "isEnabled": True, "path": "grouped", "action": "POST", "retry": ONCE}
    await server.cmd("UpdateWebHookConfigCommand", id=rule["id"], **mended, **usual)
    await group.get_by_role("button", name="Drive them again").click()
    await page.get_by_role("button", name="Drive 12 again").click()
    await expect(page.get_by_text("12 of 12 touched; done")).to_be_visible()
    await expect(page.get_by_label("What was touched").get_by_role("listitem")).to_have_count(12)
    await page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    await expect(group).to_have_count(0)
    await server.settled()
    assert len(await server.requests(configKey="grouped", state="done")) == 12


async def test_it_is_stopped_in_the_middle(signed_in: Page, server: ServerProcess) -> None:
    """What was touched by then is listed, and the rest stays as it was."""
    page, _ = signed_in, await fail(server, "stopped", 25)
    await visit(page, server, "dead")
    await page.locator(".groups > li", has_text="stopped, revision 1").get_by_role("button", name="Drive them").click()
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        if "ReplayInboundRequestsCommand" in (route.request.post_data or ""):
            await held.wait()
        await route.continue_()

    await page.route("**/api/cmd", hold)
    await page.get_by_role("button", name="Drive 25 again").click()
    await expect(page.get_by_text("0 of 25 touched")).to_be_visible()
    await page.get_by_role("button", name="Stop").click()
    held.set()
    await expect(page.get_by_text("10 of 25 touched; stopped")).to_be_visible()
    await expect(page.get_by_label("What was touched").get_by_role("listitem")).to_have_count(10)
    touched = [row for row in await server.requests(configKey="stopped") if row["replayCount"]]
    assert len(touched) == 10
