"""A server with rules and requests of every outcome, and a real browser before it.

Without Chromium, which `make browser` installs, what needs one is left out and says so.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from bpm.testing import ADMINISTRATOR, PASSWORD, ServerProcess, until
from bpm.web.console import build_hook

expect.set_options(timeout=60_000)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
VIOLATIONS = """
window.violations = []
addEventListener("securitypolicyviolation", ({violatedDirective, blockedURI}) =>
    violations.push(violatedDirective + " " + blockedURI))
"""
PUBLISH = {"commandName": "PublishEventCommand", "parameters": {"event": "order.created", "data": "{{payload}}"}}
REFUND = (Path(__file__).parent / "refund.bpmn").read_text()
"""A process with a drawing: large refunds wait for somebody, and one of 5 fails."""
LOOPBACK = {"BPM_DELIVERY__PROBE": "off", "BPM_DELIVERY__ALLOWED_NETWORKS": "127.0.0.0/8"}
"""Receivers of tests listen on this machine."""
BROKEN = {"commandName": "PublishEventCommand", "parameters": {"event": "{{payload.missing}}"}}


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """The console as its sources are now."""
    if os.environ.get(build_hook.SKIP) == "1":
        pytest.skip(f"{build_hook.SKIP}=1 leaves the console out")
    build_hook.build()


@pytest.fixture(scope="session")
def axe() -> str:
    """The checks of axe-core, as npm has it."""
    build_hook.install("axe-core")
    return (build_hook.APP / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, without a window."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium; `make browser` installs it")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def server(built: None) -> AsyncIterator[ServerProcess]:
    """A server with requests that were done, failed, and were refused, and instances that failed and that wait."""
    async with ServerProcess(**LOOPBACK) as server:
        await server.rule("orders", **PUBLISH)
        await server.rule("broken", **BROKEN)
        changes = {"description": "Orders", "isEnabled": True, "path": "orders", "action": "POST", "executionType": 0}
        await server.cmd("CreateWebHookDraftCommand", configId=1, **changes, **PUBLISH, comment="A better description")
        for number in range(3):
            await server.hook("orders", {"number": number, "customer": {"name": "Ada Kingfisher"}})
        await server.hook("broken", {"n": 1})
        await server.cmd("CreateProcessDefinitionCommand", name="Refund", bpmnXml=REFUND)
        for amount in (5, 500):
            await server.cmd("StartProcessInstanceCommand", processKey="refund", variables={"amount": amount})
        await server.hook("no/such/path", {"n": 1})
        await until(lambda: server.count_requests("failed", "quarantined"), lambda count: count == 2)
        yield server


async def captured(server: ServerProcess, key: str) -> dict[str, Any]:
    """A request to a rule of the test's own that is done: other tests replay and resend the ones of the fixture."""
    await server.rule(key, **PUBLISH)
    await server.hook(key, {"customer": {"name": "Grace Sandpiper"}})
    await server.settled()
    (done,) = await server.requests(configKey=key, state="done")
    return done


@pytest.fixture
async def page(browser: Browser, server: ServerProcess) -> AsyncIterator[Page]:
    """A page of its own that nobody is signed in with; errors of scripts and breaches of the policy fail the test."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    page.set_default_timeout(60_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.add_init_script(VIOLATIONS)
    await page.goto(f"{server.url}/console/")
    yield page
    async with asyncio.timeout(60):  # a page that is busy for ever fails here
        breaches: list[Any] = await page.evaluate("window.violations ?? []")
    await context.close()
    assert not errors
    assert not breaches


async def sign_in(page: Page, name: str = ADMINISTRATOR, password: str = PASSWORD) -> None:
    """Sign in on the sign-in page, or in the dialog over another."""
    if await page.get_by_label("User name").input_value() != name:
        await page.get_by_label("User name").fill(name)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in", exact=True).click()


@pytest.fixture
async def signed_in(page: Page) -> Page:
    """The page, with the administrator signed in."""
    await sign_in(page)
    await page.get_by_role("heading", name="Overview").wait_for()
    return page
