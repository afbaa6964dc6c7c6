"""Pages that are nothing but a state: what is looked for is not there, not allowed, not fetched, or not there yet."""

import asyncio

import pytest
from playwright.async_api import Browser, Page, Route, expect

from bpm.testing import ServerProcess
from tests.console.conftest import LOOPBACK, sign_in
from tests.console.test_screens import faults, visit

pytestmark = pytest.mark.anyio

LOST = (
    "requests/01a2211b-3ce8-74eb-93ff-8c2249db9d63", "rules/9999", "rules/what", "drafts/9999", "bulk/9999",
    "processes/9999", "definitions/9999", "diagrams/9999", "decisions/9999", "tasks/2.99", "deliveries/9999",
    "subscriptions/9999", "scripts/nothing", "trace/nothing", "anything/NoSuchQuery", "nowhere",
)  # fmt: skip
"""Addresses of what is not there; every screen that shows one thing is among them."""
TITLE = "() => document.querySelector('h1').innerText + ' · BPM Bus'"


async def assert_headed(page: Page, axe: str) -> None:
    """The page has one heading of the first level, which the window is called by, and nothing keeps somebody out."""
    await expect(page.locator("h1")).to_have_count(1)
    await page.wait_for_function(f"({TITLE})() === document.title")
    assert await faults(page, axe) == []


async def test_what_is_not_there_is_told_under_a_heading(signed_in: Page, server: ServerProcess, axe: str) -> None:
    """By every screen that shows one thing."""
    page = signed_in
    for place in LOST:
        await visit(page, server, place)
        await expect(page.locator(".state")).to_be_visible()
        await assert_headed(page, axe)


async def test_what_may_not_be_seen_is_told_under_a_heading(page: Page, server: ServerProcess, axe: str) -> None:
    """A viewer is told so where the page of a drawing would be."""
    await server.cmd("CreateUserCommand", username="alma", password="Correct-horse-7", roles=["viewer"])
    await sign_in(page, "alma", "Correct-horse-7")
    await page.get_by_role("heading", name="Overview").wait_for()
    await visit(page, server, "diagrams/new")
    await expect(page.get_by_role("heading", level=1, name="You may not see this")).to_be_visible()
    await assert_headed(page, axe)


async def test_what_is_not_there_yet_has_a_heading(signed_in: Page, server: ServerProcess, axe: str) -> None:
    """While the server thinks, those who listen hear what the page is at."""
    page, answering = signed_in, asyncio.Event()

    async def hold(route: Route) -> None:
        await answering.wait()
        await route.continue_()

    await page.route("**/console/api/cmd", hold)
    await page.goto(f"{server.url}/console/#/requests/01a2211b-3ce8-74eb-93ff-8c2249db9d63")
    await expect(page.get_by_role("heading", level=1, name="Loading")).to_be_attached()
    assert await faults(page, axe) == []
    answering.set()
    await expect(page.locator(".state")).to_be_visible()
    await page.unroute_all(behavior="wait")


async def test_what_is_not_fetched_has_a_heading(signed_in: Page, server: ServerProcess, axe: str) -> None:
    """The code of a screen that does not come is told, and is asked for again."""
    page = signed_in
    await page.evaluate(axe)
    await page.route("**/*.js", lambda route: route.abort())
    await visit(page, server, "subscriptions/9999")
    await expect(page.get_by_role("heading", level=1, name="can't be fetched")).to_be_visible()
    await assert_headed(page, axe)


async def only_files(route: Route) -> None:
    """Let through what the page is made of, as if the server had gone after it was sent."""
    if route.request.resource_type == "fetch":
        await route.abort()
    else:
        await route.continue_()


async def test_a_start_without_a_server_has_a_heading(built: None, browser: Browser, axe: str) -> None:
    """Also the page that comes before anybody is signed in."""
    async with ServerProcess(**LOOPBACK) as server:
        page = await (await browser.new_context()).new_page()
        await page.route("**/*", only_files)
        await page.goto(f"{server.url}/console/")
        await expect(page.get_by_role("heading", level=1, name="can't be reached")).to_be_visible()
        assert await faults(page, axe) == []
        await page.context.close()
