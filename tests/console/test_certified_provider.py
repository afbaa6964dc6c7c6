"""Signing in with a real browser at a real provider: both keep cookies, show pages and lead on as they see fit."""

import json
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from bpm.testing import ADMINISTRATOR, ServerProcess
from bpm.web.console.oidc.provider import CALLBACK
from tests.certified_provider import CertifiedProvider
from tests.console.conftest import VIOLATIONS

pytestmark = pytest.mark.anyio

ROLES = {"bus-viewers": ["viewer"], "bus-admins": ["admin"]}
BUTTON = "Sign in with Bank login"


class Place(NamedTuple):
    """A server, the provider before it, and a browser."""

    server: ServerProcess
    provider: CertifiedProvider
    context: BrowserContext


def environment(provider: CertifiedProvider, **changes: str) -> dict[str, str]:
    """Return the settings of a server as variables."""
    settings = provider.settings(name="Bank login", roles=json.dumps(ROLES), break_glass_user=ADMINISTRATOR) | changes
    return {f"BPM_OIDC__{name.upper()}": str(value) for name, value in settings.items()}


@pytest.fixture
async def place(built: None, browser: Browser) -> AsyncIterator[Place]:
    """Vera administers."""
    server = ServerProcess()
    async with CertifiedProvider(f"{server.url}{CALLBACK}") as provider:
        provider.tell("subject-1", preferred_username="vera", groups=["bus-admins"])
        server.environment |= environment(provider)
        async with server:
            context = await browser.new_context(viewport={"width": 1280, "height": 800})
            await context.route("https://fonts.googleapis.com/**", lambda route: route.abort())
            yield Place(server, provider, context)
            await context.close()


async def console(place: Place, context: BrowserContext | None = None) -> Page:
    """A page that nobody is signed in with; nothing on it may breach the policy."""
    page = await (context or place.context).new_page()
    page.set_default_timeout(60_000)
    await page.add_init_script(VIOLATIONS)
    await page.goto(f"{place.server.url}/console/#/rules")
    return page


async def walk(page: Page) -> None:
    """Sign in at the provider, and let it tell the console about oneself."""
    await page.get_by_role("button", name=BUTTON).click()
    await page.get_by_placeholder("Enter any login").fill("subject-1")
    await page.get_by_placeholder("and password").fill("any")
    await page.get_by_role("button", name="Sign-in").click()
    await page.get_by_role("button", name="Continue").click()


async def test_rights_come_and_go_with_groups(place: Place, browser: Browser) -> None:
    """One comes back where one was; what a group gave is gone at the next sign-in, in every browser."""
    page = await console(place)
    await walk(page)
    await page.get_by_role("heading", name="Rules").wait_for()
    await page.get_by_role("link", name="New rule").wait_for()
    assert page.url == f"{place.server.url}/console/#/rules"
    place.provider.tell("subject-1", preferred_username="vera", groups=["bus-viewers"])
    async with await browser.new_context() as other:
        await other.route("https://fonts.googleapis.com/**", lambda route: route.abort())
        second = await console(place, other)
        await walk(second)
        await second.get_by_role("heading", name="Rules").wait_for()
        await page.reload()
        await page.get_by_role("heading", name="Rules").wait_for()
        for each in (page, second):
            await expect(each.get_by_role("link", name="New rule")).to_have_count(0)
        place.provider.tell("subject-1", preferred_username="vera", groups=[])
        await second.get_by_role("button", name="Sign out").click()
        await second.get_by_role("button", name=BUTTON).click()
        await expect(second.get_by_role("alert")).to_contain_text("None of your groups has a role here")
    await page.reload()
    await page.get_by_role("button", name=BUTTON).wait_for()
    assert not await page.evaluate("window.violations ?? []")


async def test_signing_out_leaves_the_session_at_the_provider(place: Place) -> None:
    """So the next sign-in asks for nothing, as the pages say."""
    page = await console(place)
    await walk(page)
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("button", name=BUTTON).click()
    await page.get_by_role("button", name="Sign out").wait_for()
    assert {dict(cookie)["name"] for cookie in await place.context.cookies()} >= {"bpm-session", "_session"}


async def test_who_turns_back_at_the_provider_reads_so(place: Place) -> None:
    """And can begin again."""
    page = await console(place)
    await page.get_by_role("button", name=BUTTON).click()
    await page.get_by_role("link", name="Cancel").click()
    await expect(page.get_by_role("alert")).to_contain_text("The provider did not sign you in")
    await walk(page)
    await page.get_by_role("heading", name="Rules").wait_for()


@pytest.mark.parametrize(
    ("changes", "told", "log"),
    [
        ({"client_secret": "another"}, "could not be verified", "invalid_client"),
        ({"issuer": "{}/"}, "it calls itself", "it is of another issuer than BPM_OIDC__ISSUER"),
    ],
    ids=["wrong secret", "another issuer"],
)
async def test_a_setting_that_is_wrong_is_told(place: Place, changes: dict[str, str], told: str, log: str) -> None:
    """On the page as far as it concerns everybody, in the log for whoever looks after the server."""
    wrong = {name: value.format(place.provider.issuer) for name, value in changes.items()}
    await place.server.stop()
    place.server.environment |= environment(place.provider, **wrong)
    await place.server.start()
    page = await console(place)
    if "issuer" in changes:
        await page.get_by_role("button", name=BUTTON).click()
    else:
        await walk(page)
    await expect(page.get_by_role("alert")).to_contain_text(told)
    assert log in place.server.log
