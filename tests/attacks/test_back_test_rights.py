"""A back-test in the background is done for whoever asked for it: they are asked anew while it runs."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bpm.testing import RunningApp, running_app, until
from tests.attacks.people import Person, person
from tests.crowd import fill

pytestmark = pytest.mark.anyio

RULE = {"key": "paid", "description": "d", "isEnabled": True, "path": "paid", "action": "POST", "executionType": 0}
PUBLISH = {"commandName": "PublishEventCommand", "parameters": {"event": "paid"}}


async def disabled(app: RunningApp, asker: Person) -> None:
    await app.cmd("DisableUserCommand", id=asker.id)


async def demoted(app: RunningApp, asker: Person) -> None:
    await app.cmd("UpdateUserCommand", id=asker.id, roles=["viewer"])


@pytest.mark.parametrize(
    ("stop", "sentence"), [(None, None), (disabled, "is disabled"), (demoted, "needs the permission webhooks:write")]
)
async def test_it_ends_when_they_may_no_longer(
    tmp_path: Path, stop: Callable[[RunningApp, Person], Awaitable[None]] | None, sentence: str | None
) -> None:
    """It is asked for while no worker runs, so that rights are taken away before it begins."""
    async with running_app(tmp_path, worker=False) as app:
        asker = await person(app, "asker", "admin")
        made = await app.cmd("CreateWebHookConfigCommand", **RULE, **PUBLISH)
        shared: dict[str, Any] = {"config_id": made["id"], "path": "paid", "state": "done", "cause": None}
        await fill(app.app.database, 1_100, **shared)
        begun = await asker.client.cmd("BackTestWebHookConfigCommand", id=made["id"], count=2_000)
        assert begun["state"] == "waiting"
        if stop is not None:
            await stop(app, asker)
    async with running_app(tmp_path) as app:
        found = await until(
            lambda: app.cmd("GetBackTestQuery", backTestId=begun["backTestId"]),
            lambda found: found["state"] in ("done", "failed"),
        )
    if sentence is None:
        assert (found["state"], found["compared"]) == ("done", 1_100)
    else:
        assert (found["state"], found["compared"], found["changed"]) == ("failed", 0, [])
        assert sentence in found["error"]
        assert "asker" in found["error"]
