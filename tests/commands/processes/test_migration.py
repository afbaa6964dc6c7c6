"""Instances go on with another version: what it adds listens at once, what it lacks ends, the rest stays as it is."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bpm.testing import RunningApp, running_app, until
from tests.commands.playing import bpmn, deploy, instance, instances, start

pytestmark = pytest.mark.anyio

PLAIN = "start s; user t; end e\ns -> t -> e"
GUARDED = "start s; user t; boundary b on t: {event}; end e; end f\ns -> t -> e; b -> f"


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.embedded), "postgres"])
async def app(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunningApp]:
    options = {} if request.param == "sqlite" else {"database_url": request.getfixturevalue("postgres_url")}
    async with running_app(tmp_path, **options) as running:
        yield running


async def deploy_keyed(app: RunningApp, text: str) -> dict[str, Any]:
    """Deploy a process whose messages have the correlation key `k`."""
    words = '<extensionElements><zeebe:subscription correlationKey="=k"/></extensionElements>'
    xml = bpmn(text).replace('name="M" />', 'name="M"/>').replace('name="M"/>', f'name="M">{words}</message>')
    return await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=xml)


async def migrate(app: RunningApp, instance_id: int, target: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Take one instance to another version."""
    return await app.cmd(
        "MigrateProcessInstancesCommand", instanceId=instance_id, toDefinitionId=target["id"], **fields
    )


def waits(state: dict[str, Any]) -> list[str]:
    """The elements that an instance waits at, in alphabetical order."""
    return sorted(task["elementId"] for task in state["currentTasks"])


async def test_a_preview_says_what_begins_and_what_ends_and_does_nothing(app: RunningApp) -> None:
    """The migration then does exactly that, and the history has a line of it."""
    await deploy(app, GUARDED.format(event="timer PT1H"))
    begun = (await start(app))["instanceId"]
    other = await deploy(
        app, GUARDED.format(event="signal G").replace("boundary b", "boundary c").replace("b ->", "c ->")
    )
    preview = await migrate(app, begun, other, preview=True)
    assert preview["instances"] == [
        {"instanceId": begun, "missing": [], "begins": ["c"], "ends": ["b"], "notListening": None, "problem": None}
    ]
    assert waits(await instance(app, begun)) == ["b", "t"]
    done = await migrate(app, begun, other)
    assert (done["migrated"], done["instances"]) == (1, preview["instances"])
    assert waits(await instance(app, begun)) == ["c", "t"]
    page = await app.cmd("GetProcessInstanceHistoryQuery", instanceId=begun)
    (changed,) = [entry["values"] for entry in page["items"] if entry["event"] == "changed"]
    assert changed == {"by": "admin", "begins": ["c"], "ends": ["b"]}
    await app.cmd("BroadcastSignalCommand", signalName="G")
    await instances(app, "p", 1)


async def test_a_new_timer_fires(app: RunningApp) -> None:
    """It counts from the migration."""
    await deploy(app, PLAIN)
    begun = (await start(app))["instanceId"]
    await migrate(app, begun, await deploy(app, GUARDED.format(event="timer PT0S")))
    await until(lambda: instance(app, begun), lambda found: found["status"] == "COMPLETED", seconds=60)


async def test_a_new_message_event_takes_the_message_that_came_early(app: RunningApp) -> None:
    """As it would have if it had listened from the start."""
    await deploy(app, PLAIN)
    begun = (await start(app, k="7"))["instanceId"]
    fields = {"messageName": "M", "correlationKey": "7", "timeToLiveSeconds": 3600}
    await app.cmd("CorrelateMessageCommand", **fields)
    await migrate(app, begun, await deploy_keyed(app, GUARDED.format(event="message M")))
    assert (await instance(app, begun))["status"] == "COMPLETED"


async def test_a_message_event_that_is_gone_is_found_by_no_message(app: RunningApp) -> None:
    """Its row is gone with it."""
    await deploy_keyed(app, GUARDED.format(event="message M"))
    begun = (await start(app, k="7"))["instanceId"]
    await migrate(app, begun, await deploy(app, PLAIN))
    told = await app.send("CorrelateMessageCommand", {"messageName": "M", "correlationKey": "7"})
    assert (told.status, waits(await instance(app, begun))) == (404, ["t"])


