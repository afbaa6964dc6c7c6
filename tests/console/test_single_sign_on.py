"""Signing in through a provider with a real browser, which goes there and comes back."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from playwright.async_api import Browser, Page, expect

from bpm.testing import ADMINISTRATOR, ServerProcess
from tests.console.conftest import VIOLATIONS, sign_in
from tests.identity_provider import IdentityProvider

pytestmark = pytest.mark.anyio

ROLES = '{"bus-viewers": ["viewer"], "bus-admins": ["admin"]}'


class Place(NamedTuple):
    """A server, the provider before it, and a page that nobody is signed in with."""

    server: ServerProcess
    provider: IdentityProvider
    page: Page


@pytest.fixture
async def place(built: None, browser: Browser) -> AsyncIterator[Place]:
    """The administrator alone may use a password; the provider asks before it leads back."""
    async with IdentityProvider() as provider:
        provider.asks_first = True
        settings = {
            "BPM_OIDC__ROLES": ROLES,
            "BPM_OIDC__CREATE_USERS": "true",
            "BPM_OIDC__BREAK_GLASS_USER": ADMINISTRATOR,
        }
        async with ServerProcess(**provider.environment(**settings)) as server:
            context = await browser.new_context(viewport={"width": 1280, "height": 800})
            page = await context.new_page()
            page.set_default_timeout(60_000)
            await page.add_init_script(VIOLATIONS)
            await page.goto(f"{server.url}/console/#/requests?state=done")
            yield Place(server, provider, page)
            breaches: list[str] = await page.evaluate("window.violations ?? []")
            await context.close()
            assert not breaches


async def test_a_browser_goes_to_the_provider_and_comes_back_where_it_was(place: Place) -> None:
    """With the rights of its groups; signing out ends it, and the sign-in page offers both ways again."""
    page = place.page
    await page.get_by_role("button", name="Sign in with Bank login").click()
    await page.get_by_role("link", name="Go on as vera").click()
    await page.get_by_role("heading", name="Requests").wait_for()
    assert page.url == f"{place.server.url}/console/#/requests?state=done"
    await expect(page.get_by_text("vera", exact=True)).to_be_visible()
    cookies = {dict(cookie)["name"]: dict(cookie) for cookie in await page.context.cookies()}
    assert (cookies["bpm-session"]["httpOnly"], cookies["bpm-session"]["sameSite"]) == (True, "Strict")
    await page.reload()
    await page.get_by_role("heading", name="Requests").wait_for()
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("button", name="Sign in with Bank login").wait_for()
    assert not await page.get_by_label("Password").is_visible()
    await page.get_by_text("Break glass: sign in with a password").click()
    await sign_in(page)
    await page.get_by_role("button", name="Sign out").wait_for()


async def test_who_is_refused_reads_why(place: Place) -> None:
    """In words of the console's own, once: a reload no longer says so."""
    page = place.page
    place.provider.account.groups = []
    await page.get_by_role("button", name="Sign in with Bank login").click()
    await page.get_by_role("link", name="Go on as vera").click()
    await expect(page.get_by_role("alert")).to_contain_text("None of your groups has a role here")
    await page.reload()
    await page.get_by_role("button", name="Sign in with Bank login").wait_for()
    assert await page.get_by_role("alert").count() == 0


async def test_a_session_that_ends_in_mid_edit_loses_nothing(place: Place) -> None:
    """One signs in with a window beside the page, which stays as it is and sends what was being sent."""
    page = place.page
    place.provider.account.groups = ["bus-admins"]
    await page.get_by_role("button", name="Sign in with Bank login").click()
    await page.get_by_role("link", name="Go on as vera").click()
    await page.get_by_role("heading", name="Requests").wait_for()
    await page.goto(f"{place.server.url}/console/#/anything/PublishEventCommand")
    await page.get_by_label("event required").fill("half.written")
    await page.context.clear_cookies()
    await page.get_by_role("button", name="Send the command").click()
    dialog = page.get_by_role("dialog", name="Your session has ended")
    async with page.expect_popup() as opened:
        await dialog.get_by_role("button", name="Sign in with Bank login").click()
    window = await opened.value
    await window.get_by_role("link", name="Go on as vera").click()
    await dialog.wait_for(state="hidden")
    await expect(page.get_by_text("half.written").last).to_be_visible()
    await expect(page.get_by_label("event required")).to_have_value("half.written")
