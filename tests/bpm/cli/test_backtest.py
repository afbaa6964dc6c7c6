"""`bpm backtest`, against a running server."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from typer.testing import CliRunner

from bpm.cli import main
from bpm.testing import ADMINISTRATOR, PASSWORD, ServerProcess

pytestmark = pytest.mark.anyio

RULE = {"commandName": "PublishEventCommand", "parameters": {"event": "paid"}}


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ServerProcess]:
    """A server with a rule and one request."""
    async with ServerProcess() as server:
        await server.rule("paid", **RULE)
        await server.hook("paid", {"id": 1})
        await server.settled()
        yield server


async def backtest(server: ServerProcess, *words: str) -> Any:
    environment = {"BPM_URL": server.url, "BPM_USERNAME": ADMINISTRATOR, "BPM_PASSWORD": PASSWORD, "BPM_TOKEN": None}
    run = partial(CliRunner().invoke, main, ["backtest", *words], env=environment)
    return await anyio.to_thread.run_sync(run)


async def test_nothing_changes(server: ServerProcess) -> None:
    """A saved configuration changes nothing, and the exit status is 0."""
    result = await backtest(server, "paid", "--format", "text")
    assert (result.exit_code, result.stdout) == (0, "1 requests: 1 same\n")


async def test_a_difference_is_an_exit_status(server: ServerProcess, tmp_path: Path) -> None:
    """A draft that changes something ends with status 3, in the background as well."""
    draft = {"description": "d", "isEnabled": True, "path": "paid", "action": "POST", "executionType": 0}
    file = tmp_path / "draft.json"
    file.write_text(json.dumps({**draft, **RULE, "allowableIPs": "10.0.0.0/8"}))
    result = await backtest(server, "paid", "--draft", str(file), "--count", "5000")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["state"], found["counts"]["refused"]) == (3, "done", 1)


async def test_an_unknown_key_is_refused(server: ServerProcess) -> None:
    """A key that no configuration has ends with the server's words."""
    result = await backtest(server, "nothing")
    assert (result.exit_code, "No webhook configuration" in result.stderr) == (4, True)
