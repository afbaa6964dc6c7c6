"""Incidents are retried many at once, from the page of their version."""

import pytest
from playwright.async_api import Page, expect

from bpm.testing import ServerProcess
from tests.console.conftest import REFUND
from tests.console.test_screens import visit

pytestmark = pytest.mark.anyio


async def test_incidents_of_a_version_are_retried(signed_in: Page, server: ServerProcess) -> None:
    """From the page of the version; each instance stands in the list with what came of it."""
    page = signed_in
    made = await server.cmd("CreateProcessDefinitionCommand", name="Many", bpmnXml=REFUND.replace("refund", "many"))
    for _ in range(3):
        await server.cmd("StartProcessInstanceCommand", processDefinitionId=made["id"], variables={"amount": 5})
    await server.settled()
    await visit(page, server, f"definitions/{made['id']}")
    await page.get_by_role("button", name="Retry its incidents").click()
    await expect(page.get_by_text("3 chosen, the oldest first.")).to_be_visible()
    await page.get_by_role("button", name="Retry 3").click()
    await expect(page.get_by_text("3 of 3 touched")).to_be_visible()
    await expect(page.locator("tbody tr")).to_have_count(3)
