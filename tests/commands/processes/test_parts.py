"""Instances of many turns or branches are stored in parts: an answer to one of them reads and writes that one."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic_core import from_json, to_json
from sqlalchemy import text

from bpm.bpmn.state import Instance
from bpm.process import instance_tables
from bpm.process.parts import whole_state
from bpm.testing import RunningApp, running_app, until
from tests.commands.playing import deploy, instance, start, trace
from tests.commands.processes.test_growth import fork

pytestmark = pytest.mark.anyio

USERS = "start s; user t many {kind} over items as i into out of i; end e\ns -> t -> e"


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.embedded), "postgres"])
async def app(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunningApp]:
    options = {} if request.param == "sqlite" else {"database_url": request.getfixturevalue("postgres_url")}
    async with running_app(tmp_path, **options) as running:
        yield running


async def rows(app: RunningApp, statement: str, **values: Any) -> list[Any]:
    """Read rows of the database as they are."""
    return await app.app.database.read(lambda tx: list(tx.connection.execute(text(statement), values).all()))


async def tasks(app: RunningApp, instance_id: int) -> list[int]:
    """Return the waits of the open user tasks, the oldest first."""
    found = await app.cmd("GetUserTaskListQuery", instanceId=instance_id, pageSize=200)
    return [task["waitId"] for task in found["items"]]


async def complete(app: RunningApp, instance_id: int, wait_id: int, **variables: Any) -> dict[str, Any]:
    """Complete a user task."""
    return await app.cmd("CompleteUserTaskCommand", instanceId=instance_id, waitId=wait_id, variables=variables)


async def ended(app: RunningApp, instance_id: int) -> dict[str, Any]:
    """Wait until an instance has ended."""
    return await until(
        lambda: instance(app, instance_id), lambda found: found["status"] not in ("RUNNING", "WAITING"), seconds=60
    )


@pytest.mark.parametrize("kind", ["parallel", "sequential"])
async def test_turns_end_in_any_order_and_leave_nothing(app: RunningApp, kind: str) -> None:
    """The outputs stand in the order of the items; nothing is stored of an instance that has ended but its state."""
    await deploy(app, USERS.format(kind=kind))
    begun = await start(app, items=list(range(40)))
    assert await rows(app, "SELECT 1 FROM process_part")
    number = begun["instanceId"]
    state: dict[str, Any] = begun
    for _ in range(40):
        waiting = await tasks(app, number)
        state = await complete(app, number, waiting[-1])
    assert (state["status"], state["variables"]["out"]) == ("COMPLETED", list(range(40)))
    assert await rows(app, "SELECT 1 FROM process_part") == []
    assert await rows(app, "SELECT parts_size FROM process_instance") == [(0,)]


async def test_the_state_beside_the_turns_stays_small(app: RunningApp) -> None:
    """What an answer writes does not grow with the number of turns."""
    await deploy(app, USERS.format(kind="parallel"))
    sizes = []
    for number in (50, 150):
        begun = await start(app, items=[0] * number)
        await complete(app, begun["instanceId"], (await tasks(app, begun["instanceId"]))[0])
        found = await rows(app, "SELECT length(state) FROM process_instance WHERE id = :id", id=begun["instanceId"])
        sizes.append(found[0][0] - 2 * number)
    assert sizes[1] < sizes[0] + 20


async def test_branches_end_in_any_order_and_leave_nothing(app: RunningApp) -> None:
    """They wait for one another at the join; what is stored of them goes with each."""
    await deploy(app, fork(40))
    begun = await start(app, amount=7)
    state: dict[str, Any] = begun
    for number in range(40):
        assert await rows(app, "SELECT count(*) FROM process_part") == [(40 - number,)]
        state = await complete(app, begun["instanceId"], (await tasks(app, begun["instanceId"]))[-1], last=number)
    assert (state["status"], state["variables"]) == ("COMPLETED", {"amount": 7, "last": 39})
    assert await rows(app, "SELECT parts_size FROM process_instance") == [(0,)]


async def test_the_state_beside_the_branches_stays_small(app: RunningApp) -> None:
    """What an answer writes does not grow with the number of branches that still wait."""
    sizes = []
    for number in (50, 150):
        await deploy(app, fork(number), f"p{number}")
        begun = await start(app, f"p{number}")
        await complete(app, begun["instanceId"], (await tasks(app, begun["instanceId"]))[0])
        found = await rows(app, "SELECT length(state) FROM process_instance WHERE id = :id", id=begun["instanceId"])
        sizes.append(found[0][0])
    assert sizes[1] < sizes[0] + 20


async def test_branches_that_an_earlier_version_wrote_in_one_piece_go_on(app: RunningApp) -> None:
    """They are taken apart with the next answer."""
    await deploy(app, fork(30))
    number = (await start(app))["instanceId"]
    await app.app.database.write(lambda tx: _write_as_before(tx, app, number))
    state: dict[str, Any] = {}
    for left in range(30, 0, -1):
        state = await complete(app, number, (await tasks(app, number))[0])
        assert await rows(app, "SELECT count(*) FROM process_part") == [(left - 1,)]
    assert state["status"] == "COMPLETED"


async def test_what_ends_all_branches_ends_those_not_at_hand(app: RunningApp) -> None:
    """A cancelled instance, a boundary event around them, and one of them that terminates the others."""
    inside = fork(40).replace("start s", "start qs").replace("s -> f", "qs -> f")
    around = f"start s; sub q {{\n{inside}\n}}\nboundary b on q: message M; end z; end y\ns -> q -> z; b -> y"
    await deploy(app, around)
    first, second = [(await start(app))["instanceId"] for _ in range(2)]
    await app.cmd("CancelProcessInstanceCommand", instanceId=first)
    await app.cmd("CorrelateMessageCommand", messageName="M")
    await deploy(app, f"{fork(40)}\nboundary b on t7: message N; end all: terminate\nb -> all")
    third = (await start(app))["instanceId"]
    await app.cmd("CorrelateMessageCommand", messageName="N")
    states = [(await instance(app, each))["status"] for each in (first, second, third)]
    assert states == ["CANCELLED", "COMPLETED", "COMPLETED"]
    assert await rows(app, "SELECT scope FROM process_part UNION SELECT wait_id FROM process_wait") == []


async def test_an_instance_written_by_an_earlier_version_goes_on(app: RunningApp) -> None:
    """Its state is in one piece, with the items that are left and the outputs in the note of the turns' scope."""
    for kind in ("parallel", "sequential"):
        await deploy(app, USERS.format(kind=kind), kind)
        begun = await start(app, kind, items=list(range(30)))
        number = begun["instanceId"]
        await app.app.database.write(lambda tx, number=number: _write_as_before(tx, app, number))
        state: dict[str, Any] = begun
        for _ in range(30):
            state = await complete(app, number, (await tasks(app, number))[0])
        assert (state["status"], state["variables"]["out"]) == ("COMPLETED", list(range(30)))


