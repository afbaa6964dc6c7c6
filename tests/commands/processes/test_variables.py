"""Variables of a running instance are corrected by a command, which the history keeps."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bpm.testing import RunningApp, running_app
from tests.commands.playing import deploy, instance, start

pytestmark = pytest.mark.anyio


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path, processes={"max_state_bytes": 20_000}) as running:
        yield running


async def set_variables(app: RunningApp, instance_id: int, **variables: object) -> dict[str, Any]:
    """Set them."""
    return await app.cmd("SetProcessVariablesCommand", instanceId=instance_id, variables=variables)


async def test_conditions_hold_at_once_and_the_history_says_who(app: RunningApp) -> None:
    """The task is left by its boundary event; what was not named stays."""
    await deploy(
        app, "start s; user t; boundary b on t: condition done = true; user c; end e\ns -> t -> e; b -> c -> e"
    )
    begun = await start(app, done=False, n=1)
    state = await set_variables(app, begun["instanceId"], done=True, note="by hand")
    assert [task["elementId"] for task in state["currentTasks"]] == ["c"]
    assert state["variables"] == {"done": True, "n": 1, "note": "by hand"}
    history = await app.cmd("GetProcessInstanceHistoryQuery", instanceId=begun["instanceId"])
    (changed,) = [entry for entry in history["items"] if entry["event"] == "changed"]
    assert changed["values"] == {"by": "admin", "variables": {"done": True, "note": "by hand"}}
    assert changed["elementId"] == "p"


async def test_an_incident_stays_until_it_is_answered(app: RunningApp) -> None:
    """Setting variables mends its cause; the retry then goes on."""
    await deploy(app, "start s; xor g; user u; end e\ns -> g\ng -> u if n > 1\nu -> e")
    begun = await start(app, n=0)
    assert begun["status"] == "ERROR"
    state = await set_variables(app, begun["instanceId"], n=2)
    assert state["status"] == "ERROR"
    retried = await app.cmd("RetryIncidentCommand", instanceId=begun["instanceId"])
    assert [task["elementId"] for task in retried["currentTasks"]] == ["u"]


async def test_what_does_not_fit_is_refused(app: RunningApp) -> None:
    """Ended and unknown instances, nothing to set, and values that are too large, one by one or together."""
    await deploy(app, "start s; user t; end e\ns -> t -> e")
    begun = await start(app)
    number = begun["instanceId"]
    for variables, status in (({}, 422), ({"a": "x" * 30_000}, 422)):
        fields = {"instanceId": number, "variables": variables}
        assert (await app.send("SetProcessVariablesCommand", fields)).status == status
    await set_variables(app, number, a="x" * 12_000)
    reply = await app.send("SetProcessVariablesCommand", {"instanceId": number, "variables": {"b": "x" * 12_000}})
    assert "BPM_PROCESSES__MAX_STATE_BYTES" in str(reply.errors)
    assert list((await instance(app, number))["variables"]) == ["a"]
    await app.cmd("CancelProcessInstanceCommand", instanceId=number)
    assert (await app.send("SetProcessVariablesCommand", {"instanceId": number, "variables": {"a": 1}})).status == 409
    assert (await app.send("SetProcessVariablesCommand", {"instanceId": 999, "variables": {"a": 1}})).status == 404
