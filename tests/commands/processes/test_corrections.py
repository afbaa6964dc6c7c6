"""What people do to an instance that stands still: retry it, take it to another version, find it by its key."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bpm.process import wait_tables
from bpm.testing import RunningApp, running_app
from tests.bpm.bpmn.player import flows, model
from tests.commands.playing import deploy, instance, older_waits, start

pytestmark = pytest.mark.anyio

FAILING = "start s; and f; xor a; xor b; end e1; end e2; end x: terminate\ns -> f -> a; f -> b; {}"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


async def test_a_retry_of_all_incidents_ends_where_the_first_one_ends_the_instance(app: RunningApp) -> None:
    """The others are gone with it, which is no reason to undo it."""
    await deploy(app, FAILING.format("a -> x if v = 1; a -> e1 if v = 2; b -> e2 if v = 1"))
    begun = await start(app, v=0)
    assert begun["status"] == "ERROR"
    state = await app.cmd("RetryIncidentCommand", instanceId=begun["instanceId"], variables={"v": 1})
    assert (state["status"], state["variables"]) == ("COMPLETED", {"v": 1})


@pytest.mark.parametrize("command", ["RetryIncidentCommand", "SkipFailedTaskCommand"])
async def test_every_incident_is_answered(app: RunningApp, command: str) -> None:
    """Those that stay are shown."""
    await deploy(app, FAILING.format("a -> e1 if v = 1; a -> x if v = 2; b -> e2 if v = 1"))
    begun = await start(app, v=0)
    assert len(begun["currentTasks"]) == 2
    state = await app.cmd(command, instanceId=begun["instanceId"], variables={"v": 1})
    assert state["status"] == "COMPLETED"


UNDONE = (
    "start s; task a; boundary c on a: compensate; task h undo; user u; end e: compensate\nc ~~ h\ns -> a -> u -> e"
)


async def _migrate(app: RunningApp, before: str, after: str, **variables: Any) -> list[str]:
    """What keeps an instance of one version from going on with the other; complete its tasks if nothing does."""
    await deploy(app, before)
    begun = await start(app, **variables)
    newer = await deploy(app, after)
    preview = await app.cmd(
        "MigrateProcessInstancesCommand", toDefinitionId=newer["id"], instanceId=begun["instanceId"], preview=True
    )
    return preview["instances"][0]["missing"]


SEQUENTIAL = "start s; user t many sequential over items as i; end e\ns -> t -> e"
PARALLEL = "start s; user t many parallel over items as i; end e\ns -> t -> e"


@pytest.mark.parametrize(
    ("before", "after", "missing"),
    [
        (SEQUENTIAL, PARALLEL, ["t"]),
        (PARALLEL, SEQUENTIAL, ["t"]),
        (SEQUENTIAL, "start s; user t many sequential 3 times; end e\ns -> t -> e", ["t"]),
        (SEQUENTIAL, SEQUENTIAL.replace("as i", "as i into r of i"), ["t"]),
        (SEQUENTIAL, "start s; user t; end e\ns -> t -> e", ["t"]),
        ("start s; catch c: message M; end e\ns -> c -> e", "start s; catch c: condition x; end e\ns -> c -> e", ["c"]),
        (
            "start s; user t; user u; boundary b on t: message M; end e; end f\ns -> t -> u -> e; b -> f",
            "start s; user t; user u; boundary b on u: message M; end e; end f\ns -> t -> u -> e; b -> f",
            ["b"],
        ),
        (
            "start s; event g; catch a: message A; catch b: message B; end e\ns -> g -> a -> e; g -> b -> e",
            "start s; event g; catch a: message A; catch b: message B; end e\ns -> g -> a -> b -> e",
            ["b"],
        ),
        (
            "start s; and f; user t; and j; end e\ns -> f -> t -> j -> e; f -> j",
            "start s; and f; user t; and j; user k; end e\ns -> f -> t -> j -> e; f -> k -> j",
            ["f-j"],
        ),
        (
            UNDONE,
            UNDONE.replace("boundary c on a: compensate; ", "").replace("\nc ~~ h", "").replace("task h undo; ", ""),
            ["a"],
        ),
        (UNDONE, UNDONE.replace("task h undo", "task other undo").replace("~~ h", "~~ other"), []),
        (UNDONE, UNDONE.replace("s -> a", "s -> x -> a").replace("task a", "task x; task a"), []),
        (PARALLEL, PARALLEL.replace("end e", "user u; end e").replace("t -> e", "t -> u -> e"), []),
    ],
)
async def test_a_migration_is_refused_where_what_is_stored_would_mean_something_else(
    app: RunningApp, before: str, after: str, missing: list[str]
) -> None:
    """It names the elements; before, such an instance could never be answered again."""
    assert await _migrate(app, before, after, items=[1, 2, 3]) == missing


@pytest.mark.parametrize("key", [7, 7.0, "7"])
@pytest.mark.parametrize("sent", [7, 7.0, "7"])
async def test_keys_compare_as_values(app: RunningApp, key: Any, sent: Any) -> None:
    """A number has one text, however it is written."""
    text = '<bpm:message name="M" correlationKey="{{k}}"/>'
    body = f'<receiveTask id="r"><extensionElements>{text}</extensionElements></receiveTask>'
    xml = model(f'<startEvent id="s"/>{body}<endEvent id="e"/>' + flows("s > r > e"))
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=xml)
    begun = await start(app, k=key)
    told = await app.cmd("CorrelateMessageCommand", messageName="M", correlationKey=sent)
    assert told["instanceId"] == begun["instanceId"]
    assert (await instance(app, begun["instanceId"]))["status"] == "COMPLETED"


async def test_one_of_very_many_incidents_is_retried_by_its_wait(app: RunningApp) -> None:
    """Also the youngest; a wait that is none is refused with some of those that are."""
    await deploy(app, "start s; xor g; end e\ns -> g; g -> e if v")
    begun = await start(app)
    wait_id = begun["currentTasks"][0]["waitId"]
    await older_waits(app, wait_tables.MOST_SHOWN)
    refused = await app.send("RetryIncidentCommand", {"instanceId": begun["instanceId"], "waitId": wait_id + 1})
    assert refused.errors[0].startswith("waitId: must be one of its incidents, as ")
    assert refused.errors[0].count(",") == wait_tables.MOST_NAMED
    fields = {"instanceId": begun["instanceId"], "waitId": wait_id, "variables": {"v": True}}
    assert (await app.cmd("RetryIncidentCommand", **fields))["status"] == "COMPLETED"


async def test_a_variable_that_is_too_large_is_refused_with_its_limit(tmp_path: Path) -> None:
    """When an instance is started or retried; where another instance calls it, the call stops with that sentence."""
    large = {"large": "x" * 30_000}
    async with running_app(tmp_path, processes={"max_state_bytes": 20_000}) as app:
        await deploy(app, "start s; xor g; end e\ns -> g; g -> e if v", "called")
        await deploy(app, "start s; call c: called; end e\nc << large = part + part\ns -> c -> e")
        waiting = (await start(app, "called"))["instanceId"]
        for command, fields in (
            ("StartProcessInstanceCommand", {"processKey": "called", "variables": large}),
            ("RetryIncidentCommand", {"instanceId": waiting, "variables": large}),
        ):
            refused = await app.send(command, fields)
            sentence = (
                "variables: the variable 'large' would be larger than 20000 bytes (BPM_PROCESSES__MAX_STATE_BYTES)"
            )
            assert (refused.status, refused.errors) == (422, [sentence])
        stopped = await start(app, part="x" * 15_000)
        assert "the variable 'large' would be larger" in str(stopped["currentTasks"])
