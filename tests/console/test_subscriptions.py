"""What goes out: a subscription is tried, switched, given a new secret, and what it lost is sent again."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, expect

from bpm.testing import ServerProcess, WebhookReceiver, until
from tests.console.test_screens import faults, visit

pytestmark = pytest.mark.anyio


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """A receiver of the test's own."""
    async with WebhookReceiver() as receiver:
        yield receiver


async def subscribed(server: ServerProcess, receiver: WebhookReceiver, name: str, **fields: Any) -> dict[str, Any]:
    """A subscription to events that nobody but this test publishes."""
    return await server.cmd("CreateSubscriptionCommand", name=name, url=receiver.url, events=[f"{name}.*"], **fields)


async def failed(server: ServerProcess, receiver: WebhookReceiver, subscription: dict[str, Any]) -> dict[str, Any]:
    """A delivery to it that died, because its receiver answered 500."""
    receiver.answer(500)
    await server.cmd("PublishEventCommand", event=f"{subscription['name']}.made", data={"customer": "Ada Kingfisher"})

    async def dead() -> list[dict[str, Any]]:
        page = await server.cmd("GetDeliveryListQuery", subscriptionId=subscription["id"], state="dead")
        return page["items"]

    (delivery,) = await until(dead)
    return delivery


async def test_one_is_made(signed_in: Page, server: ServerProcess, receiver: WebhookReceiver, axe: str) -> None:
    """A mistake stands at its field; the secret is shown once, and what is published from then on arrives."""
    page = signed_in
    await visit(page, server, "deliveries?list=subscriptions")
    await page.get_by_role("link", name="New subscription").click()
    await expect(page.get_by_role("button", name="Make the subscription")).to_be_disabled()
    await page.get_by_label("Address of the receiver required").fill("not an address")
    await page.get_by_label("Events required").fill("parcel.*")
    await page.get_by_label("Name", exact=True).fill("parcels")
    await page.get_by_role("button", name="Make the subscription").click()
    await expect(page.locator(".field", has_text="Address of the receiver").locator(".problem")).to_be_visible()
    assert await faults(page, axe) == []
    await page.get_by_label("Address of the receiver required").fill(receiver.url)
    await page.get_by_role("button", name="Make the subscription").click()
    await expect(page.locator("code.secret")).to_contain_text("whsec_")
    await page.get_by_role("button", name="I have kept it").click()
    await expect(page.locator("h1")).to_contain_text("parcels")
    await server.cmd("PublishEventCommand", event="parcel.sent", data={})
    await receiver.wait_for(1)
    await expect(page.locator("tbody tr")).to_have_count(1)


async def test_an_event_that_nobody_told_of_is_registered_on_the_way(
    signed_in: Page, server: ServerProcess, receiver: WebhookReceiver
) -> None:
    """The refusal of an unknown name comes with the button that makes it known, and the subscription is made."""
    page = signed_in
    await visit(page, server, "subscriptions/new")
    await page.get_by_label("Address of the receiver required").fill(receiver.url)
    await page.get_by_label("Events required").fill("kiln.fired")
    await page.get_by_role("button", name="Make the subscription").click()
    await expect(page.locator(".field", has_text="Events").locator(".problem")).to_contain_text("kiln.fired")
    await page.get_by_role("button", name="Register kiln.fired and make it").click()
    await page.get_by_role("button", name="I have kept it").click()
    await expect(page.locator("h1")).to_contain_text(receiver.url)


async def test_an_event_is_chosen_from_the_known_ones(signed_in: Page, server: ServerProcess) -> None:
    """It is put below what was typed, and leaves the list."""
    page = signed_in
    await visit(page, server, "subscriptions/new")
    await page.get_by_label("Events required").fill("order.*")
    await page.get_by_role("button", name="process.incident", exact=True).click()
    await expect(page.get_by_label("Events required")).to_have_value("order.*\nprocess.incident")
    await expect(page.get_by_role("button", name="process.incident", exact=True)).to_have_count(0)


async def test_a_test_event_is_sent(
    signed_in: Page, server: ServerProcess, receiver: WebhookReceiver, axe: str
) -> None:
    """From the list to the subscription, and from there to its delivery with what was answered."""
    page = signed_in
    subscription = await subscribed(server, receiver, "tried")
    await visit(page, server, "deliveries?list=subscriptions")
    await page.get_by_role("link", name="tried", exact=True).click()
    await expect(page.locator("h1")).to_contain_text("tried")
    assert await faults(page, axe) == []
    await page.get_by_role("button", name="Test it").click()
    await page.get_by_role("button", name="Send it").click()
    await expect(page.locator("h1")).to_contain_text("subscription.test")
    await expect(page.locator("h1 .badge")).to_have_text("delivered")
    await page.get_by_text("What was sent and answered").click()
    await expect(page.get_by_label("Sent at attempt 1", exact=True)).to_contain_text("subscription.test")
    assert await faults(page, axe) == []
    await page.get_by_role("link", name=f"subscription {subscription['id']}").click()
    await page.get_by_role("tab", name="Attempts").click()
    await expect(page.locator("tbody tr")).to_have_count(1)