def _write_as_before(tx: Any, app: RunningApp, number: int) -> None:
    """Write an instance as the version before did."""
    row = instance_tables.find_instance(tx, number)
    assert row is not None
    context: Any = SimpleNamespace(tx=tx, box=app.app.bus.box)
    state = from_json(whole_state(context, row).to_json())
    state.pop("a", None)
    state.pop("k", None)
    for scope in state["x"]:
        if isinstance(scope[4], list):  # of turns
            _, total, begun, done, _ = scope[4]
            scope[4] = [list(range(begun, total)) or None, total, begun, done, [None] * total]
    assert Instance.from_json(to_json(state)).absent.tokens == 0
    values = {"id": number, "state": to_json(state).decode()}
    tx.connection.execute(text("UPDATE process_instance SET state = :state, parts_size = 0 WHERE id = :id"), values)
    tx.connection.execute(text("DELETE FROM process_part WHERE instance_id = :id"), values)
    tx.connection.execute(text("UPDATE process_wait SET turn = NULL WHERE instance_id = :id"), values)


async def test_called_processes_answer_their_turns(app: RunningApp) -> None:
    """Calls that no longer fit into a transaction answer the turn that asked, too."""
    await deploy(app, "start s; script t: r = i * 2; end e\ns -> t -> e", "child")
    await deploy(app, "start s; call c many parallel over items as i into out of r: child; end e\ns -> c -> e")
    begun = await start(app, items=list(range(120)))
    found = await ended(app, begun["instanceId"])
    assert (found["status"], len(found["variables"]["out"])) == ("COMPLETED", 120)
    assert await rows(app, "SELECT 1 FROM process_part") == []


