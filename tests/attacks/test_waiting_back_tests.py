"""Back-tests that wait for one another keep nothing else waiting, however many one organisation asks for."""

import asyncio
from typing import Any

import pytest

from bpm.client import ServerRefused
from bpm.testing import RunningApp, running_app, until

pytestmark = pytest.mark.anyio

RULE = {"description": "d", "isEnabled": True, "action": "POST", "executionType": 0, "commandName": "PingQuery"}
PLACES = 4


async def done(app: RunningApp, count: int) -> list[Any] | None:
    """Return the requests that were executed, once there are so many."""
    found = (await app.cmd("GetInboundRequestListQuery", state="done"))["items"]
    return found if len(found) >= count else None


async def test_they_hold_no_place_of_the_worker() -> None:
    """As many as the worker has places, behind one that takes long: they held all, and no request was executed."""
    async with running_app(worker_concurrency=PLACES) as app:
        made = await app.cmd("CreateWebHookConfigCommand", key="paid", path="paid", **RULE)
        runs = app.app.components.routing.back_tests
        async with runs._one_at_a_time:  # pyright: ignore[reportPrivateUsage] one that takes long
            for _ in range(PLACES):
                await app.cmd("BackTestWebHookConfigCommand", id=made["id"], count=1_001)
            await asyncio.sleep(0.5)  # until the worker has taken up what it can
            await app.http.post("/api/webhooks/paid", json={})
            await until(lambda: done(app, 1), seconds=30)
            with pytest.raises(ServerRefused, match="4 back-tests run in the background already"):
                await app.cmd("BackTestWebHookConfigCommand", id=made["id"], count=1_001)
        await until(lambda: ended(app, made["id"]), seconds=60)


async def ended(app: RunningApp, id_: int) -> bool:
    """Tell whether there is room for another one in the background."""
    try:
        await app.cmd("BackTestWebHookConfigCommand", id=id_, count=1_001)
    except ServerRefused:
        return False
    return True
