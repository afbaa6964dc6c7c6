"""Rules as files, as a team keeps them: checked and tested without a server, compared, applied, exported, reverted."""

import asyncio
import json
import shutil
import signal
import sys
import unicodedata
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import jsonschema_rs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bpm.cli import main
from bpm.cli.exits import ExitStatus
from bpm.cli.files.folder import write_folder
from bpm.cli.files.yaml_text import YamlError, read_documents, write_documents
from bpm.cli.installation import TEMPLATE
from bpm.testing import ADMINISTRATOR, PASSWORD, ServerProcess

pytestmark = pytest.mark.anyio

SECRET = "whsec_c2hvcC1zZWNyZXQtb2YtdGhlLXRlc3Rz"
MAPPING = '"{{payload.total}}"'


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ServerProcess]:
    async with ServerProcess(SHOP_SECRET=SECRET) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The template, as `bpm init --template` writes it."""
    place = tmp_path / "rules-of-the-shop"
    assert offline("init", str(place), "--template").exit_code == 0
    return place


def offline(*words: str) -> Any:
    nobody: dict[str, str | None] = dict.fromkeys(("BPM_URL", "BPM_TOKEN", "BPM_USERNAME", "BPM_PASSWORD"))
    return CliRunner().invoke(main, words, env=nobody)


async def aside(*words: str) -> Any:
    """The same beside the test's own event loop."""
    return await anyio.to_thread.run_sync(partial(offline, *words))


async def bpm(server: ServerProcess, *words: str, username: str = ADMINISTRATOR) -> Any:
    known = {"BPM_URL": server.url, "BPM_USERNAME": username, "BPM_PASSWORD": PASSWORD}
    return await anyio.to_thread.run_sync(partial(CliRunner().invoke, main, words, env=known))


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


async def test_a_change_of_a_mapping_goes_live_and_back(server: ServerProcess, folder: Path, tmp_path: Path) -> None:
    """Checked, tested, compared, applied, live, exported, reverted; a plan that is out of date is refused."""
    at, team = ("-f", str(folder)), ("--label", "shop", "--prune")
    assert (await aside("validate", *at, "--label", "shop")).output == f"{folder}: 6 parts are right\n"
    assert (await aside("rules", "test", str(folder))).output.endswith("5 passed, 0 failed\n")
    first = await bpm(server, "diff", *at, *team)
    assert (first.exit_code, len(json.loads(first.stdout)["changes"])) == (ExitStatus.DIFFERENCE, 6)
    assert (await bpm(server, "apply", *at, *team)).exit_code == 0
    assert (await bpm(server, "diff", *at, *team)).exit_code == 0

    kept = tmp_path / "before"
    shutil.copytree(folder, kept)
    change(folder / "rules" / "orders.yaml", MAPPING, '"{{payload.total * 100}}"')
    failed = await aside("rules", "test", str(folder))
    assert (failed.exit_code, "fields.data: is " in failed.output) == (ExitStatus.ERROR, True)
    told = await bpm(server, "diff", *at, *team, "--format", "text")
    lines = told.stdout.splitlines()
    assert lines[:2] == ["~ rule orders", '    parameters.data.total: "{{payload.total}}" -> "{{payload.total * 100}}"']
    assert lines[2] == "1 to update, 5 unchanged"
    base = lines[3].removeprefix("base ")
    assert (await bpm(server, "apply", *at, *team, "--base", base)).exit_code == 0
    assert await total_of(server, {"id": "A-1", "total": 5}) == 500
    stale = await bpm(server, "apply", "-f", str(kept), *team, "--base", base)
    assert (stale.exit_code, "make a new plan" in stale.stderr) == (ExitStatus.REFUSED, True)

    assert (await bpm(server, "apply", "-f", str(kept), *team)).exit_code == 0
    assert await total_of(server, {"id": "A-2", "total": 5}) == 5
    (folder / "rules" / "orders.yaml").unlink()
    gone = await bpm(server, "apply", *at, *team)
    assert [(each["action"], each["key"]) for each in json.loads(gone.stdout)["changes"]] == [("delete", "orders")]

    change(folder / "rules" / "refunds.yaml", "labels:", "retentionDays: 30\nlabels:")
    told = await bpm(server, "diff", *at, *team, "--format", "text")
    assert "retentionDays: " in told.stdout
    assert (await bpm(server, "apply", *at, *team)).exit_code == 0
    assert (await bpm(server, "diff", *at, *team)).exit_code == 0
    copy = tmp_path / "exported"
    written = (await bpm(server, "export", "-f", str(copy), "--label", "shop")).stdout.split()
    assert "rules/refunds.py" in written
    assert "retentionDays: 30" in (copy / "rules" / "refunds.yaml").read_text()
    same = await bpm(server, "diff", "-f", str(copy), *team)
    assert (same.exit_code, json.loads(same.stdout)["unchanged"]) == (0, 5)
    assert (await aside("validate", "-f", str(copy))).exit_code == 0


