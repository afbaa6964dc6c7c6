"""Large values have rows of their own: a step that does not need one neither reads nor writes it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bpm.bpmn.state import Instance
from bpm.client import ServerRefused
from bpm.exact_json import read_json, write_json
from bpm.process import instance_tables
from bpm.process.large_rows import MOST_IN_STATE
from bpm.process.parts import whole_state
from bpm.security.sealing import is_sealed
from bpm.testing import RunningApp, running_app
from tests.commands.playing import deploy, instance, start

pytestmark = pytest.mark.anyio

LARGE = "x" * MOST_IN_STATE * 2
STEPS = "start s; catch c: signal go; user t; end e\ns -> c -> t -> e"


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.embedded), "postgres"])
async def app(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunningApp]:
    options = {} if request.param == "sqlite" else {"database_url": request.getfixturevalue("postgres_url")}
    async with running_app(tmp_path, **options) as running:
        yield running


async def rows(app: RunningApp, statement: str) -> list[Any]:
    """Read rows of the database as they are."""
    return await app.app.database.read(lambda tx: list(tx.connection.execute(text(statement)).all()))


async def change(app: RunningApp, statement: str, **values: Any) -> None:
    """Change rows of the database."""
    await app.app.database.write(lambda tx: tx.connection.execute(text(statement), values))


async def complete(app: RunningApp, instance_id: int, **variables: Any) -> dict[str, Any]:
    """Complete the oldest open task."""
    found = await app.cmd("GetUserTaskListQuery", instanceId=instance_id)
    wait_id = found["items"][0]["waitId"]
    return await app.cmd("CompleteUserTaskCommand", instanceId=instance_id, waitId=wait_id, variables=variables)


async def test_a_step_neither_reads_nor_writes_a_value_that_it_does_not_need(app: RunningApp) -> None:
    """The row is unreadable while the signal is heard, and comes to no harm."""
    await deploy(app, STEPS)
    number = (await start(app, big=LARGE, small=[1]))["instanceId"]
    [(stored,)] = await rows(app, "SELECT data FROM process_part WHERE kind = 'value'")
    assert read_json(stored) == LARGE
    await change(app, "UPDATE process_part SET data = 'damaged' WHERE kind = 'value'")
    await app.cmd("BroadcastSignalCommand", signalName="go", variables={"heard": True})
    assert await rows(app, "SELECT data FROM process_part") == [("damaged",)]
    [(size,)] = await rows(app, "SELECT length(state) FROM process_instance")
    assert size < 500
    await change(app, "UPDATE process_part SET data = :data", data=stored)
    found = await instance(app, number)
    assert found["variables"] == {"big": LARGE, "small": [1], "heard": True}
    assert [task["elementId"] for task in found["currentTasks"]] == ["t"]


async def test_a_value_that_is_replaced_or_not_wanted_any_more_leaves_no_row(app: RunningApp) -> None:
    await deploy(app, "start s; user a; user b; user c; end e\ns -> a -> b -> c -> e")
    number = (await start(app, big=LARGE, other=[LARGE]))["instanceId"]
    assert len(await rows(app, "SELECT 1 FROM process_part")) == 2
    await complete(app, number, big=LARGE + "y")
    assert len(await rows(app, "SELECT 1 FROM process_part")) == 2
    sizes = "SELECT sum(size), max(parts_size) FROM process_part JOIN process_instance ON id = instance_id"
    assert await rows(app, sizes) == [(len(write_json(LARGE + "y")) + len(write_json([LARGE])),) * 2]
    state = await complete(app, number, big=None)
    assert state["variables"] == {"big": None, "other": [LARGE]}
    assert len(await rows(app, "SELECT 1 FROM process_part")) == 1


@pytest.mark.parametrize("ending", ["completed", "cancelled"])
async def test_an_instance_that_has_ended_is_in_one_piece(app: RunningApp, ending: str) -> None:
    await deploy(app, "start s; user t; end e\ns -> t -> e")
    number = (await start(app, big=LARGE))["instanceId"]
    if ending == "completed":
        state = await complete(app, number)
    else:
        state = await app.cmd("CancelProcessInstanceCommand", instanceId=number)
    found = await instance(app, number)
    assert (state["variables"], found["variables"]) == ({"big": LARGE}, {"big": LARGE})
    assert await rows(app, "SELECT parts_size, (SELECT count(*) FROM process_part) FROM process_instance") == [(0, 0)]


async def test_a_secret_in_a_large_value_is_sealed_as_long_as_it_is_there(app: RunningApp) -> None:
    """The state, which could repeat it, is sealed as well, also by a step that does not read the value."""
    await deploy(app, STEPS)
    number = (await start(app, big={"password": "hunter2-hunter2", "text": LARGE}))["instanceId"]
    await app.cmd("BroadcastSignalCommand", signalName="go", variables={"heard": True})
    stored = await rows(app, "SELECT data FROM process_part UNION ALL SELECT state FROM process_instance")
    assert [is_sealed(one) for (one,) in stored] == [True, True]
    assert (await instance(app, number))["variables"]["big"] == {"password": "***", "text": LARGE}


async def test_a_state_of_an_earlier_version_is_set_apart_with_its_next_step(app: RunningApp) -> None:
    await deploy(app, STEPS)
    number = (await start(app, big=LARGE, items=[{"a": 1.5}]))["instanceId"]
    await app.app.database.write(lambda tx: _write_as_before(tx, app, number))
    assert (await instance(app, number))["variables"] == {"big": LARGE, "items": [{"a": 1.5}]}
    await app.cmd("BroadcastSignalCommand", signalName="go")
    assert len(await rows(app, "SELECT 1 FROM process_part WHERE kind = 'value'")) == 1
    state = await complete(app, number)
    assert (state["status"], state["variables"]) == ("COMPLETED", {"big": LARGE, "items": [{"a": 1.5}]})


def _write_as_before(tx: Any, app: RunningApp, number: int) -> None:
    """Write an instance as the version before did: with every value in its state."""
    row = instance_tables.find_instance(tx, number)
    assert row is not None
    context: Any = type("Reading", (), {"tx": tx, "box": app.app.bus.box})
    whole = whole_state(context, row)
    state = read_json(whole.to_json())
    del state["g"]
    state["x"][0][-1] = dict(whole.root_variables)
    assert not Instance.from_json(write_json(state)).has_large
    tx.connection.execute(
        text("UPDATE process_instance SET state = :s, parts_size = 0"), {"s": write_json(state).decode()}
    )
    tx.connection.execute(text("DELETE FROM process_part"))


async def test_values_of_turns_and_of_sub_processes_go_with_them(app: RunningApp) -> None:
    """Each turn has a large item; a sub-process that can be undone keeps its own value for that."""
    await deploy(
        app,
        "start s; sub q many parallel over items as i into out of i.number {\n"
        "start ps; user t; end pe\nps -> t -> pe\n}\nend e\ns -> q -> e",
    )
    items = [{"number": number, "text": LARGE} for number in range(20)]
    number = (await start(app, items=items))["instanceId"]
    large = "SELECT count(*) FROM process_part WHERE kind = 'value'"
    assert await rows(app, large) == [(21,)]
    for left in range(19, 0, -1):
        await complete(app, number)
        assert await rows(app, large) == [(left + 1,)]
    state = await complete(app, number)
    assert (state["status"], state["variables"]["out"]) == ("COMPLETED", list(range(20)))
    assert await rows(app, "SELECT 1 FROM process_part") == []


async def test_what_is_undone_sees_the_large_values_of_its_turn(app: RunningApp) -> None:
    await deploy(
        app,
        "start s; sub q many parallel over items as i {\n"
        "start ps; user t; boundary c on t: compensate; script u undo: seen = i.text; end pe\n"
        "c ~~ u\nps -> t -> pe\n}\n"
        "user w; end e: compensate\ns -> q -> w -> e",
    )
    number = (await start(app, items=[{"text": LARGE}]))["instanceId"]
    await complete(app, number)
    state = await complete(app, number)
    assert (state["status"], state["variables"]["seen"]) == ("COMPLETED", LARGE)


async def test_large_values_count_for_the_limit_of_the_state(tmp_path: Path) -> None:
    async with running_app(tmp_path, processes={"max_state_bytes": 3 * len(LARGE)}) as app:
        await deploy(app, "start s; user a; user b; end e\ns -> a -> b -> e")
        number = (await start(app, a=LARGE, b=LARGE))["instanceId"]
        with pytest.raises(ServerRefused, match="BPM_PROCESSES__MAX_STATE_BYTES"):
            await complete(app, number, c=LARGE)
        state = await complete(app, number, b=LARGE + "y")
        assert (state["status"], len(await rows(app, "SELECT 1 FROM process_part"))) == ("WAITING", 2)


async def test_a_value_that_another_process_has_replaced_meanwhile_is_a_conflict(app: RunningApp) -> None:
    """As the version of an instance is that somebody else has written; nothing of the step is kept."""
    await deploy(app, "start s; user t; script k: y = big; end e\ns -> t -> k -> e")
    number = (await start(app, big=LARGE))["instanceId"]
    [task] = (await app.cmd("GetUserTaskListQuery", instanceId=number))["items"]
    await change(app, "DELETE FROM process_part")
    refused = await app.send("CompleteUserTaskCommand", {"instanceId": number, "waitId": task["waitId"]})
    assert refused.status == 409
    assert await rows(app, "SELECT status FROM process_instance") == [("WAITING",)]
