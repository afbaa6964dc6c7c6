"""Numbers keep their digits in the console: as they are shown, edited, sent, tried and compared."""

import json
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from bpm.exact_json import read_json, write_json
from bpm.number import Number
from bpm.testing import ServerProcess
from bpm.web.console import build_hook
from tests.commands.playing import bpmn
from tests.console.conftest import PUBLISH
from tests.console.test_screens import visit
from tests.numbers import many

pytestmark = pytest.mark.anyio

KEPT = ("100.00", "0.1000", "12345678901234567890.123", "12345678901234567890", "-0.50")
AMOUNTS = f"[{', '.join(KEPT)}]"
BODY = f'{{"2": 1, "1": 2, "amounts": {AMOUNTS}, "tiny": 1e-7, "zero": -0}}'
RAW = build_hook.APP / "src"
TASK = bpmn("start s; user t; end e\ns -> t -> e", "priced").replace(
    '<userTask id="t">',
    '<userTask id="t" name="Price"><extensionElements><zeebe:formDefinition formId="priced"/></extensionElements>',
)
FORM = {
    "type": "default",
    "id": "priced",
    "components": [
        {"type": "number", "key": "amount", "label": "Amount"},
        {"type": "number", "key": "fee", "label": "Fee"},
        {"type": "select", "key": "rate", "label": "Rate", "values": [{"label": "Hundred", "value": 100}]},
    ],
}
DECISION = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">
<decision id="doubled" name="Doubled"><variable name="doubled"/><decisionTable hitPolicy="FIRST">
<input label="Amount"><inputExpression typeRef="number"><text>amount</text></inputExpression></input>
<output name="doubled"/>
<rule><inputEntry><text>-</text></inputEntry><outputEntry><text>amount + amount</text></outputEntry></rule>
</decisionTable></decision></definitions>"""


def numbers(amounts: tuple[str, ...] = KEPT) -> list[object]:
    """The amounts as the product reads them."""
    return [read_json(each) for each in amounts]


def written(page: Page, label: str) -> Locator:
    """What stands in a box of code."""
    return page.locator("pre").and_(page.get_by_label(label, exact=True))


async def test_a_request_is_shown_edited_and_resent_with_its_digits(signed_in: Page, server: ServerProcess) -> None:
    """As they came, in their order; only what was edited is another."""
    page = signed_in
    await server.rule("exact", **PUBLISH)
    reply = await server.request("POST", "/api/webhooks/exact", BODY.encode(), {"content-type": "application/json"})
    assert reply.ok
    await server.settled()
    (came,) = await server.requests(configKey="exact")
    await visit(page, server, f"requests/{came['requestId']}")
    for digits in (*KEPT, "1e-7", '"zero": -0', '"2": 1,\n  "1": 2'):
        await expect(written(page, "Body")).to_contain_text(digits)
    await page.get_by_role("button", name="Edit and resend").click()
    body = page.get_by_role("dialog").get_by_label("Body")
    await body.fill((await body.input_value()).replace("100.00", "250.10"))
    await page.get_by_role("button", name="Send it").click()
    await expect(page.get_by_text("by admin, of")).to_be_visible()
    sent = await server.cmd("GetInboundRequestByIdQuery", requestId=page.url.split("/")[-1])
    assert "".join(sent["body"].split()) == "".join(BODY.replace("100.00", "250.10").split())


async def test_variables_and_events_show_their_digits(signed_in: Page, server: ServerProcess) -> None:
    """Those of an instance, of its task, and of an event that a message of the catalogue asks for."""
    page = signed_in
    await server.cmd(
        "CreateProcessDefinitionCommand", name="bare", bpmnXml=bpmn("start s; user t; end e\ns -> t -> e", "bare")
    )
    started = await server.cmd("StartProcessInstanceCommand", processKey="bare", variables={"amounts": numbers()})
    await visit(page, server, f"processes/{started['instanceId']}")
    await page.get_by_role("tab", name="Variables").click()
    for digits in KEPT:
        await expect(written(page, "Variables")).to_contain_text(digits)
    await page.get_by_role("link", name="Open the task").click()
    await page.get_by_label("What it came to").fill('{"paid": 12345678901234567890.1230}')
    await page.get_by_role("button", name="Complete the task").click()
    await expect(page.locator("h1")).to_contain_text("completed")
    await page.get_by_role("tab", name="Variables").click()
    await expect(written(page, "Variables")).to_contain_text('"paid": 12345678901234567890.1230')


async def test_a_form_takes_and_gives_back_digits(signed_in: Page, server: ServerProcess) -> None:
    """Of fields that hold a number, that are typed anew, and whose choices are numbers."""
    page, held = signed_in, {"amount": Number("12345678901234567890.1230"), "rate": Number("100.00")}
    await server.cmd("CreateFormDefinitionCommand", formJson=json.dumps(FORM))
    await server.cmd("CreateProcessDefinitionCommand", name="priced", bpmnXml=TASK)
    started = await server.cmd("StartProcessInstanceCommand", processKey="priced", variables=held)
    await visit(page, server, f"processes/{started['instanceId']}")
    await page.get_by_role("link", name="Open the task").click()
    await expect(page.get_by_label("Amount")).to_have_value("12345678901234567890.1230")
    await expect(page.get_by_label("Rate")).to_have_value("0")
    await page.get_by_label("Fee").press_sequentially("100.05")
    await page.get_by_label("Fee").press("End")
    await page.get_by_label("Fee").press_sequentially("00")
    await expect(page.get_by_label("Fee")).to_have_value("100.0500")
    await page.get_by_role("button", name="Complete the task").click()
    await expect(page.locator("h1")).to_contain_text("completed")
    await page.get_by_role("tab", name="Variables").click()
    for line in ('"amount": 12345678901234567890.1230', '"fee": 100.0500', '"rate": 100.00'):
        await expect(written(page, "Variables")).to_contain_text(line)


async def test_a_decision_is_tried_with_digits(signed_in: Page, server: ServerProcess) -> None:
    """What its trial row is given, and its result."""
    page = signed_in
    (made,) = await server.cmd("CreateDecisionDefinitionCommand", dmnXml=DECISION)
    await visit(page, server, f"decisions/{made['id']}")
    await page.get_by_label("Value for input 1").fill("12345678901234567890.100")
    await expect(page.get_by_label("Result doubled")).to_have_text("24691357802469135780.200")


async def test_a_command_is_sent_with_digits(signed_in: Page, server: ServerProcess) -> None:
    """From its form, as JSON, and what it answers; what no double holds is refused and never becomes null."""
    page = signed_in
    await visit(page, server, "anything/PublishEventCommand")
    await page.get_by_label("event required").fill("exact.sent")
    await page.get_by_label("data", exact=True).fill(f'{{"amounts": {AMOUNTS}}}')
    await page.get_by_role("tab", name="JSON").click()
    for digits in KEPT:
        assert digits in await page.get_by_label("Fields as JSON").input_value()
    await page.get_by_role("button", name="Send the command").click()
    await expect(page.locator("main .badge", has_text="done")).to_be_visible()
    server.exact_numbers = True
    (event,) = (await server.cmd("GetEventListQuery", event="exact.sent"))["items"]
    server.exact_numbers = False
    assert write_json(event["data"]["amounts"]).decode() == write_json(numbers()).decode()
    await page.get_by_label("Fields as JSON").fill('{"event": "exact.sent", "data": {"amount": 1e400}}')
    await page.get_by_role("button", name="Send the command").click()
    await expect(page.get_by_role("alert")).to_contain_text("beyond the range of a double")


async def test_a_rule_is_tried_and_compared_with_digits(signed_in: Page, server: ServerProcess) -> None:
    """What it would send, and how revisions that differ in nothing but digits differ."""
    page, fields = signed_in, {"path": "exact-fee", "action": "POST", "executionType": 0, "isEnabled": True}
    data = {"same": "{{payload.amounts}}", "fee": Number("1.50")}
    made = await server.rule("exact-fee", commandName="PublishEventCommand", parameters={"event": "a.b", "data": data})
    await server.hook("exact-fee", {"amounts": numbers()})
    await server.settled()
    newer = {
        "commandName": "PublishEventCommand",
        "parameters": {"event": "a.b", "data": {**data, "fee": Number("1.500")}},
    }
    await server.cmd("UpdateWebHookConfigCommand", id=made["id"], description="exact-fee", **fields, **newer)
    await visit(page, server, f"rules/{made['id']}")
    await expect(page.get_by_label("data", exact=True)).to_have_value('{"same":"{{payload.amounts}}","fee":1.500}')
    await page.get_by_role("button", name="Try it").click()
    await page.get_by_text("its fields", exact=True).click()
    for digits in (*KEPT, "1.500"):
        await expect(written(page, "Fields of PublishEventCommand")).to_contain_text(digits)
    await page.get_by_role("tab", name="History").click()
    await page.get_by_role("button", name="compare with the form").nth(1).click()
    await expect(page.get_by_label("Changes since revision 1").locator("del")).to_contain_text("fee: 1.50")
    await expect(page.get_by_label("Changes since revision 1").locator("ins")).to_contain_text("fee: 1.500")


RUN = """
import {buildSync} from "esbuild"
import {readFileSync, writeFileSync} from "node:fs"
const [path] = process.argv.slice(1)
const {outputFiles} = buildSync({entryPoints: ["src/exact_json.ts"], bundle: true, format: "esm", write: false})
const json = await import("data:text/javascript," + encodeURIComponent(outputFiles[0].text))
const {kept, typed, same, wrong} = JSON.parse(readFileSync(path, "utf8"))
const isRefused = (text) => {
    try { json.parse(text); return false } catch (error) { return error instanceof SyntaxError }
}
const sparse = (text) => json.indented(text).replace(/\\n */g, "").replaceAll('": ', '":')
writeFileSync(path, JSON.stringify({
    kept: kept.map((text) => json.stringify(json.parse(text))),
    indented: kept.map(sparse),
    typed: typed.map((text) => String(json.numberOf(text))),
    same: same.map(([one, other]) => json.isSame(json.parse(one), json.parse(other))),
    wrong: wrong.map(isRefused),
}))
"""
"""What the module does with texts, outside of a browser."""


def test_any_json_is_written_as_it_was_read(built: None, tmp_path: Path) -> None:
    """Whatever the browser's own reader makes of its numbers; and what is no JSON is refused."""
    amounts = [*KEPT, *many(200), "1e400", "-0", "-0.0", "1E+3", "9007199254740993", "0", "7", "-1"]
    kept = [f'{{"a":[{each},"{each}"],"b":{{"c":{each},"__proto__":[]}},"":"\\"{each}"}}' for each in amounts]
    typed = {"5": "5", " +5 ": "5", ".5": "0.5", "-.50": "-0.50", "007": "7", "100.": "undefined", "": "undefined",
             "1e3": "1e3", "e5": "undefined", "-": "undefined", "NaN": "undefined", "0x10": "undefined"}  # fmt: skip
    same = [("100.00", "100", True), ("1e2", "100", True), ("0.10", "0.1", True), ("-0", "0.00", True),
            ("9007199254740993", "9007199254740992", False), ("1", "-1", False), ('"1.0"', "1.0", False),
            ('{"a":[1.0]}', '{"a":[1]}', True)]  # fmt: skip
    wrong = ["01.50", "1.50.5", "{1.50: 1}", "[1.50-2.50]", "1.50 2", "", "[1.5", "+1.50", ".50"]
    asked = {"kept": kept, "typed": list(typed), "same": [pair[:2] for pair in same], "wrong": wrong}
    path = tmp_path / "texts.json"
    path.write_text(json.dumps(asked))
    build_hook.node("--input-type=module", "--eval", RUN, str(path))
    found = json.loads(path.read_text())
    assert found["kept"] == kept
    assert found["indented"] == kept
    assert dict(zip(typed, found["typed"], strict=True)) == typed
    assert found["same"] == [pair[2] for pair in same]
    assert found["wrong"] == [True] * len(wrong)


def test_no_other_file_reads_or_writes_json() -> None:
    """The browser's own reader rounds numbers, so one file alone may call it."""
    sources = [path for path in RAW.rglob("*.ts*") if path.name != "exact_json.ts"]
    assert len(sources) > 100
    words = ("JSON.parse(", "JSON.stringify(", ".json()", "structuredClone(")
    assert [(path.name, word) for path in sources for word in words if word in Path(path).read_text()] == []
