"""Screens are live by the stream, and end with the session."""

import pytest
from playwright.async_api import Page, Route, expect

from bpm.testing import ServerProcess
from tests.console.conftest import captured, sign_in
from tests.console.test_screens import visit

pytestmark = pytest.mark.anyio


async def test_a_screen_is_live_without_asking(signed_in: Page, server: ServerProcess) -> None:
    """What changes comes by the stream; when the session is ended elsewhere, the page asks for the password."""
    page, _ = signed_in, await captured(server, "live")
    async with page.expect_response("**/console/api/feed"):
        await visit(page, server, "requests?rule=live")
    await expect(page.locator("tbody tr")).to_have_count(1)

    async def refuse(route: Route) -> None:
        asks = "GetInboundRequestListQuery" in (route.request.post_data or "")
        await (route.abort() if asks else route.continue_())

    await page.route("**/console/api/cmd", refuse)
    await server.hook("live", {"number": "new"})
    await expect(page.get_by_text("1 new")).to_be_visible(timeout=15_000)
    await page.unroute("**/console/api/cmd")
    for session in (await server.cmd("GetSessionListQuery", pageSize=200))["items"]:
        if session["isOpen"]:
            await server.cmd("EndSessionCommand", id=session["id"])
    await expect(page.get_by_role("dialog").get_by_label("Password")).to_be_visible(timeout=15_000)
    await sign_in(page)
    await expect(page.get_by_role("dialog")).to_have_count(0)
