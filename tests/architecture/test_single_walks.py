"""Commands of pages that need something of their own: an application, a rule to back-test, a PostgreSQL to move to."""

import json
from pathlib import Path
from typing import Any

import pytest

from bpm.testing import ServerProcess
from bpm.testing.process import free_port
from tests.architecture.pages import DOCS, REFERENCE, ROOT, blocks, run, walk

pytestmark = pytest.mark.anyio

READY = "curl --silent --fail --retry 300 --retry-all-errors --retry-delay 1 {url}/readyz > ready\n"


def commands_of(page: Path) -> list[str]:
    """Return the page's blocks of commands, each a script."""
    return [text for _, text in blocks(page, "sh")]


def test_every_page_with_commands_is_walked() -> None:
    """A block of commands stands on no page that no test runs."""
    tests = "".join(file.read_text() for folder in ("architecture", "examples") for file in _tests_of(folder))
    pages = [page for page in (ROOT / "docs").rglob("*.md") if commands_of(page) and page.parent.name != "tutorial"]
    assert [str(page.relative_to(ROOT)) for page in pages if _as_named(page) not in tests] == []


def _tests_of(folder: str) -> list[Path]:
    return sorted((ROOT / "tests" / folder).glob("test_*.py"))


def _as_named(page: Path) -> str:
    """Return how tests name a page: by its file, or an example by its folder."""
    return f'"{page.parent.name}" / "README.md"' if page.name == "README.md" else page.name


async def test_the_example_works_as_written(tmp_path: Path) -> None:
    """Orders are placed, listed and cancelled, and a rule places those of a shop."""
    page = DOCS / "examples" / "orders" / "README.md"
    own = {"BPM_COMMAND_PACKAGES": "orders", "PYTHONPATH": str(page.parent)}
    async with ServerProcess(**own) as server:
        await walk(page, server, tmp_path, **own)
        assert (await server.hook("shop/orders", {})).status == 401


async def test_an_account_of_an_agent_is_made_as_written(tmp_path: Path) -> None:
    """The key that is shown reads requests, and changes nothing."""
    async with ServerProcess() as server:
        printed = await run("".join(commands_of(DOCS / "how-to" / "connect-an-agent.md")), server.url, tmp_path, {})
        assert '"scopes":["inbound:read","deliveries:read","system:read"]' in printed
        (agent,) = (await server.cmd("GetUserListQuery", searchText="agent"))["items"]
        assert (agent["kind"], agent["roles"]) == ("service", ["viewer"])


async def test_a_backtest_works_as_written(tmp_path: Path) -> None:
    """A draft that changes nothing of what came differs in nothing."""
    async with ServerProcess() as server:
        rule = await server.rule("payment-notification", commandName="PingQuery")
        draft = await server.send("GetWebHookConfigByIdQuery", {"id": rule["id"]})
        (tmp_path / "changed.json").write_text(json.dumps(draft.data))
        await run("".join(commands_of(REFERENCE / "router.md")), server.url, tmp_path, {})


@pytest.mark.embedded
async def test_moving_to_postgresql_works_as_written(databases: Any, tmp_path: Path) -> None:
    """Copied, served by a process of each kind, and then by several on one socket."""
    target, data, port = databases.empty(), tmp_path / "data", free_port()
    moved, kinds, several = commands_of(DOCS / "how-to" / "run-on-many-machines.md")
    url = f"http://127.0.0.1:{port}"
    ready = READY.format(url=url)
    script = (
        f"trap 'jobs -p | xargs --no-run-if-empty kill' EXIT\nBPM_DATA_DIR={data} bpm db upgrade\n"
        f"{moved}{kinds}{ready}kill $(jobs -p); wait\n"
        f"{several.rstrip()} & server=$!\n{ready}kill $server; wait $server\n"
    )
    for written, meant in (
        ("systemctl stop bpm ", "true "),
        ("/var/lib/bpm", str(data)),
        ("postgresql://bpm@db.internal/bpm", target),
        ("postgresql://bpm:secret@db.internal/bpm", target),
        ("BPM_SECRET_KEY=...", f"BPM_SECRET_KEY=$(cat {data}/secret.key)"),
        ("BPM_HOST=0.0.0.0", f"BPM_HOST=127.0.0.1 BPM_PORT={port} BPM_DATA_DIR={tmp_path / 'own'}"),
    ):
        assert written in script
        script = script.replace(written, meant)
    try:
        printed = await run(script, url, tmp_path, {})
    finally:
        databases.drop(target)
    assert "Rows and digests of every table are the same on both sides." in printed