async def total_of(server: ServerProcess, order: dict[str, Any]) -> Any:
    """Send an order, rightly signed, and return the total that is told of it."""
    words = ("trigger", "standard-webhooks", "--to", "shop/orders", "--secret", SECRET, "--body", "-")
    known = {"BPM_URL": server.url}
    sent = partial(CliRunner().invoke, main, words, env=known, input=json.dumps(order))
    assert (await anyio.to_thread.run_sync(sent)).exit_code == 0
    await server.settled()
    events = (await server.cmd("GetEventListQuery", event="order.created"))["items"]
    return next(each["data"]["total"] for each in events if each["data"]["reference"] == order["id"])


WRONG: list[tuple[Callable[[Path], object], str]] = [
    (lambda at: change(at / "rules/orders.yaml", "description", "descripton"), "rules/orders.yaml: descripton: is not"),
    (
        lambda at: change(at / "rules/orders.yaml", "kind: rule", "kind: ruel"),
        "orders.yaml: kind: must be rule, process",
    ),
    (lambda at: change(at / "rules/orders.yaml", "env:SHOP_SECRET", SECRET), "signature.secret: a secret can't stand"),
    (lambda at: change(at / "rules/orders.yaml", "PublishEvent", "PublishEvnt"), "did you mean PublishEventCommand"),
    (lambda at: change(at / "rules/orders.yaml", "[shop]", "[shop, shop"), "rules/orders.yaml: line"),
    (lambda at: change(at / "rules/claims.yaml", "process: claim ", "process: clam "), "no file holds a process clam"),
    (
        lambda at: change(at / "rules/refunds.py", "amount =", "payload.__class__; amount ="),
        "rules/refunds.py: line 1, column",
    ),
    (lambda at: change(at / "processes/claim.bpmn", 'targetRef="done"', 'targetRef="gone"'), "processes/claim.bpmn: "),
    (lambda at: change(at / "decisions/claim-limit.dmn", "&gt; 100", "&gt; &gt;"), "decisions/claim-limit.dmn: "),
    (lambda at: (at / "rules/more.yaml").write_text("a: 1\na: 2\n"), "line 2, column 1: the key 'a' stands twice"),
    (lambda at: (at / "rules/more.yaml").write_text("a: &x [1]\nb: *x\n"), "anchors and aliases are not read"),
    (lambda at: (at / "rules/more.yaml").write_bytes(b"\xff\xfe\x00"), "rules/more.yaml: can't be read"),
    (lambda at: (at / "rules/orders.yaml").write_text("\n"), "rules/orders.yaml: is empty; delete it"),
    (lambda at: (at / "rules/more.yaml").symlink_to("gone.yaml"), "rules/more.yaml: is a link that leads nowhere"),
    (lambda at: (at / "rules/more.yaml").symlink_to("/etc/hosts"), "rules/more.yaml: is a link out of the folder"),
    (lambda at: (at / "rules/more").symlink_to("../processes"), "rules/more: is a link to a folder"),
]


@pytest.mark.parametrize(("spoil", "sentence"), WRONG, ids=[each[1][:30] for each in WRONG])
def test_what_is_wrong_with_a_folder_is_said_without_a_server(
    folder: Path, spoil: Callable[[Path], object], sentence: str
) -> None:
    """With the file and, where there is one, the line."""
    spoil(folder)
    result = offline("validate", "-f", str(folder))
    assert (result.exit_code, sentence in result.stderr) == (ExitStatus.ERROR, True), result.stderr


def test_files_outside_the_folder_are_not_read(folder: Path, tmp_path: Path) -> None:
    """Neither by a link nor by a name with dots."""
    (tmp_path / "outside.py").write_text("result = 1\n")
    link = folder / "rules" / "link.py"
    link.symlink_to(tmp_path / "outside.py")
    linked = offline("validate", "-f", str(folder))
    assert (linked.exit_code, "rules/link.py: is a link out of the folder" in linked.stderr) == (ExitStatus.ERROR, True)
    link.unlink()
    for name in ("link.py", "../../outside.py", "/etc/passwd"):
        change(folder / "rules" / "refunds.yaml", "script: refunds.py", f"script: {name}")
        result = offline("validate", "-f", str(folder))
        assert (result.exit_code, "refunds" in result.stderr) == (ExitStatus.ERROR, True), result.stderr
        change(folder / "rules" / "refunds.yaml", f"script: {name}", "script: refunds.py")


def test_names_are_as_people_write_them(folder: Path) -> None:
    """With blanks, letters of other alphabets in either form, and endings in capitals."""
    (folder / "rules" / "refunds.py").rename(folder / "rules" / unicodedata.normalize("NFD", "Rückzahlung für alle.PY"))
    change(folder / "rules" / "refunds.yaml", "script: refunds.py", "script: Rückzahlung für alle.PY")
    (folder / "rules" / "refunds.yaml").rename(folder / "rules" / "Rückzahlung.YML")
    (folder / "processes" / "claim.bpmn").rename(folder / "processes" / "Claim of a customer.BPMN")
    result = offline("validate", "-f", str(folder))
    assert result.output == f"{folder}: 6 parts are right\n", result.stderr


