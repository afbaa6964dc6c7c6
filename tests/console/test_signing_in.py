"""Signing in with a browser, and what it does with the cookie."""

import re
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from bpm.testing import ADMINISTRATOR, PASSWORD, ServerProcess, WebhookReceiver
from tests.console.conftest import sign_in

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_browser_on_the_same_machine_stays_signed_in(page: Page, server: ServerProcess, host: str) -> None:
    """Over http at both names of this machine; scripts see nothing of it, and signing out ends it."""
    await page.goto(f"http://{host}:{server.port}/")
    await sign_in(page, password="wrong-pass-1234")
    await expect(page.get_by_role("alert")).to_contain_text("wrong")
    await sign_in(page)
    await page.get_by_role("heading", name="Overview").wait_for()
    await page.reload()
    await page.get_by_role("heading", name="Overview").wait_for()
    (cookie,) = [dict(cookie) for cookie in await page.context.cookies()]
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("bpm-session", True, "Strict")
    assert await page.evaluate("document.cookie") == ""
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_label("User name").wait_for()
    assert await page.context.cookies() == []


async def test_a_session_that_ends_in_mid_edit_loses_nothing(signed_in: Page, server: ServerProcess) -> None:
    """The dialog asks for the password over the page, and what was being sent is sent then."""
    page = signed_in
    await page.goto(f"{server.url}/console/#/anything/PublishEventCommand")
    await page.get_by_label("event required").fill("half.written")
    await page.context.clear_cookies()
    await page.get_by_role("button", name="Send the command").click()
    await page.get_by_role("dialog", name="Your session has ended").wait_for()
    assert await page.get_by_label("User name").input_value() == ADMINISTRATOR
    await sign_in(page)
    await expect(page.get_by_text("half.written").last).to_be_visible()
    await expect(page.get_by_label("event required")).to_have_value("half.written")


async def test_no_page_of_another_port_acts_with_the_cookie(signed_in: Page, server: ServerProcess) -> None:
    """The browser itself says whose page sends; a neighbour on the same host changes nothing and reads nothing."""
    page = signed_in
    before = (await server.cmd("GetUserListQuery"))["totalCount"]
    async with WebhookReceiver() as neighbour:
        port = urlsplit(neighbour.url).port
        await page.goto(f"http://127.0.0.1:{port}/")
        sent = """async ([url, type]) => {
            const body = JSON.stringify({$type: "CreateUserCommand", username: "evil"})
            const headers = {"content-type": type}
            for (const mode of ["cors", "no-cors"])
                await fetch(url, {method: "POST", credentials: "include", mode, headers, body}).catch(() => 0)
        }"""
        for kind in ("application/json", "text/plain"):
            await page.evaluate(sent, [f"{server.url}/console/api/cmd", kind])
        await page.goto(f"{server.url}/console/")
    assert (await server.cmd("GetUserListQuery"))["totalCount"] == before


async def test_signing_out_everywhere_ends_other_browsers(signed_in: Page, server: ServerProcess) -> None:
    """Another browser of the same user is asked for the password at what it does next."""
    assert signed_in.context.browser is not None
    other = await (await signed_in.context.browser.new_context()).new_page()
    await other.goto(f"{server.url}/console/")
    await sign_in(other)
    await other.get_by_role("heading", name="Overview").wait_for()
    await signed_in.goto(f"{server.url}/console/#/administration")
    await signed_in.get_by_role("button", name="Sign out everywhere").click()
    await signed_in.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    await signed_in.get_by_role("dialog", name="Your session has ended").wait_for()
    await other.evaluate("location.hash = '#/requests'")  # the dialog may be there before a click
    await other.get_by_role("dialog", name="Your session has ended").wait_for()
    await other.context.close()
    await server.sign_in(ADMINISTRATOR, PASSWORD)


async def test_the_first_sign_in_leads_to_where_one_begins(built: None, browser: Browser) -> None:
    """With the password that the first start printed; the overview of an empty installation says what to do."""
    server = ServerProcess()
    for name in ("BPM_ADMIN_USERNAME", "BPM_ADMIN_PASSWORD"):
        del server.environment[name]
    async with AsyncExitStack() as stack:
        stack.push_async_exit(server)  # nobody signs in on the way in
        await server.start()
        (printed,) = re.findall(r"One-time shown password: (\S+)", server.log)
        page = await (await browser.new_context()).new_page()
        await page.goto(f"{server.url}/console/")
        await sign_in(page, "admin", printed)
        await page.get_by_role("link", name="Create a rule").click()
        await expect(page.get_by_role("heading", level=1, name="New rule")).to_be_visible()
        await expect(page.get_by_text("Nothing was captured yet")).to_be_visible()
        await page.context.close()
