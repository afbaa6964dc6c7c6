"""What a person does on the screens, by mouse and by keyboard, and whether everybody can."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from bpm.testing import ServerProcess
from tests.console.conftest import PUBLISH, captured, sign_in

pytestmark = pytest.mark.anyio

SCREENS = (
    "overview", "requests", "rules", "rules/new", "rules/1", "rules?list=drafts", "drafts/1", "dead", "dead?list=dead",
    "dead?list=bulk", "processes", "processes/1", "definitions/1", "tasks/2.2", "trace", "trace/1",
    "processes?list=tasks", "processes?list=decisions", "diagrams/new", "decisions/new", "deliveries",
    "deliveries?list=subscriptions", "subscriptions/new", "scripts", "administration", "administration?list=keys",
    "administration?list=users", "administration?list=audit", "administration?list=later",
    "administration?list=organisations", "administration?list=settings", "anything",
    "anything/CreateWebHookConfigCommand", "anything/GetWebHookConfigByIdQuery?id=1", "design", "nowhere",
)  # fmt: skip
NARROW = ("overview", "requests", "rules", "rules?list=drafts", "drafts/1", "tasks/2.2", "deliveries")
DESIGN = ("design",)
"""Every part in every state, so the colours need no other screen."""
TYPE_AHEAD = """
new MutationObserver((changes, observer) => {
    if (!document.querySelector("tbody tr")) return
    observer.disconnect()
    for (const key of ["j", "Enter"]) document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}))
}).observe(document, {childList: true, subtree: true})
"""
"""Presses keys in the moment in which a row appears."""
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


async def visit(page: Page, server: ServerProcess, place: str) -> None:
    """Go to a screen and wait until it has its answers."""
    await page.goto(f"{server.url}/console/#/{place}")
    await expect(page.locator("main h1, main h2").first).to_be_visible()
    await expect(page.locator(".loading")).to_have_count(1 if place == "design" else 0)


async def faults(page: Page, axe: str) -> list[Any]:
    """Return what keeps somebody out, colour contrast included."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(axe)
    found = await page.evaluate("(options) => axe.run(document, options)", RULES)
    return [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]]


@pytest.mark.parametrize(
    ("theme", "width", "screens"),
    [
        ("light", 1280, SCREENS),
        ("light", 390, SCREENS),
        ("dark", 1280, DESIGN),
        ("contrast", 1280, DESIGN),
        ("contrast", 390, NARROW),
    ],
)
async def test_everybody_can_use_every_screen(
    signed_in: Page, server: ServerProcess, axe: str, theme: str, width: int, screens: tuple[str, ...]
) -> None:
    """The checks of axe-core find nothing on any screen, and nothing is wider than the window."""
    page = signed_in
    await page.set_viewport_size({"width": width, "height": 844})
    await page.evaluate(f"localStorage.setItem('bpm-theme', '{theme}')")
    await page.reload()
    (failed,) = (await server.requests(state="failed"))[:1]
    found: dict[str, Any] = {}
    for place in (*screens, f"requests/{failed['requestId']}"):
        await visit(page, server, place)
        found[place] = await faults(page, axe)
        if await page.evaluate("document.documentElement.scrollWidth") > width:
            found[place].append("wider than the window")
    assert {place: each for place, each in found.items() if each} == {}


async def test_the_sign_in_page_is_for_everybody(page: Page, axe: str) -> None:
    """Also with a refusal on it."""
    await page.get_by_label("User name").fill("nobody")
    await page.get_by_label("Password").fill("wrong-pass-1234")
    await page.keyboard.press("Enter")
    await page.get_by_role("alert").wait_for()
    assert await faults(page, axe) == []


async def test_the_catalogue_is_asked_for_when_somebody_looks(signed_in: Page, server: ServerProcess) -> None:
    """A list is shown without it: it has every schema of the product, and is by far the largest answer."""
    page, asked = signed_in, list[str]()
    page.on("request", lambda request: asked.append(request.post_data or ""))
    for place in ("rules", "deliveries", "processes", "scripts", "administration"):
        await visit(page, server, place)
    await page.reload()
    await visit(page, server, "rules")
    assert any("GetWebHookConfigListQuery" in each for each in asked)
    assert not [each for each in asked if "GetCommandCatalogQuery" in each]
    await page.get_by_text("Messages that can be sent").click()
    await expect(page.get_by_role("link", name="CreateWebHookConfigCommand")).to_be_visible()
    assert len([each for each in asked if "GetCommandCatalogQuery" in each]) == 1


