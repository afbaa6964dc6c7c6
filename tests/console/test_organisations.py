"""Who belongs to another organisation sees nothing of this one, and an operator nothing that would be refused."""

import pytest
from playwright.async_api import Page, expect

from bpm.testing import ServerProcess
from tests.console.conftest import captured, sign_in
from tests.console.test_screens import visit

pytestmark = pytest.mark.anyio

THEIRS = ("requests", "rules", "processes", "processes?list=definitions", "deliveries?list=subscriptions", "scripts")
WORD = "Correct-horse-7"


async def test_another_organisation_sees_nothing(page: Page, server: ServerProcess) -> None:
    """Not in the lists, not at the address of a request, and no button for what concerns the installation."""
    done = await captured(server, "not-theirs")
    other = await server.cmd("CreateOrganizationCommand", name="Kingfisher Ltd")
    await server.cmd("CreateUserCommand", username="otto", password=WORD, roles=["admin"], organizationId=other["id"])
    await sign_in(page, "otto", WORD)
    await page.get_by_role("heading", name="Overview").wait_for()
    for place in THEIRS:
        await visit(page, server, place)
        await expect(page.locator(".state")).to_be_visible()
        await expect(page.locator("tbody tr")).to_have_count(0)
    for place in (f"requests/{done['requestId']}", f"rules/{done['configId']}", f"trace/{done['requestId']}"):
        await visit(page, server, place)
        await expect(page.locator(".state")).to_contain_text("not found")
    await visit(page, server, "administration")
    await expect(page.get_by_role("tab", name="Organisations")).to_have_count(0)
    await expect(page.get_by_role("tab", name="Settings")).to_have_count(0)


async def test_an_operator_sees_no_button_that_would_be_refused(page: Page, server: ServerProcess) -> None:
    """What mends is there; what makes users, keys and subscriptions is not."""
    done = await captured(server, "operated")
    await server.cmd("CreateUserCommand", username="olga", password=WORD, roles=["operator"])
    await sign_in(page, "olga", WORD)
    await page.get_by_role("heading", name="Overview").wait_for()
    await visit(page, server, f"requests/{done['requestId']}")
    await expect(page.get_by_role("button", name="Replay")).to_be_visible()
    await visit(page, server, "deliveries?list=subscriptions")
    await expect(page.get_by_role("link", name="New subscription")).to_have_count(0)
    await visit(page, server, "administration?list=users")
    await expect(page.get_by_role("button", name="New user")).to_have_count(0)
    await expect(page.get_by_role("button", name="Rights")).to_have_count(0)
    await visit(page, server, "administration?list=keys")
    await expect(page.get_by_role("button", name="New key")).to_have_count(0)
    await visit(page, server, "subscriptions/new")
    await expect(page.get_by_role("heading", name="You may not see this")).to_be_visible()
