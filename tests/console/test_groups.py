"""Failures are driven again by their reason, a group at a time."""

import sqlite3
from contextlib import closing

import pytest
from playwright.async_api import Page, expect

from bpm.testing import ServerProcess
from tests.console.test_screens import visit

pytestmark = pytest.mark.anyio

ONCE = {"attempts": 1, "backoffSeconds": [0.0]}
PUBLISH = {"commandName": "PublishEventCommand", "parameters": {"event": "{{payload.kind}}"}}


async def fail(server: ServerProcess, key: str, count: int) -> dict[str, object]:
    """Bring about so many requests that are dead for the same reason, and return their rule."""
    rule = await server.rule(key, **PUBLISH, retry=ONCE)
    for number in range(count):
        await server.hook(key, {"number": number})
    await server.settled()
    assert len(await server.requests(configKey=key, state="dead")) == count
    return rule


async def test_a_group_is_driven_again(signed_in: Page, server: ServerProcess) -> None:
    """After its rule was mended every request of it is done; each of them stands in the list of what was touched."""
    page, rule = signed_in, await fail(server, "grouped", 12)
    await visit(page, server, "dead")
    group = page.locator(".groups > li", has_text="grouped, revision 1")
    await expect(group.locator(".number")).to_have_text("12")
    mended = {"parameters": {"event": "mended"}, "commandName": "PublishEventCommand", "executionType": 0}
    usual = {"description": "d", "isEnabled": True, "path": "grouped", "action": "POST", "retry": ONCE}
    await server.cmd("UpdateWebHookConfigCommand", id=rule["id"], **mended, **usual)
    await group.get_by_role("button", name="Drive them again").click()
    await page.get_by_role("button", name="Drive 12 again").click()
    await expect(page.get_by_text("12 of 12 touched")).to_be_visible()
    await expect(page.locator("tbody").get_by_text("driven again")).to_have_count(12)
    await server.settled()
    assert len(await server.requests(configKey="grouped", state="done")) == 12
    await page.get_by_role("link", name="Bulk jobs").click()
    await expect(page.locator("tbody tr").first).to_contain_text("12 of 12")


@pytest.mark.embedded
async def test_it_is_cancelled_in_the_middle(signed_in: Page, server: ServerProcess) -> None:
    """What was touched by then is listed, and the rest stays as it was."""
    page, _ = signed_in, await fail(server, "stopped", 5)
    await visit(page, server, "dead")
    await page.locator(".groups > li", has_text="stopped, revision 1").get_by_role("button", name="Drive them").click()
    await expect(page.get_by_text("5 chosen, the oldest first.")).to_be_visible()
    hold_in_the_middle(server)
    await page.get_by_role("button", name="Drive 5 again").click()
    await expect(page.get_by_text("2 of 5 touched")).to_be_visible()
    await page.get_by_role("button", name="Cancel the rest").click()
    await expect(page.get_by_text("2 of 5 touched, 3 not touched")).to_be_visible()
    await expect(page.locator("tbody").get_by_text("not touched")).to_have_count(3)
    await page.get_by_role("tab", name="Done").click()
    await expect(page.locator("tbody tr")).to_have_count(2)
    assert all(row["replayCount"] == 0 for row in await server.requests(configKey="stopped"))


def hold_in_the_middle(server: ServerProcess) -> None:
    """Let the planned job stand as one that has done two rows, and whose next step is due in a year."""
    with closing(sqlite3.connect(server.data_dir / "bpm.db", timeout=30)) as connection, connection:
        ((job_id,),) = connection.execute("SELECT id FROM bulk_job WHERE state = 'planned' ORDER BY created_at DESC")
        connection.execute("UPDATE bulk_job SET done = 2, turn = 7 WHERE id = ?", (job_id,))
        connection.execute("UPDATE bulk_row SET state = 'done' WHERE job_id = ? AND number <= 2", (job_id,))
        connection.execute(
            "INSERT INTO pgqueuer (dedupe_key, entrypoint, status, created, execute_after, attempts) "
            "VALUES (?, 'bulk', 'queued', unixepoch(), unixepoch() + 31536000, 0)",
            (f"bulk:{job_id}:7",),
        )
