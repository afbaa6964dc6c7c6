"""Keys and users are made and ended on the screens; what was done stands in the audit log."""

from datetime import UTC, datetime

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from bpm.settings import Settings
from bpm.store import open_database
from bpm.testing import ServerProcess, until
from tests.console.conftest import LOOPBACK, sign_in
from tests.console.test_screens import faults, visit
from tests.given_up import store_given_up

pytestmark = pytest.mark.anyio


async def status(server: ServerProcess, key: str, query: str) -> int:
    """The status of a query that is sent with a key."""
    body, headers = {"$type": query}, {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
        return (await http.post("/api/bpm/cmd", json=body, headers=headers)).status_code


async def test_a_key_is_made_and_revoked(signed_in: Page, server: ServerProcess, axe: str) -> None:
    """It is shown once, may do what was chosen and no more, and stops at once when it is revoked."""
    page = signed_in
    await visit(page, server, "administration?list=keys")
    await page.get_by_role("button", name="New key").click()
    await expect(page.get_by_role("button", name="Make the key")).to_be_disabled()
    await page.get_by_label("Name required").fill("till-7")
    await page.get_by_label("webhooks:read").check()
    assert await faults(page, axe) == []
    await page.get_by_role("button", name="Make the key").click()
    key = await page.locator("code.secret").inner_text()
    assert await faults(page, axe) == []
    await page.get_by_role("button", name="I have kept it").click()
    row = page.locator("tbody tr", has_text="till-7")
    await expect(row).to_contain_text("webhooks:read")
    await expect(page.get_by_text(key)).to_have_count(0)
    assert await status(server, key, "GetWebHookConfigListQuery") == 200
    assert await status(server, key, "GetUserListQuery") == 403
    await row.get_by_role("button", name="Revoke").click()
    await page.get_by_role("button", name="Revoke it").click()
    await expect(row.locator(".badge")).to_have_text("revoked")
    assert await status(server, key, "GetOwnAccountQuery") == 401


async def test_a_user_is_made_and_disabled(signed_in: Page, server: ServerProcess, browser: Browser) -> None:
    """The generated password is shown once and signs in; a disabled user's browser is signed out."""
    page = signed_in
    await visit(page, server, "administration?list=users")
    await page.get_by_role("button", name="New user").click()
    await page.get_by_label("User name required").fill("night-shift")
    await page.get_by_label("Role").select_option("operator")
    await page.get_by_role("button", name="Make the user").click()
    password = await page.locator("code.secret").inner_text()
    await page.get_by_role("button", name="I have kept it").click()
    context = await browser.new_context()
    theirs = await context.new_page()
    await theirs.goto(f"{server.url}/console/")
    await sign_in(theirs, "night-shift", password)
    await theirs.get_by_role("heading", name="Overview").wait_for()
    await page.goto(f"{server.url}/console/#/administration?of=everybody")
    await expect(page.locator("tbody tr", has_text="night-shift")).to_have_count(1)
    await page.get_by_role("tab", name="Users").click()
    await page.locator("tbody tr", has_text="night-shift").get_by_role("button", name="Disable").click()
    await page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    await expect(page.locator("tbody tr", has_text="night-shift").locator(".badge")).to_have_text("off")
    await theirs.goto(f"{server.url}/console/#/requests")
    await theirs.reload()
    await theirs.get_by_label("Password").wait_for()
    await context.close()


async def test_rights_are_changed(signed_in: Page, server: ServerProcess, axe: str) -> None:
    """A role is taken and another given, with a permission beside; what was not touched stays."""
    page = signed_in
    fields = {"username": "day-shift", "password": "Correct-horse-7", "roles": ["viewer"]}
    user = await server.cmd("CreateUserCommand", **fields, permissions=["messages:write"])
    await visit(page, server, "administration?list=users")
    row = page.locator("tbody tr", has_text="day-shift")
    await row.get_by_role("button", name="Rights").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    await dialog.get_by_label("viewer").uncheck()
    await dialog.get_by_label("operator", exact=False).first.check()
    await dialog.get_by_text("Single permissions beside the roles").click()
    await dialog.get_by_label("code:write").check()
    assert await faults(page, axe) == []
    await dialog.get_by_role("button", name="Save").click()
    await expect(row).to_contain_text("operator, messages:write, code:write")
    (changed,) = [each for each in (await server.cmd("GetUserListQuery"))["items"] if each["id"] == user["id"]]
    assert changed["roles"] == ["operator"]
    assert sorted(changed["permissions"]) == ["code:write", "messages:write"]


async def test_a_session_is_ended(signed_in: Page, server: ServerProcess) -> None:
    """The browser that it was asks for the password at its next question."""
    page = signed_in
    await visit(page, server, "administration")
    await expect(page.get_by_role("button", name="Sign out everywhere")).to_be_visible()
    await page.get_by_role("row").get_by_role("button", name="Sign out").first.click()
    await page.reload()
    await page.get_by_label("Password").wait_for()


async def test_the_audit_log_says_who_did_what(signed_in: Page, server: ServerProcess) -> None:
    """A command that was refused is found by its outcome, and by whoever sent it."""
    page = signed_in
    await server.send("ActivateSubscriptionCommand", {"id": 987_654})
    await visit(page, server, "administration?list=audit&outcome=failed&by=admin")
    row = page.locator("tbody tr", has_text="ActivateSubscriptionCommand").first
    await expect(row.locator(".badge")).to_have_text("failed")


async def test_whoever_may_not_administer_sees_no_buttons(page: Page, server: ServerProcess) -> None:
    """A viewer sees users and keys, and nothing that makes or ends one; their own sessions they end."""
    await server.cmd("CreateUserCommand", username="onlooker", password="Correct-horse-7", roles=["viewer"])
    await sign_in(page, "onlooker", "Correct-horse-7")
    await page.get_by_role("heading", name="Overview").wait_for()
    for place in ("keys", "users"):
        await visit(page, server, f"administration?list={place}")
        await expect(page.locator("main").get_by_role("button", name="New")).to_have_count(0)
    await expect(page.locator("tbody tr").first).to_be_visible()
    await expect(page.get_by_role("button", name="Disable")).to_have_count(0)


async def test_a_message_that_died_is_tried_again(built: None, browser: Browser) -> None:
    """The overview counts it among what needs somebody, and leads to where it is sent again."""
    async with ServerProcess(**LOOPBACK) as server:
        await server.stop()
        await given_up(server)
        await server.start()
        page = await (await browser.new_context()).new_page()
        await page.goto(f"{server.url}/console/")
        await sign_in(page)
        await page.locator(".needs li", has_text="1 message of a process was given up").get_by_role("link").click()
        await page.get_by_role("row", name="PingQuery").get_by_role("button", name="Try again").click()
        await page.get_by_role("dialog").get_by_role("button", name="Try again").click()
        await until(
            lambda: server.cmd("GetScheduledMessageListQuery", state="sent"), lambda found: found["totalCount"] == 1
        )
        await page.get_by_label("State").select_option("sent")
        await expect(page.locator("tbody tr", has_text="PingQuery")).to_have_count(1)
        await page.context.close()


async def given_up(server: ServerProcess) -> None:
    """Store a message of the administrator that was given up after all attempts."""
    database = open_database(Settings(data_dir=server.data_dir))
    await database.start()
    await store_given_up(database, datetime.now(UTC))
    await database.stop()


async def test_a_password_is_changed_by_the_keyboard(page: Page, server: ServerProcess) -> None:
    """From one's own name in the menu; Enter sends the dialog, and a short one is not offered to the server."""
    await server.cmd("CreateUserCommand", username="paula", password="Correct-horse-7", roles=["viewer"])
    await sign_in(page, "paula", "Correct-horse-7")
    await page.get_by_role("link", name="paula").click()
    await page.get_by_role("button", name="Change my password").click()
    await page.get_by_label("The password that you have").fill("Correct-horse-7")
    for word in ("too-short", "Correct-horse-8"):
        await page.get_by_label("The new one required").fill(word)
        await page.get_by_label("The new one again").fill(word)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page.get_by_role("heading", name="Your session has ended")).to_be_visible()
    await sign_in(page, "paula", "Correct-horse-8")
    await expect(page.get_by_role("tab", name="Sessions")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)
