"""Ad hoc sub-processes on a running application."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpm.testing import RunningApp, running_app
from tests.commands.playing import deploy, instance, instances, start

pytestmark = pytest.mark.anyio

MODEL = "start s; end e\ns -> hoc -> e\nadhoc hoc: enough {\nuser a; script b: x = x + 1; user c\n}"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


async def test_a_command_begins_activities(app: RunningApp) -> None:
    """The task lists what can be begun; a person ends it by what they answer."""
    await deploy(app, MODEL)
    state = await start(app, enough=False, x=0)
    (task,) = state["currentTasks"]
    assert (state["status"], task["kind"], task["detail"]) == ("WAITING", "adHoc", {"activities": ["a", "b", "c"]})
    about = {"instanceId": state["instanceId"]}
    state = await app.cmd("ActivateAdHocActivitiesCommand", **about, activities=["b", "b", "a"], variables={"x": 5})
    assert sorted(task["elementId"] for task in state["currentTasks"]) == ["a", "hoc"]
    assert (await instance(app, about["instanceId"]))["variables"]["x"] == 7
    (task,) = (await app.cmd("GetUserTaskListQuery"))["items"]
    await app.cmd("CompleteUserTaskCommand", **about, waitId=task["waitId"], variables={"enough": True})
    assert await instances(app, "p", 1)


async def test_what_cannot_be_begun_is_refused(app: RunningApp) -> None:
    """With a sentence that says what can."""
    await deploy(app, MODEL)
    about = {"instanceId": (await start(app, enough=False, x=0))["instanceId"]}
    refused = await app.send("ActivateAdHocActivitiesCommand", {**about, "activities": ["z"]})
    assert refused.status == 422
    assert "'z' can't be begun in 'hoc'; what can is a, b, c" in refused.errors[0]
    refused = await app.send("ActivateAdHocActivitiesCommand", about)
    assert refused.errors == ["activities: name at least one, or set isLast"]
    refused = await app.send("ActivateAdHocActivitiesCommand", {**about, "elementId": "x", "isLast": True})
    assert "0 ad hoc sub-processes 'x' are open" in refused.errors[0]
    await app.cmd("ActivateAdHocActivitiesCommand", **about, isLast=True)
    assert await instances(app, "p", 1)


async def test_nothing_is_begun_where_an_event_sub_process_has_taken_over(app: RunningApp) -> None:
    """The interrupted sub-process ends with the one that interrupted it."""
    inner = "esp r {\nstart q: message stop; user u; end z\nq -> u -> z\n}"
    await deploy(app, f"start s; end e\ns -> hoc -> e\nadhoc hoc {{\nuser a\n{inner}\n}}")
    about = {"instanceId": (await start(app))["instanceId"]}
    await app.cmd("CorrelateMessageCommand", messageName="stop")
    assert [task["elementId"] for task in (await instance(app, about["instanceId"]))["currentTasks"]] == ["u"]
    refused = await app.send("ActivateAdHocActivitiesCommand", {**about, "activities": ["a"]})
    assert "0 ad hoc sub-processes are open" in refused.errors[0]


@pytest.mark.parametrize("cancels", ["true", "false"])
async def test_an_end_with_a_called_process_still_running_ends_or_awaits_it(app: RunningApp, cancels: str) -> None:
    """As `cancelRemainingInstances` says: the called process is cancelled, or its answer is waited for."""
    await deploy(app, "start s; user w; end e\ns -> w -> e", "child")
    await deploy(
        app,
        "start s; user z; end e\ns -> hoc -> z -> e\n"
        f'adhoc hoc cancelRemainingInstances="{cancels}": enough {{\nuser a; call c: child\n}}',
    )
    about = {"instanceId": (await start(app, enough=False))["instanceId"]}
    await app.cmd("ActivateAdHocActivitiesCommand", **about, activities=["a", "c"])
    (task,) = (await app.cmd("GetUserTaskListQuery", **about))["items"]
    state = await app.cmd("CompleteUserTaskCommand", **about, waitId=task["waitId"], variables={"enough": True})
    called = await app.cmd("GetProcessInstanceListQuery", processKey="child")
    (child,) = called["items"]
    open_at = [task["elementId"] for task in state["currentTasks"]]
    assert (child["status"], open_at) == (("CANCELLED", ["z"]) if cancels == "true" else ("WAITING", ["c"]))
    if cancels == "false":
        await app.cmd("SignalProcessInstanceCommand", instanceId=child["instanceId"], variables={})
        assert [task["elementId"] for task in (await instance(app, about["instanceId"]))["currentTasks"]] == ["z"]
