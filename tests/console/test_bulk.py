"""Deliveries and incidents are done again many at once, from their pages."""

import pytest
from playwright.async_api import Page, expect

from bpm.testing import ServerProcess, WebhookReceiver, until
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


async def test_dead_deliveries_are_sent_again(signed_in: Page, server: ServerProcess) -> None:
    """Those of the event that the list shows, and no others; each stands in the list of what was touched."""
    async with WebhookReceiver() as receiver:
        page, names = signed_in, ("bulk.one", "bulk.one", "bulk.two")
        await server.cmd("CreateSubscriptionCommand", url=receiver.url, events=["bulk.*"], retryCount=0)
        receiver.answer(500)
        for name in names:
            await server.cmd("PublishEventCommand", event=name)
        dead = {"event": "bulk.*", "state": "dead"}
        await until(lambda: server.cmd("GetDeliveryListQuery", **dead), lambda found: found["totalCount"] == 3)
        receiver.answer(200)
        await visit(page, server, "deliveries?event=bulk.one")
        await page.get_by_role("button", name="Send the dead again").click()
        await page.get_by_role("button", name="Send 2 again").click()
        await expect(page.get_by_text("2 of 2 touched")).to_be_visible()
        await expect(page.locator("tbody").get_by_text("sent again")).to_have_count(2)
        sent = {"event": "bulk.*", "state": "delivered"}
        await until(lambda: server.cmd("GetDeliveryListQuery", **sent), lambda found: found["totalCount"] == 2)
