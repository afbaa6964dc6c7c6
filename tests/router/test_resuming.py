"""Whatever happens in the moment in which a rule goes on, nothing waits for the minute's look for forgotten work."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bpm.testing import RunningApp, running_app
from tests.router.conftest import PROBES, noting, stored

pytestmark = pytest.mark.anyio


@pytest.fixture
async def app() -> AsyncIterator[RunningApp]:
    async with running_app(command_packages=(PROBES,)) as running:
        yield running


async def settle(app: RunningApp, key: str) -> None:
    """Wait until every request of a rule is done, for less than the minute after which forgotten work is found."""
    async with asyncio.timeout(20):
        while not all(each["state"] == "done" for each in await stored(app, key)):
            await asyncio.sleep(0.02)


async def test_a_replay_while_its_rule_goes_on_waits_for_nothing(app: RunningApp) -> None:
    """Its job finds the rule paused, and is about to end when the rule goes on."""
    rule = await noting(app, "going-on")
    await app.hook("going-on", {})
    await settle(app, "going-on")
    (done,) = await stored(app, "going-on")

    async def resume_after(seconds: float) -> None:
        await asyncio.sleep(seconds)
        await app.cmd("ResumeWebHookConfigCommand", id=rule["id"])

    for number in range(25):
        await app.cmd("PauseWebHookConfigCommand", id=rule["id"])
        await asyncio.gather(
            app.cmd("ReplayInboundRequestCommand", requestId=done["requestId"], force=True),
            resume_after(number / 1_000),
        )
        await settle(app, "going-on")


async def test_what_is_accepted_while_its_rule_goes_on_waits_for_nothing(app: RunningApp) -> None:
    """It was judged while the rule was paused, and stored when it went on."""
    rule = await noting(app, "arriving")
    for _ in range(15):
        await app.cmd("PauseWebHookConfigCommand", id=rule["id"])
        await asyncio.gather(
            *(app.hook("arriving", {"n": n}) for n in range(6)),
            app.cmd("ResumeWebHookConfigCommand", id=rule["id"]),
            *(app.hook("arriving", {"n": n}) for n in range(6)),
        )
        await settle(app, "arriving")