async def test_keys_are_heard_as_soon_as_a_row_is_there(signed_in: Page, server: ServerProcess) -> None:
    """Whoever types ahead of the screen opens the first row."""
    page = signed_in
    await visit(page, server, "overview")
    await page.evaluate(TYPE_AHEAD)
    await page.evaluate("location.hash = '#/requests?search=Kingfisher'")
    await expect(page.get_by_label("Body", exact=True)).to_contain_text("Kingfisher")


async def test_a_request_is_found_by_a_word_of_its_body(signed_in: Page, server: ServerProcess) -> None:
    """From the search to the whole request, and back to the same search; by keyboard."""
    page = signed_in
    await visit(page, server, "requests")
    await page.get_by_label("Search bodies, paths and keys").fill("Kingfisher")
    await page.keyboard.press("Enter")
    await expect(page.locator("tbody tr")).to_have_count(3)
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_contain_text("POST /orders")
    await expect(page.get_by_label("Body", exact=True)).to_contain_text('"Ada Kingfisher"')
    await page.go_back()
    await expect(page.locator("tbody tr")).to_have_count(3)


async def test_a_search_says_how_it_begins(signed_in: Page, server: ServerProcess) -> None:
    """What is typed and not searched for yet says Enter; what is emptied is searched for no longer."""
    page = signed_in
    await visit(page, server, "requests")
    box = page.get_by_role("searchbox", name="Search bodies")
    hint = page.locator(".search kbd")
    await box.fill("no-such-word-anywhere")
    await expect(hint).to_have_text("Enter")
    await box.press("Enter")
    await expect(page.get_by_role("heading", name="No request fits")).to_be_visible()
    await expect(hint).to_have_count(0)
    await box.fill("")
    await expect(page.locator("tbody tr").first).to_be_visible()


async def test_a_request_is_replayed(signed_in: Page, server: ServerProcess) -> None:
    """One that was done asks first, because its effect happens a second time."""
    page, done = signed_in, await captured(server, "replayed")
    await visit(page, server, f"requests/{done['requestId']}")
    await page.get_by_role("button", name="Replay").click()
    await page.get_by_role("button", name="Do it a second time").click()
    await expect(page.get_by_text("Replay requested")).to_be_visible()
    await expect(page.get_by_text("once by admin")).to_be_visible()


async def test_a_replayed_request_is_followed_to_its_end(signed_in: Page, server: ServerProcess) -> None:
    """What its page says of it changes by itself, from the failure to what came of the replay."""
    page, once = signed_in, {"attempts": 1, "backoffSeconds": [0.0]}
    await server.rule("followed", executionType=2, executionCode="return missing\n", retry=once)
    await server.hook("followed", {"n": 1})
    await server.settled()
    (dead,) = await server.requests(configKey="followed", state="dead")
    changed = {"description": "followed", "isEnabled": True, "path": "followed", "action": "POST", "executionType": 2}
    await server.cmd("UpdateWebHookConfigCommand", id=dead["configId"], **changed, executionCode="return 1\n")
    await visit(page, server, f"requests/{dead['requestId']}")
    await expect(page.locator("h1 .badge")).to_have_text("dead")
    await page.get_by_role("button", name="Replay").click()
    await page.get_by_role("dialog").get_by_role("button", name="Replay").click()
    await expect(page.locator("h1 .badge")).to_have_text("done")
    await expect(page.locator("main > .notice")).to_have_count(0)


