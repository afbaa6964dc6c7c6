"""`sync` scripts: on disk with their outcome, or before the first command that they send; never promised and lost."""

import asyncio
from typing import Any

import pytest

from bpm.testing import RunningApp
from tests.router.conftest import rows, runs, stored, until

pytestmark = pytest.mark.anyio

SENDING = "send('PublishEventCommand', {'event': 'deferred-sent', 'data': {}})\nresult = 1"


async def script(app: RunningApp, key: str, code: str, **fields: Any) -> None:
    """Create a `sync` rule with a script."""
    executed = {"executionType": 2, "executionCode": code, "commandName": None, "parameters": None}
    await app.rule(key, **executed, responseMode="sync", **fields)


async def test_a_script_that_computes_is_written_once(app: RunningApp) -> None:
    """Its row has the outcome from the first."""
    await script(app, "computing", "result = payload['a'] + 1")
    answer = await app.hook("computing", {"a": 1})
    assert answer.status == 200
    await until(app, "computing", "done")
    (row,) = await rows(app, config_key="computing")
    assert (row.attempt, row.result["result"], row.request_id) == (1, 2, answer.headers["x-request-id"])


async def test_a_failing_script_is_written_with_its_reason(app: RunningApp) -> None:
    """A failure is kept as every other."""
    await script(app, "failing-script", "1 / 0")
    answer = await app.hook("failing-script", {})
    (kept,) = await until(app, "failing-script", "failed")
    assert (answer.status, len(kept["errors"])) == (422, 1)


@pytest.mark.parametrize("code", [SENDING, f"{SENDING}\n1 / 0"])
async def test_a_script_that_sends_is_on_disk_before(app: RunningApp, code: str) -> None:
    """The request is written before its first command, and the outcome into the same row afterwards."""
    key = f"sending-{len(code)}"
    before = await runs(app, "deferred-sent")
    await script(app, key, code)
    await app.hook(key, {})
    await until(app, key, "failed" if "/" in code else "done")
    assert await runs(app, "deferred-sent") == before + 1


async def test_who_is_told_to_wait_finds_the_request(hurried_app: RunningApp) -> None:
    """At the time limit the request is on disk before 202 is answered, and is settled when its script is ended."""
    await script(hurried_app, "waiting-script", "while True:\n    pass")
    answer = await hurried_app.hook("waiting-script", {})
    assert answer.status == 202
    (kept,) = await stored(hurried_app, "waiting-script")
    assert kept["requestId"] == answer.data["requestId"]
    await until(hurried_app, "waiting-script", "failed", seconds=60)


async def test_many_at_once_are_each_written_once(app: RunningApp) -> None:
    """Sending and computing ones beside each other leave a row each."""
    await script(app, "mixed-script", f"if payload['n'] % 2:\n    {SENDING.splitlines()[0]}\nresult = payload['n']")
    await asyncio.gather(*(app.hook("mixed-script", {"n": n}) for n in range(12)))
    kept = await until(app, "mixed-script", *["done"] * 12, seconds=60)
    results = [(await app.cmd("GetInboundRequestByIdQuery", requestId=one["requestId"]))["result"] for one in kept]
    assert sorted(result["result"] for result in results) == list(range(12))