async def test_the_end_of_all_turns_ends_those_not_at_hand(app: RunningApp) -> None:
    """A cancelled instance and a boundary event leave no wait, no task and no part behind."""
    await deploy(
        app, "start s; user t many parallel over items as i; boundary b on t: message M; end e\ns -> t -> e; b -> e"
    )
    first, second = [(await start(app, items=[0] * 60))["instanceId"] for _ in range(2)]
    await app.cmd("CancelProcessInstanceCommand", instanceId=first)
    await app.cmd("CorrelateMessageCommand", messageName="M")
    assert [(await instance(app, each))["status"] for each in (first, second)] == ["CANCELLED", "COMPLETED"]
    assert await rows(app, "SELECT scope FROM process_part UNION SELECT wait_id FROM process_wait") == []


async def test_a_state_in_parts_is_as_large_as_one_in_one_piece(tmp_path: Path) -> None:
    """The limit counts all parts together."""
    async with running_app(tmp_path, processes={"max_state_bytes": 20_000}) as app:
        await deploy(app, USERS.format(kind="parallel"))
        refused = await app.send("StartProcessInstanceCommand", {"processKey": "p", "variables": {"items": [0] * 200}})
        assert "BPM_PROCESSES__MAX_STATE_BYTES" in str(refused.errors)
        assert await rows(app, "SELECT 1 FROM process_part") == []


async def test_an_instance_in_parts_can_be_migrated(app: RunningApp) -> None:
    """Every turn is looked at; they go on with the new version."""
    await deploy(app, USERS.format(kind="parallel"))
    begun = await start(app, items=[7] * 30)
    other = await deploy(app, "start s; user x many parallel over items as i; end e\ns -> x -> e")
    refused = await app.send(
        "MigrateProcessInstancesCommand", {"toDefinitionId": other["id"], "instanceId": begun["instanceId"]}
    )
    assert "stands on t" in str(refused.errors)
    same = await deploy(app, USERS.format(kind="parallel"))
    await app.cmd("MigrateProcessInstancesCommand", toDefinitionId=same["id"], instanceId=begun["instanceId"])
    state: dict[str, Any] = begun
    for wait_id in await tasks(app, begun["instanceId"]):
        state = await complete(app, begun["instanceId"], wait_id)
    assert (state["status"], state["variables"]["out"]) == ("COMPLETED", [7] * 30)


async def test_branches_are_at_hand_for_a_join_that_a_new_version_brings(app: RunningApp) -> None:
    """It asks what may still come, and waits for a branch that was stored by itself before."""
    await deploy(app, fork(30))
    number = (await start(app))["instanceId"]
    joined = fork(30).replace("f -> t0 -> j", "f -> t0 -> o -> j").replace("f -> t1 -> j", "f -> t1 -> o; or o")
    newer = await deploy(app, joined)
    await app.cmd("MigrateProcessInstancesCommand", toDefinitionId=newer["id"], instanceId=number)
    waiting, state = await tasks(app, number), {}
    for wait_id in (waiting[0], *waiting[2:], waiting[1]):
        state = await complete(app, number, wait_id)
    assert (state["status"], (await trace(app, number)).count("o")) == ("COMPLETED", 1)