def test_files_of_windows_are_read(folder: Path) -> None:
    """With its ends of lines, and with the mark that its editors begin a text with."""
    for file in [each for each in folder.rglob("*") if each.is_file()]:
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    result = offline("validate", "-f", str(folder))
    assert result.output == f"{folder}: 6 parts are right\n", result.stderr


async def test_ends_of_lines_that_differ_are_told(server: ServerProcess, tmp_path: Path) -> None:
    """A checkout on Windows makes another script of it, in which nobody sees a difference."""
    place = tmp_path / "rules"
    place.mkdir()
    rule = {"kind": "rule", "key": "ends", "description": "d", "isEnabled": True, "path": "ends", "action": "POST"}
    (place / "ends.yaml").write_text(json.dumps({**rule, "executionType": 2, "script": "ends.py"}))
    (place / "ends.py").write_bytes(b"a = 1\nresult = a\n")
    assert (await bpm(server, "apply", "-f", str(tmp_path))).exit_code == 0
    (place / "ends.py").write_bytes(b"a = 1\r\nresult = a\r\n")
    told = await bpm(server, "diff", "-f", str(tmp_path), "--format", "text")
    assert told.stdout.splitlines()[:3] == [
        "~ rule ends",
        "    script:",
        "      only the ends of lines differ: LF -> CRLF",
    ]


async def test_a_folder_without_a_rule_prunes_nothing(server: ServerProcess, folder: Path, tmp_path: Path) -> None:
    """A wrong folder, or a checkout that failed, would delete every rule of the label."""
    (tmp_path / "empty").mkdir()
    team = ("--label", "kept", "--prune")
    for verb in ("diff", "apply"):
        refused = await bpm(server, verb, "-f", str(tmp_path / "empty"), *team)
        assert (refused.exit_code, "holds a rule, so --prune would delete" in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    ("is_interrupted", "status", "sentence"),
    [(True, 130, "`bpm diff` tells"), (False, ExitStatus.ERROR, "may have been done all the same")],
)
async def test_an_apply_without_an_answer_says_what_is_not_known(
    folder: Path, is_interrupted: bool, status: int, sentence: str
) -> None:
    """Ctrl-C, or a server that dies, while everything is applied."""
    applying, ended = asyncio.Event(), asyncio.Event()
    plan = json.dumps({"success": True, "data": {"changes": [], "unchanged": 0, "base": "b"}}).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        body = await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
        if b"ApplyConfigurationCommand" in body:
            applying.set()
            await ended.wait()
        else:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n")
            writer.write(b"content-length: %d\r\n\r\n" % len(plan) + plan)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bpm.cli", "apply", "-f", str(folder), "--url", url, "--token", "x"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        await asyncio.wait_for(applying.wait(), 60)
        command.send_signal(signal.SIGINT) if is_interrupted else ended.set()
        printed, said = await asyncio.wait_for(command.communicate(), 60)
        ended.set()
    assert (command.returncode, printed) == (status, b"")
    assert sentence in said.decode()
    assert "Traceback" not in said.decode()


def test_rules_whose_keys_differ_by_case_share_a_file(tmp_path: Path) -> None:
    """Where capital letters do not count, one file would replace the other."""
    parts = [{"kind": "rule", "key": key, "description": key} for key in ("Orders", "orders", "other")]
    assert write_folder(tmp_path, parts, {}) == ["rules/Orders.yaml", "rules/other.yaml"]
    assert len(read_documents((tmp_path / "rules" / "Orders.yaml").read_text())) == 2


def test_the_shipped_schema_describes_the_files(folder: Path) -> None:
    """Every document of the template is of it, and one with a wrong field is not."""
    schema = jsonschema_rs.validator_for(json.loads((folder / "schema.json").read_text()))
    documents = [one for file in folder.rglob("*.yaml") for one in read_documents(file.read_text())]
    described = [one for one in documents if "jobs" not in one]
    assert len(described) == 8
    assert [one for one in described if not schema.is_valid(one)] == []
    assert not schema.is_valid({**described[0], "descripton": "x"})


def test_the_template_is_not_written_over_anything(folder: Path) -> None:
    """A folder with files in it is left alone."""
    result = offline("init", str(folder), "--template")
    assert (result.exit_code, "is not empty" in result.stderr) == (ExitStatus.ERROR, True)
    assert (TEMPLATE / "README.md").read_text() == (folder / "README.md").read_text()


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from(["yes", "on", "1e3", "~", "0x1", "1_0", "=", "a\n b\n"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@example({"\x85": "a\x85b\n\u2028\u2029 c\n"})
@given(VALUES.filter(lambda value: value is not None))
def test_yaml_is_read_as_it_was_written(value: Any) -> None:
    """Whatever JSON can hold."""
    assert read_documents(write_documents([value])) == [value]


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "a: " * 5000, "x" * 2_000_000, "? [1]\n: 2", "1: 2", "!!python/object:os.x {}"]
)
def test_yaml_that_is_not_meant_is_refused(text: str) -> None:
    """With a sentence, soon."""
    with pytest.raises(YamlError):
        read_documents(text)