async def test_a_request_is_replayed_by_the_revision_that_it_came_to(signed_in: Page, server: ServerProcess) -> None:
    """The dialog offers earlier revisions of its rule, and its page says afterwards by which it was executed."""
    page, done = signed_in, await captured(server, "revised")
    changed = {"description": "revised", "isEnabled": True, "path": "revised", "action": "POST", "executionType": 0}
    fields: dict[str, Any] = {
        "commandName": "PublishEventCommand",
        "parameters": {"event": "order.changed", "data": {}},
    }
    await server.cmd("UpdateWebHookConfigCommand", id=done["configId"], **changed, **fields)
    await visit(page, server, f"requests/{done['requestId']}")
    await page.get_by_role("button", name="Replay").click()
    await page.get_by_label("Executed by").select_option("its rule at revision 1, as when it came")
    await page.get_by_role("button", name="Do it a second time").click()
    await expect(page.get_by_text("once by admin, by revision 1")).to_be_visible()


async def test_a_narrow_list_says_what_was_wrong(signed_in: Page, server: ServerProcess) -> None:
    """Where there is no room for a column of its own, it stands below the request."""
    page = signed_in
    await page.set_viewport_size({"width": 390, "height": 844})
    await visit(page, server, "requests?search=no/such/path")
    await expect(page.locator("tbody .note").first).to_contain_text("no configuration has the path")
    await visit(page, server, "administration?list=settings")
    await expect(page.get_by_role("tab", name="Settings")).to_be_in_viewport(ratio=0.9)
    await visit(page, server, "requests?search=no/such/path")
    await page.set_viewport_size({"width": 1280, "height": 844})
    await expect(page.locator("tbody .note").first).to_be_hidden()


async def test_new_requests_move_nothing(signed_in: Page, server: ServerProcess) -> None:
    """They are counted above the list until somebody asks for them."""
    page, _ = signed_in, await captured(server, "watched")
    await visit(page, server, "requests?rule=watched")
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(1)
    await server.hook("watched", {"number": "new"})
    await expect(page.get_by_text("1 new")).to_be_visible(timeout=60_000)
    await expect(rows).to_have_count(1)
    await page.get_by_role("button", name="Show").click()
    await expect(rows).to_have_count(2)


async def test_requests_of_an_hour_are_chosen_from_the_overview(signed_in: Page, server: ServerProcess) -> None:
    """A bar of the traffic leads to what it counts; another time is chosen on the list."""
    page, _ = signed_in, await captured(server, "counted")
    await visit(page, server, "overview")
    traffic = page.locator("section", has_text="The last 24 hours")
    await expect(traffic).to_contain_text("requests")
    await expect(traffic).to_contain_text(re.compile(r"half were done in [\d.]+ m?s, 95 of 100 in [\d.]+ m?s"))
    await traffic.locator("svg .hour").last.click()
    await expect(page.get_by_label("Time")).to_have_value("between")
    await expect(page.locator("tbody tr").first).to_be_visible()
    await page.get_by_label("Time").select_option("Last 15 minutes")
    await page.get_by_label("Rule", exact=True).fill("counted")
    await page.get_by_label("Rule", exact=True).press("Enter")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await visit(page, server, "requests?rule=counted&from=2020-01-01T00:00:00Z&until=2020-01-01T01:00:00Z")
    await expect(page.get_by_role("heading", name="No request fits")).to_be_visible()


async def test_rules_show_their_traffic(signed_in: Page, server: ServerProcess) -> None:
    """Beside each stands how many requests it got in the last day."""
    page, _ = signed_in, await captured(server, "busy-rule")
    await visit(page, server, "rules?search=busy-rule")
    await expect(page.locator("tbody tr .spark")).to_have_text("1")


async def test_rows_stay_when_a_full_page_of_new_ones_is_there(signed_in: Page, server: ServerProcess) -> None:
    """They were pushed off the newest page, and the list said that nothing came in yet."""
    page, first = signed_in, (await captured(server, "busy"))["requestId"]
    await visit(page, server, "requests?rule=busy")
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(1)
    for number in range(60):
        await server.hook("busy", {"number": number})
    await expect(page.get_by_text("50 or more new")).to_be_visible(timeout=60_000)
    await expect(rows).to_have_count(1)
    await expect(rows.locator(f'[href$="{first}"]')).to_be_visible()
    await page.get_by_role("button", name="Show").click()
    await expect(rows).to_have_count(50)


