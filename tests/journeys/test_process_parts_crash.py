"""An instance in parts, and a server that is killed at every stage of it.

Orders of many parcels: each is packed by a called process, where a person answers, and waits for its message, which
came early for every second one. The server is killed when the early messages are kept, when the orders have begun, in
the midst of the answers, of a migration and of the messages. What holds then has been brought about before each kill,
or is asked for again until it is answered.
"""

import asyncio
from typing import Any

import pytest

from bpm.testing import ServerProcess, until
from tests.commands.playing import bpmn
from tests.journeys.test_process_crash import Flood, everything

pytestmark = pytest.mark.anyio

Call = tuple[str, str, dict[str, Any]]
"""An id for a request, a command, and its fields."""

ORDERS, PARCELS = 2, 20
TEXT = "x" * 1_500
LARGE = "y" * 20_000
MODEL = """start s; sub parcel many parallel over items as i into out of paid {
start ps; call pack: packing; catch paying: message Paid; end pe
ps -> pack -> paying -> pe
}
user close; end e
s -> parcel -> close -> e"""
PACKING = "start s; user w; script k: packed = i.key; end e\ns -> w -> k -> e"
DECLARED = '<message id="message-Paid" name="Paid"'
KEYED = f'{DECLARED}><extensionElements><zeebe:subscription correlationKey="=i.key"/></extensionElements></message>'


@pytest.fixture(params=["sqlite", "postgres"])
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """Which database the server works on."""
    if request.param == "sqlite":
        return {}
    return {"BPM_DATABASE_URL": request.getfixturevalue("postgres_url"), "BPM_SECRET_KEY": "k" * 32}


async def test_an_instance_in_parts_survives_every_kill(environment: dict[str, str]) -> None:
    """Each parcel is packed once and paid by its own message, and the large values are those that were given."""
    async with ServerProcess(**environment) as server:
        await server.cmd("CreateProcessDefinitionCommand", name="packing", bpmnXml=bpmn(PACKING, "packing"))
        first = await deployed(server)
        keys = [f"{order}-{parcel}" for order in range(ORDERS) for parcel in range(PARCELS)]
        for key in keys[::2]:
            assert (await ask(server, payment(key)))["outcome"] == "buffered"
        await again(server)
        orders = [await started(server, order) for order in range(ORDERS)]
        await again(server)
        await Flood(server, done, await tasks(server, "w", len(keys))).run()
        await waiting(server, "paying", keys[1::2])
        await migrated(server, first, await deployed(server))
        await Flood(server, payment, keys[1::2]).run()
        for task in await tasks(server, "close", ORDERS):
            await ask(server, done(task))
        for order, number in enumerate(orders):
            await check(server, number, order)
        assert {one["status"] for one in await everything(server, "GetProcessInstanceListQuery")} == {"COMPLETED"}


async def deployed(server: ServerProcess) -> int:
    """Deploy the next version of the order's process."""
    source = bpmn(MODEL, "order").replace(f"{DECLARED}/>", KEYED)
    return (await server.cmd("CreateProcessDefinitionCommand", name="order", bpmnXml=source))["id"]


async def again(server: ServerProcess) -> None:
    """Kill the server and start it anew."""
    await server.kill()
    await server.start()
    await server.login()


async def started(server: ServerProcess, order: int) -> int:
    """Begin an order; nothing of it waits for an answer of the client."""
    items = [{"key": f"{order}-{parcel}", "text": TEXT if parcel else LARGE} for parcel in range(PARCELS)]
    variables = {"items": items, "large": LARGE}
    fields = {"processKey": "order", "variables": variables, "executionMode": "FireAndForget"}
    return (await server.cmd("StartProcessInstanceCommand", **fields))["instanceId"]


async def ask(server: ServerProcess, call: Call) -> Any:
    """Send a command once."""
    _, command, fields = call
    return await server.cmd(command, **fields)


def done(task: dict[str, Any]) -> Call:
    """Return how to complete a task."""
    fields = {"instanceId": task["instanceId"], "waitId": task["waitId"]}
    return f"do-{task['instanceId']}", "CompleteUserTaskCommand", fields


def payment(key: str) -> Call:
    """Return how to tell that a parcel is paid; told twice, the second message is kept and nobody takes it."""
    fields = {"messageName": "Paid", "correlationKey": key, "variables": {"paid": key}, "timeToLiveSeconds": 3600}
    return f"pay-{key}", "CorrelateMessageCommand", fields


async def tasks(server: ServerProcess, element: str, count: int) -> list[dict[str, Any]]:
    """Wait until so many tasks of an element are open."""
    async with asyncio.timeout(120):
        while True:
            found = [one for one in await everything(server, "GetUserTaskListQuery") if one["elementId"] == element]
            if len(found) == count:
                return found
            await asyncio.sleep(0.1)


async def waiting(server: ServerProcess, element: str, keys: list[str]) -> None:
    """Wait until the parcels that were not paid early are what the orders wait for."""
    await until(lambda: open_at(server, element), lambda tasks: len(tasks) == len(keys), seconds=120, pause=0.1)


async def open_at(server: ServerProcess, element: str) -> list[dict[str, Any]]:
    """Return what the orders wait for at an element."""
    found: list[dict[str, Any]] = []
    for one in await everything(server, "GetProcessInstanceListQuery", processKey="order"):
        state = await server.cmd("GetProcessInstanceByIdQuery", instanceId=one["instanceId"])
        found += [task for task in state["currentTasks"] if task["elementId"] == element]
    return found


async def migrated(server: ServerProcess, old: int, new: int) -> None:
    """Migrate all orders in one command, kill the server meanwhile, and migrate again what was not."""
    fields = {"fromDefinitionId": old, "toDefinitionId": new}
    sent = asyncio.create_task(server.send("MigrateProcessInstancesCommand", fields))
    await asyncio.sleep(0)
    await again(server)
    await asyncio.gather(sent, return_exceptions=True)
    orders = await everything(server, "GetProcessInstanceListQuery", processKey="order")
    versions = {one["processDefinitionId"] for one in orders}
    assert versions in ({old}, {new})
    await server.cmd("MigrateProcessInstancesCommand", **fields)
    orders = await everything(server, "GetProcessInstanceListQuery", processDefinitionId=new)
    assert len(orders) == ORDERS


async def check(server: ServerProcess, number: int, order: int) -> None:
    """Look at an order that has ended: its values, and that every element was done once for each parcel."""
    found = await server.cmd("GetProcessInstanceByIdQuery", instanceId=number)
    assert found["variables"]["out"] == [f"{order}-{parcel}" for parcel in range(PARCELS)]
    assert found["variables"]["large"] == LARGE
    assert [len(item["text"]) for item in found["variables"]["items"]] == [len(LARGE), *[len(TEXT)] * (PARCELS - 1)]
    history = await server.cmd("GetProcessInstanceHistoryQuery", instanceId=number, pageSize=1000)
    assert history["leftOut"] == 0
    completed = [entry["elementId"] for entry in history["items"] if entry["event"] == "completed"]
    counts = {element: completed.count(element) for element in ("pack", "paying", "close")}
    assert counts == {"pack": PARCELS, "paying": PARCELS, "close": 1}
