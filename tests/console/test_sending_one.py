"""The page of a rule has a command that sends it a request, signed as its provider would."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, expect

from bpm.testing import ServerProcess, until
from tests.console.conftest import PUBLISH
from tests.console.test_screens import faults, visit

pytestmark = pytest.mark.anyio

SECRET = "a secret of the tests"


async def run(command: str) -> str:
    """Run what was copied, as a person does, and return what it printed."""
    program = await asyncio.create_subprocess_exec(
        *("sh", "-c", f"no_proxy=127.0.0.1 {command}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, _ = await program.communicate()
    return out.decode()


async def newest(server: ServerProcess, key: str) -> dict[str, Any]:
    """The newest request of a rule."""
    found = await until(lambda: server.requests(configKey=key), lambda rows: len(rows) > 0)
    return found[0]


@pytest.mark.parametrize("scheme", [None, "github", "stripe"])
async def test_what_the_screen_offers_is_taken_in(
    signed_in: Page, server: ServerProcess, axe: str, scheme: str | None
) -> None:
    """With a body that holds whatever people write."""
    page, key = signed_in, f"sent-{scheme}"
    signature = {"signature": {"scheme": scheme, "secret": SECRET}} if scheme else {}
    rule = await server.rule(key, **PUBLISH, **signature)
    await visit(page, server, f"rules/{rule['id']}")
    await page.get_by_role("tab", name="Send one").click()
    await page.get_by_label("Body to send").fill('{"name": "Ada O\'Neill", "note": "{a} $HOME `id`"}')
    if scheme:
        await page.get_by_label("Secret to sign with").fill("another secret")
        await page.get_by_role("button", name=f"Sign it as {scheme}").click()
        assert "The signature is missing or wrong" in await run(
            await page.get_by_label("In a terminal").last.inner_text()
        )
        await page.get_by_label("Secret to sign with").fill(SECRET)
        await page.get_by_role("button", name=f"Sign it as {scheme}").click()
        await expect(page.get_by_label("In a terminal").last).to_contain_text("curl")
    assert await faults(page, axe) == []
    await run(await page.get_by_label("In a terminal").last.inner_text())
    sent = await until(lambda: server.requests(configKey=key, state="done"), lambda rows: len(rows) == 1)
    whole = await server.cmd("GetInboundRequestByIdQuery", requestId=sent[0]["requestId"])
    assert whole["body"] == '{"name": "Ada O\'Neill", "note": "{a} $HOME `id`"}'


async def test_a_captured_request_is_sent_again_by_curl(signed_in: Page, server: ServerProcess) -> None:
    """With its query, which was left out."""
    page = signed_in
    await server.rule("queried", **PUBLISH)
    await server.request("POST", "/api/webhooks/queried?a=1&b=%C3%A4+c", {"n": 1})
    await server.settled()
    first = await newest(server, "queried")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await visit(page, server, f"requests/{first['requestId']}")
    await page.get_by_role("button", name="as curl").click()
    await run(await page.evaluate("navigator.clipboard.readText()"))
    both = await until(lambda: server.requests(configKey="queried"), lambda rows: len(rows) == 2)
    whole = [await server.cmd("GetInboundRequestByIdQuery", requestId=each["requestId"]) for each in both]
    assert [each["query"] for each in whole] == [{"a": "1", "b": "ä c"}] * 2
