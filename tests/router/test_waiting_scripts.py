"""A script that waits for its turn is put off: that is neither its time nor an attempt of its request."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bpm.testing import RunningApp, running_app, until
from tests.scripts.crowd import all_places_held

pytestmark = pytest.mark.anyio


async def request_of(app: RunningApp, key: str) -> dict[str, Any]:
    """Return the one request of a rule."""
    (item,) = (await app.cmd("GetInboundRequestListQuery", configKey=key))["items"]
    return item


async def test_a_request_whose_script_has_no_turn_is_put_off() -> None:
    """It stays pending without a failed attempt, and is executed when there is a place."""
    async with running_app() as app:
        sandbox = app.app.sandbox
        sandbox.limits = replace(sandbox.limits, wait_seconds=0.2)
        await app.rule("crowded", executionType=2, executionCode="return 1", retry={"attempts": 1})
        async with all_places_held(sandbox):
            before = sandbox.ends["busy"]
            await app.hook("crowded", {})
            await until(lambda: asyncio.sleep(0, sandbox.ends["busy"]), lambda times: times >= before + 2)
            waiting = await request_of(app, "crowded")
        done = await until(lambda: request_of(app, "crowded"), lambda item: item["state"] == "done")
    assert (waiting["state"], waiting["errors"]) == ("pending", None)
    assert done["attempt"] == 1


async def test_a_script_is_not_ended_for_the_time_it_waited() -> None:
    """Its effect may take a second, and waits for longer."""
    async with running_app(effect_seconds=2.0) as app:
        async with all_places_held(app.app.sandbox):
            running = asyncio.create_task(app.cmd("ExecuteCodeCommand", code="return 1"))
            await asyncio.sleep(2.5)
        assert (await running)["result"] == 1


async def test_whoever_sends_a_script_that_has_no_turn_is_told() -> None:
    """The sentence says that it waited, and the status that trying again later helps."""
    async with running_app() as app:
        sandbox = app.app.sandbox
        sandbox.limits = replace(sandbox.limits, wait_seconds=0.2)
        async with all_places_held(sandbox):
            answer = await app.send("ExecuteCodeCommand", {"code": "return 1"})
    assert answer.status == 503
    assert "waited 0.2 s for its turn" in answer.errors[0]
