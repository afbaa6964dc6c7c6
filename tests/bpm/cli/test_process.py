"""`bpm process`, as a modeller uses it."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import anyio.to_thread
import pytest
from typer.testing import CliRunner

from bpm.cli import main
from bpm.testing import ADMINISTRATOR, PASSWORD, ServerProcess
from tests.commands.playing import bpmn

pytestmark = pytest.mark.anyio

GOOD = bpmn("start s; end e\ns -> e", "order")
BAD = bpmn("start s; task t; end e\ns -> e", "order")


@pytest.fixture
async def server() -> AsyncIterator[ServerProcess]:
    async with ServerProcess() as server:
        yield server


def test_a_file_is_checked_without_a_server(tmp_path: Path) -> None:
    """Every problem with its line and element; the names of the processes when there is none."""
    good, bad = tmp_path / "good.bpmn", tmp_path / "bad.bpmn"
    good.write_text(GOOD)
    bad.write_text(BAD)
    assert CliRunner().invoke(main, ["process", "check", str(good)]).stdout == f"{good}: order\n"
    refused = CliRunner().invoke(main, ["process", "check", str(bad)])
    assert refused.exit_code == 1
    assert "'t': no path from a start event leads to it" in refused.stderr
    away = CliRunner().invoke(main, ["process", "check", str(tmp_path / "away.bpmn")])
    assert "can't be read" in away.stderr


async def test_a_file_is_deployed(server: ServerProcess, tmp_path: Path) -> None:
    """As the next version; a refused one shows what is wrong."""
    file = tmp_path / "order.bpmn"
    file.write_text(GOOD)
    known = {"BPM_URL": server.url, "BPM_USERNAME": ADMINISTRATOR, "BPM_PASSWORD": PASSWORD}
    run = partial(CliRunner().invoke, main, ["process", "deploy", str(file)], env=known)
    done = await anyio.to_thread.run_sync(run)
    assert '"version":1' in done.stdout
    file.write_text(BAD)
    refused = await anyio.to_thread.run_sync(run)
    assert refused.exit_code != 0
    assert "no path from a start event" in refused.stderr


async def test_versions_are_compared(server: ServerProcess, tmp_path: Path) -> None:
    """Each element that differs is a line, with its fields below; the exit status is that of a difference."""
    file = tmp_path / "order.bpmn"
    known = {"BPM_URL": server.url, "BPM_USERNAME": ADMINISTRATOR, "BPM_PASSWORD": PASSWORD}
    for text in (GOOD, GOOD.replace('<endEvent id="e"', '<endEvent id="e" name="Paid"')):
        file.write_text(text)
        await anyio.to_thread.run_sync(partial(CliRunner().invoke, main, ["process", "deploy", str(file)], env=known))
    run = partial(CliRunner().invoke, main, ["process", "diff", "1", "2", "--format", "text"], env=known)
    found = await anyio.to_thread.run_sync(run)
    assert found.exit_code == 3
    assert found.stdout.splitlines() == [
        "changed endEvent e (Paid)",
        '  name: nothing -> "Paid"',
        "0 added, 0 removed, 1 changed",
    ]
    same = partial(CliRunner().invoke, main, ["process", "diff", "2", "2", "--format", "text"], env=known)
    assert (await anyio.to_thread.run_sync(same)).exit_code == 0
    away = partial(CliRunner().invoke, main, ["process", "diff", "2", "9", "--decisions"], env=known)
    refused = await anyio.to_thread.run_sync(away)
    assert "there is no decision definition 2" in refused.stderr