async def test_an_event_that_cannot_listen_refuses_the_migration_by_name(app: RunningApp) -> None:
    """Of several instances as well: then none is migrated."""
    first = await deploy(app, PLAIN)
    good = (await start(app, k="7"))["instanceId"]
    bad = (await start(app))["instanceId"]
    other = await deploy_keyed(app, GUARDED.format(event="message M"))
    fields = {"fromDefinitionId": first["id"], "toDefinitionId": other["id"]}
    preview = await app.cmd("MigrateProcessInstancesCommand", **fields, preview=True)
    assert (preview["migrated"], preview["refused"]) == (1, 1)
    refused = await app.send("MigrateProcessInstancesCommand", fields)
    assert refused.status == 409
    assert refused.errors == [f"instance {bad}: 'b' can't begin to listen; a preview says why"]
    (told,) = [each for each in preview["instances"] if each["notListening"]]
    assert told["problem"].startswith("'b' can't begin to listen: the correlation key of message 'M'")
    assert waits(await instance(app, good)) == ["t"]
    await app.cmd("SetProcessVariablesCommand", instanceId=bad, variables={"k": "8"})
    assert (await app.cmd("MigrateProcessInstancesCommand", **fields))["migrated"] == 2
    assert waits(await instance(app, bad)) == ["b", "t"]


async def test_a_new_condition_that_holds_goes_on_at_once(app: RunningApp) -> None:
    """In the same transaction."""
    await deploy(app, PLAIN)
    begun = (await start(app, x=1))["instanceId"]
    await migrate(app, begun, await deploy(app, GUARDED.format(event="condition x = 1")))
    assert (await instance(app, begun))["status"] == "COMPLETED"


async def test_events_listen_in_turns_that_are_stored_one_by_one(app: RunningApp) -> None:
    """In each of them, and they end there as well."""
    inside = (
        "sub q many parallel over items as i {{\nstart b; user t; end j\nb -> t -> j\n{}}}\nstart s; end e\ns -> q -> e"
    )
    plain = inside.format("")
    guarded = inside.format("esp v {\nstart~ m: signal G; user u; end ve\nm -> u -> ve\n}\n")
    old = await deploy(app, plain)
    begun = (await start(app, items=list(range(20))))["instanceId"]
    new = await deploy(app, guarded)
    await migrate(app, begun, new)
    await app.cmd("BroadcastSignalCommand", signalName="G")

    async def open_tasks() -> int:
        found = await app.cmd("GetUserTaskListQuery", instanceId=begun, pageSize=1)
        return found["totalCount"]

    assert await until(open_tasks, lambda count: count == 40, seconds=60) == 40
    refused = await app.send("MigrateProcessInstancesCommand", {"instanceId": begun, "toDefinitionId": old["id"]})
    assert "stands on" in str(refused.errors)


CHILD = "start s; user w; end x: error E\ns -> w -> x"
CALLING = "start s; call c: {child}; end e\ns -> c -> e"
CATCHING = "start s; call c: {child}; boundary b on c: error E; end e; end f\ns -> c -> e; b -> f"


@pytest.mark.parametrize("depth", [1, 2])
async def test_a_called_instance_knows_what_the_new_version_catches(app: RunningApp, depth: int) -> None:
    """However many calls lie between the two."""
    await deploy(app, CHILD, "child")
    await deploy(app, CALLING.format(child="child"), "middle")
    called = "child" if depth == 1 else "middle"
    await deploy(app, CALLING.format(child=called))
    begun = (await start(app))["instanceId"]
    await migrate(app, begun, await deploy(app, CATCHING.format(child=called)))
    (task,) = (await app.cmd("GetUserTaskListQuery"))["items"]
    await app.cmd("CompleteUserTaskCommand", instanceId=task["instanceId"], waitId=task["waitId"], variables={})
    assert (await instance(app, begun))["status"] == "COMPLETED"


async def test_a_called_instance_knows_what_is_caught_no_longer(app: RunningApp) -> None:
    """The error is an incident where it is thrown, as without a catcher from the start."""
    await deploy(app, CHILD, "child")
    await deploy(app, CATCHING.format(child="child"))
    begun = (await start(app))["instanceId"]
    await migrate(app, begun, await deploy(app, CALLING.format(child="child")))
    (task,) = (await app.cmd("GetUserTaskListQuery"))["items"]
    state = await app.cmd("CompleteUserTaskCommand", instanceId=task["instanceId"], waitId=task["waitId"], variables={})
    assert (state["status"], (await instance(app, begun))["status"]) == ("ERROR", "WAITING")
