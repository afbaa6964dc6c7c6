"""Browsers whose clock is wrong or that copy nothing, addresses that are cut off, bodies that are very large."""

import re

import pytest
from playwright.async_api import Page, expect

from bpm.testing import ServerProcess, WebhookReceiver, until
from tests.console.conftest import PUBLISH, captured
from tests.console.test_screens import visit

pytestmark = pytest.mark.anyio

SLOW_CLOCK = "const right = Date.now; Date.now = () => right() - 600_000"
"""A browser whose clock is ten minutes behind."""
LARGEST_SHOWN = 100_000


async def test_ages_follow_the_clock_of_the_server(signed_in: Page, server: ServerProcess) -> None:
    """A browser that is ten minutes behind does not tell that what came will come in ten minutes."""
    page, _ = signed_in, await captured(server, "clock")
    await page.add_init_script(SLOW_CLOCK)
    await page.reload()
    await visit(page, server, "requests?rule=clock")
    await expect(page.locator("tbody .age")).to_have_text(re.compile("ago$"))


async def test_what_failed_just_now_is_counted_by_a_slow_clock(signed_in: Page, server: ServerProcess) -> None:
    """Recovery reaches to the server's present, not to the browser's."""
    page = signed_in
    await page.add_init_script(SLOW_CLOCK)
    await page.reload()
    async with WebhookReceiver() as receiver:
        receiver.answer(500)
        fields = {"name": "late", "url": receiver.url, "events": ["late.*"], "retryCount": 0}
        subscription = await server.cmd("CreateSubscriptionCommand", **fields)
        await server.cmd("PublishEventCommand", event="late.made", data={})
        dead = {"subscriptionId": subscription["id"], "state": "dead"}

        async def died() -> bool:
            return (await server.cmd("GetDeliveryListQuery", **dead))["totalCount"] == 1

        await until(died)
        await page.wait_for_timeout(2_000)  # the clock of an answer is told in whole seconds
        await visit(page, server, f"subscriptions/{subscription['id']}")
        await page.get_by_role("button", name="Send again").click()
        await expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("1 until now")


async def test_an_address_that_is_cut_off_is_told(signed_in: Page, server: ServerProcess) -> None:
    """In the middle of a letter, as mail programs break lines; the page goes on."""
    page = signed_in
    await visit(page, server, "nowhere%E0%A4")
    await expect(page.get_by_role("heading", name="There is no such screen")).to_be_visible()
    await visit(page, server, "rules")
    await expect(page.get_by_role("heading", name="Rules")).to_be_visible()


async def test_a_browser_that_copies_nothing_says_so(signed_in: Page, server: ServerProcess) -> None:
    """Over plain HTTP from another machine a page has no clipboard."""
    page, request = signed_in, await captured(server, "uncopied")
    await page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    await page.reload()
    await visit(page, server, f"requests/{request['requestId']}")
    await page.get_by_role("button", name="Copy body").click()
    await expect(page.locator(".toast")).to_contain_text("copy it by hand")


async def test_enter_opens_the_chosen_row_wherever_the_focus_rests(signed_in: Page, server: ServerProcess) -> None:
    """Also on the frame of the table, which the Tab key reaches."""
    page, request = signed_in, await captured(server, "framed")
    await visit(page, server, "requests?rule=framed")
    await page.get_by_role("region", name="Requests").focus()
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text(request["requestId"])).to_be_visible()


async def test_a_very_large_body_is_shown_in_part(signed_in: Page, server: ServerProcess) -> None:
    """Its beginning is there at once, and all of it on demand."""
    page = signed_in
    await server.rule("large", **PUBLISH)
    await server.hook("large", {"items": [{"id": number, "name": "x" * 40} for number in range(14_000)]})
    await server.settled()
    (request,) = await server.requests(configKey="large")
    await visit(page, server, f"requests/{request['requestId']}")
    body = page.get_by_label("Body", exact=True)
    await expect(body).to_contain_text('"id": 0')
    assert await body.evaluate("(body) => body.textContent.length") == LARGEST_SHOWN
    await page.get_by_role("button", name="Show all").click()
    await expect(page.get_by_text("These are the first")).to_have_count(0)
    assert "13999" in await body.evaluate("(body) => body.textContent.slice(-100)")


async def test_json_that_is_no_message_is_told_while_it_is_written(signed_in: Page, server: ServerProcess) -> None:
    """It is neither sent nor copied."""
    page = signed_in
    await visit(page, server, "anything/PublishEventCommand")
    await page.get_by_role("tab", name="JSON").click()
    field = page.get_by_label("Fields as JSON")
    for wrong, told in (("[1]", "no object"), ("{", "JSON")):
        await field.fill(wrong)
        await expect(page.locator(".field .problem")).to_contain_text(told)
        await expect(page.get_by_role("button", name="Send the command")).to_be_disabled()
        await expect(page.get_by_role("button", name="as curl")).to_be_disabled()
        await page.get_by_role("tab", name="Form").click()
        await expect(field).to_have_value(wrong)


async def test_empty_lines_of_a_list_are_not_sent(signed_in: Page, server: ServerProcess) -> None:
    """Whoever ends each line with Enter sends what stands on the lines."""
    page = signed_in
    await visit(page, server, "anything/CreateSubscriptionCommand")
    await page.get_by_label("events required").fill("order.created\n\norder.paid\n")
    await expect(page.get_by_label("events required")).to_have_value("order.created\n\norder.paid\n")
    await page.get_by_role("tab", name="JSON").click()
    assert "".join((await page.get_by_label("Fields as JSON").input_value()).split()) == (
        '{"events":["order.created","order.paid"]}'
    )


async def test_the_overview_says_what_stopped(signed_in: Page, server: ServerProcess) -> None:
    """Instances with an incident need somebody, and the list of them is one action away."""
    page = signed_in
    await visit(page, server, "overview")
    need = page.locator(".needs li", has_text="stopped by an incident")
    await need.get_by_role("link").click()
    await expect(page.get_by_label("State", exact=True)).to_have_value("ERROR")
    await expect(page.locator("tbody .badge").first).to_have_text("incident")


async def test_the_menu_of_a_narrow_window_keeps_the_focus(signed_in: Page, server: ServerProcess) -> None:
    """While it is open, the keyboard reaches nothing behind it; Escape closes it."""
    page = signed_in
    await page.set_viewport_size({"width": 390, "height": 844})
    await visit(page, server, "rules")
    await page.get_by_role("button", name="Menu", exact=True).click()
    await expect(page.get_by_role("complementary", name="Menu")).to_be_visible()
    for _ in range(20):
        await page.keyboard.press("Tab")
        assert not await page.evaluate("Boolean(document.activeElement.closest('main, header'))")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("complementary", name="Menu")).to_be_hidden()
