"""Makes the README's pictures of the console: `python -m tests.console.screenshots`, which `make screenshots` runs.

A server of its own is filled with what the pictures show, and Chromium looks at it.
"""

import asyncio
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright

from bpm.testing import ServerProcess, WebhookReceiver
from bpm.web.console import build_hook
from tests.console.conftest import CHROMIUM, REFUND, sign_in
from tests.console.test_screens import visit

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
SIZE = {"width": 1280, "height": 760}
SCRIPT = """\
branch = payload["ref"].rpartition("/")[2]
if branch == "main":
    send("PublishEventCommand", {"event": "code.pushed", "data": {"by": payload["pusher"]["name"]}})
return {"branch": branch}
"""
PUSH = {"ref": "refs/heads/main", "pusher": {"name": "ada"}, "commits": [{"id": "9f1c", "message": "Round up"}]}


async def furnish(server: ServerProcess, receiver: WebhookReceiver) -> dict[str, Any]:
    """Bring about what is looked at, and return the request of the picture."""
    await server.cmd("CreateSubscriptionCommand", name="builds", url=receiver.url, events=["*"])
    rule = await server.rule("pushes", description="Pushes to the repository", executionType=2, executionCode=SCRIPT)
    await server.hook("pushes", PUSH)
    await server.cmd("CreateProcessDefinitionCommand", name="Refund", bpmnXml=REFUND)
    fields = {"processKey": "refund", "variables": {"amount": 5}, "businessKey": "O-2041"}
    instance = await server.cmd("StartProcessInstanceCommand", **fields)
    await server.settled()
    await receiver.wait_for(1)
    (request,) = await server.requests(configKey="pushes")
    return {"rule": rule["id"], "instance": instance["instanceId"], "request": request["requestId"]}


DISCOUNT = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">
<decision id="discount" name="Discount"><decisionTable hitPolicy="FIRST">
<input label="Amount"><inputExpression typeRef="number"><text>order.amount</text></inputExpression></input>
<input label="Customer"><inputExpression typeRef="string"><text>customer.tier</text></inputExpression></input>
<output name="percent" label="Percent" typeRef="number"/>
<rule><description>Gold customers always</description><inputEntry><text>-</text></inputEntry>
<inputEntry><text>"gold"</text></inputEntry><outputEntry><text>15</text></outputEntry></rule>
<rule><description>Large orders</description><inputEntry><text>&gt;= 1000</text></inputEntry>
<inputEntry><text>"silver", "bronze"</text></inputEntry><outputEntry><text>10</text></outputEntry></rule>
<rule><inputEntry><text>[100..1000)</text></inputEntry><inputEntry><text>-</text></inputEntry>
<outputEntry><text>5</text></outputEntry></rule>
<rule><inputEntry><text>-</text></inputEntry><inputEntry><text>-</text></inputEntry>
<outputEntry><text>0</text></outputEntry></rule></decisionTable></decision></definitions>"""


async def draw(page: Page, server: ServerProcess) -> None:
    """Edit a process, in which a timer has no time yet, and try a decision."""
    await visit(page, server, "diagrams/1")
    await page.locator(".djs-palette").wait_for()
    await page.get_by_label("Element", exact=True).select_option("approve")
    await page.get_by_label("Candidate groups").fill("clerks")
    await page.get_by_label("Add at its edge").select_option("TimerBoundary")
    await page.locator(".flaws").get_by_text("1 problem").wait_for()
    await take(page, "modeler")
    (decision,) = await server.cmd("CreateDecisionDefinitionCommand", dmnXml=DISCOUNT)
    await visit(page, server, f"decisions/{decision['id']}")
    await page.get_by_label("Value for input 1").fill("1250")
    await page.get_by_label("Value for input 2").fill("silver")
    await page.locator("tr.is-matched").first.wait_for()
    await take(page, "decision")


async def take(page: Page, name: str) -> None:
    """Keep what is seen."""
    await page.wait_for_timeout(500)  # the drawing and the editor are drawn in the next frames
    await page.screenshot(path=FOLDER / f"{name}.png")


async def main() -> None:
    """Make the pictures."""
    build_hook.build()
    FOLDER.mkdir(exist_ok=True)
    async with (
        WebhookReceiver() as receiver,
        ServerProcess(BPM_DELIVERY__PROBE="off", BPM_DELIVERY__ALLOWED_NETWORKS="127.0.0.0/8") as server,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await (await browser.new_context(viewport=SIZE)).new_page()  # pyright: ignore[reportArgumentType]
        shown = await furnish(server, receiver)
        await page.goto(f"{server.url}/console/")
        await sign_in(page)
        await page.get_by_role("heading", name="Overview").wait_for()
        await visit(page, server, f"requests/{shown['request']}")
        await take(page, "request")
        await visit(page, server, f"rules/{shown['rule']}")
        await page.get_by_role("button", name="Try it").click()
        await page.get_by_text("would be executed").wait_for()
        await take(page, "rule")
        await visit(page, server, f"processes/{shown['instance']}")
        await page.locator(".canvas .mark").wait_for()
        await take(page, "instance")
        await draw(page, server)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