async def test_what_is_typed_stays_while_requests_come(signed_in: Page, server: ServerProcess) -> None:
    """The field was emptied whenever the list was told anew."""
    page, _ = signed_in, await captured(server, "typed")
    await visit(page, server, "requests")
    await page.get_by_label("Rule", exact=True).fill("typ")
    await server.hook("typed", {"number": "while somebody types"})
    await expect(page.get_by_text("1 new")).to_be_visible(timeout=60_000)
    await expect(page.get_by_label("Rule", exact=True)).to_have_value("typ")


async def test_what_another_search_finds_is_not_new(signed_in: Page, server: ServerProcess) -> None:
    """A request far behind the first page stood under *1 new*, and the list said that no request fits."""
    page = signed_in
    await server.rule("searched", **PUBLISH)
    await server.hook("searched", {"number": "needle-in-hay"})
    for number in range(60):
        await server.hook("searched", {"number": number})
    await visit(page, server, "requests")
    await expect(page.locator("tbody tr")).to_have_count(50)
    await page.get_by_label("Search bodies, paths and keys").fill("needle-in-hay")
    await page.keyboard.press("Enter")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect(page.get_by_text("1 request", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Show")).to_have_count(0)


async def test_every_message_has_a_form(signed_in: Page, server: ServerProcess) -> None:
    """From the palette to the answer: a rule is made, and a mistake stands at its field."""
    page = signed_in
    await page.keyboard.press("Control+k")
    await page.keyboard.type("create web hook config")
    await page.get_by_role("option", name="Create web hook config webhooks", selected=True).wait_for()
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Create web hook config")
    await page.get_by_label("key required").fill("by-hand")
    await page.get_by_label("description required").fill("Made by hand")
    await page.get_by_label("isEnabled required").select_option("yes")
    await page.get_by_label("path required").fill("by-hand")
    await page.get_by_label("action required").select_option("POST")
    await page.get_by_label("executionType required").select_option("0")
    await page.get_by_label("maxBodyBytes").fill("many")
    await page.get_by_role("button", name="Send the command").click()
    await expect(page.locator(".field", has_text="maxBodyBytes").locator(".problem")).to_be_visible()
    await page.get_by_label("maxBodyBytes").fill("1000")
    await page.get_by_label("commandName").fill("PingQuery")
    await page.get_by_role("button", name="Send the command").click()
    await expect(page.get_by_label("Data", exact=True)).to_contain_text('"by-hand"')
    assert (await server.hook("by-hand", {})).ok


async def test_what_may_not_be_done_is_not_offered(page: Page, server: ServerProcess) -> None:
    """A viewer sees the request and no button that changes it, and no message that would be refused."""
    await server.cmd("CreateUserCommand", username="vera", password="Correct-horse-7", roles=["viewer"])
    await sign_in(page, "vera", "Correct-horse-7")
    await page.get_by_role("heading", name="Overview").wait_for()
    (done,) = (await server.requests(state="done"))[:1]
    await visit(page, server, f"requests/{done['requestId']}")
    await expect(page.get_by_role("button", name="Replay")).to_have_count(0)
    await expect(page.get_by_role("button", name="Discard")).to_have_count(0)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("user")
    await expect(page.get_by_text("Get user list", exact=True)).to_be_visible()
    await expect(page.get_by_text("Create user", exact=True)).to_have_count(0)


async def test_a_request_is_edited_and_resent(signed_in: Page, server: ServerProcess) -> None:
    """It becomes a new one that says of which it was made; the old one stays as it came."""
    page, done = signed_in, await captured(server, "resent")
    await visit(page, server, f"requests/{done['requestId']}")
    await page.get_by_role("button", name="Edit and resend").click()
    await page.get_by_role("dialog").get_by_label("Body").fill('{"number": 77}')
    await page.get_by_role("button", name="Send it").click()
    await expect(page.get_by_text("by admin, of")).to_be_visible()
    await expect(page.get_by_label("Body", exact=True)).to_contain_text('"number": 77')
    assert page.url.split("/")[-1] != done["requestId"]