async def test_a_secret_is_rotated(signed_in: Page, server: ServerProcess, receiver: WebhookReceiver) -> None:
    """The new one is shown once; what is delivered during the overlap is signed by both."""
    page = signed_in
    subscription = await subscribed(server, receiver, "rotated")
    await visit(page, server, f"subscriptions/{subscription['id']}")
    await page.get_by_role("button", name="New secret").click()
    await page.get_by_label("Overlap in hours").fill("800")
    await expect(page.get_by_role("button", name="Make a new secret")).to_be_disabled()
    await page.get_by_label("Overlap in hours").fill("2")
    await page.get_by_role("button", name="Make a new secret").click()
    shown = page.locator("code.secret")
    secret = await shown.inner_text()
    assert secret.startswith("whsec_")
    assert secret != subscription["secret"]
    await page.get_by_role("button", name="I have kept it").click()
    await expect(shown).to_have_count(0)
    await server.cmd("PublishEventCommand", event="rotated.made", data={})
    (request,) = await receiver.wait_for(1)
    assert len(request.headers["webhook-signature"].split()) == 2


async def test_it_is_switched_off_and_on(signed_in: Page, server: ServerProcess, receiver: WebhookReceiver) -> None:
    """What happens meanwhile is kept and comes when it is on again."""
    page = signed_in
    subscription = await subscribed(server, receiver, "switched")
    await visit(page, server, f"subscriptions/{subscription['id']}")
    await page.get_by_role("button", name="Switch off").click()
    await page.get_by_role("dialog").get_by_role("button", name="Switch off").click()
    await expect(page.get_by_text("Switched off by hand.")).to_be_visible()
    await expect(page.get_by_role("button", name="Test it")).to_have_count(0)
    await server.cmd("PublishEventCommand", event="switched.made", data={})
    await page.get_by_role("button", name="Switch on").click()
    await page.get_by_role("dialog").get_by_role("button", name="Switch on").click()
    await expect(page.locator("h1 .badge")).to_have_text("on")
    (request,) = await receiver.wait_for(1)
    assert request.json()["type"] == "switched.made"


async def test_what_failed_is_sent_again(signed_in: Page, server: ServerProcess, receiver: WebhookReceiver) -> None:
    """It is counted before it is sent; what failed before the moment that was chosen is left alone."""
    page = signed_in
    subscription = await subscribed(server, receiver, "recovered", retryCount=0)
    await failed(server, receiver, subscription)
    await visit(page, server, f"subscriptions/{subscription['id']}?state=dead")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.get_by_role("button", name="Send again").click()
    await page.get_by_label("Since").fill("2999-01-01T00:00")
    await expect(page.get_by_role("button", name="Send 0", exact=True)).to_be_disabled()
    await page.get_by_label("Since").fill("2020-01-01T00:00")
    await page.get_by_role("button", name="Send 1", exact=True).click()
    await expect(page.get_by_text("They are on their way")).to_be_visible()
    assert len(await receiver.wait_for(2)) == 2


async def test_one_delivery_is_sent_again(signed_in: Page, server: ServerProcess, receiver: WebhookReceiver) -> None:
    """What was wrong stands above; after it is sent again the page says delivered by itself."""
    page = signed_in
    subscription = await subscribed(server, receiver, "single", retryCount=0)
    delivery = await failed(server, receiver, subscription)
    await visit(page, server, f"deliveries/{delivery['id']}")
    await expect(page.locator("h1 .badge")).to_have_text("dead")
    await expect(page.get_by_label("Data of the event", exact=True)).to_contain_text("Ada Kingfisher")
    await page.get_by_role("button", name="Send again").click()
    await page.get_by_role("button", name="Send it").click()
    await expect(page.locator("h1 .badge")).to_have_text("delivered")


async def test_dead_deliveries_are_sent_again_at_once(
    signed_in: Page, server: ServerProcess, receiver: WebhookReceiver
) -> None:
    """Those of the event that the list shows; the bulk job lists each, and they arrive."""
    page = signed_in
    subscription = await subscribed(server, receiver, "many", retryCount=0)
    await failed(server, receiver, subscription)
    receiver.answer(200)
    await visit(page, server, "deliveries?event=many.made")
    await page.get_by_role("button", name="Send the dead again").click()
    await expect(page.get_by_text("1 chosen, the oldest first.")).to_be_visible()
    await page.get_by_role("button", name="Send 1 again").click()
    await expect(page.get_by_text("1 of 1 touched")).to_be_visible()

    async def delivered() -> int:
        page = await server.cmd("GetDeliveryListQuery", subscriptionId=subscription["id"], state="delivered")
        return page["totalCount"]

    assert await until(delivered) == 1


async def test_the_deliveries_of_one_event_say_so(signed_in: Page, server: ServerProcess) -> None:
    """An event without any is no empty installation, and the way to all of them stands beside."""
    page = signed_in
    event = await server.cmd("PublishEventCommand", event="unheard.of", data={})
    await visit(page, server, f"deliveries?of={event['id']}")
    await expect(page.get_by_text("Nothing fits")).to_be_visible()
    await expect(page.get_by_role("button", name="Send the dead again")).to_have_count(0)
    await page.get_by_role("button", name="Of one event only").click()
    await expect(page.get_by_role("button", name="Of one event only")).to_have_count(0)
    await expect(page.get_by_role("button", name="Send the dead again")).to_be_visible()
