"""Messages, signals, events and timers that reach processes through the bus."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpm.process import wait_tables
from bpm.testing import RunningApp, running_app
from tests.bpm.bpmn.player import flows, model
from tests.commands.playing import bpmn, deploy, instance, instances, older_waits, start
from tests.commands.statements import plans_of

pytestmark = pytest.mark.anyio

WAITS = "start s; receive r: Paid; end e\ns -> r -> e"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


async def test_a_message_that_comes_early_waits_for_its_time_to_live(app: RunningApp) -> None:
    """Nobody waits: refused without a time to live, else kept for whoever waits next, and taken once."""
    await deploy(app, WAITS)
    refused = await app.send("CorrelateMessageCommand", {"messageName": "Paid"})
    assert refused.status == 404
    kept = await app.cmd("CorrelateMessageCommand", messageName="Paid", variables={"a": 1}, timeToLiveSeconds=60)
    assert (kept["outcome"], kept["instanceId"]) == ("buffered", None)
    first = await start(app)
    assert (first["status"], first["variables"]) == ("COMPLETED", {"a": 1})
    second = await start(app)
    assert second["status"] == "WAITING"
    told = await app.cmd("CorrelateMessageCommand", messageName="Paid", timeToLiveSeconds=60)
    assert (told["outcome"], told["instanceId"]) == ("correlated", second["instanceId"])


@pytest.mark.embedded
@pytest.mark.parametrize("key", ["k", None])
async def test_who_has_waited_longest_is_found_without_reading_the_others(app: RunningApp, key: str | None) -> None:
    """However many wait for the same message: one index holds them in their order."""
    plan = await plans_of(app.app.database, lambda tx: wait_tables.first_message_wait(tx, 1, "Paid", key))
    assert plan == ["SEARCH process_wait USING INDEX ix_process_wait_oldest (organization_id=? AND name=? AND key=?)"]


async def test_an_early_message_whose_time_is_over_is_gone(app: RunningApp) -> None:
    """After its time to live nobody gets it."""
    await deploy(app, WAITS)
    await app.cmd("CorrelateMessageCommand", messageName="Paid", timeToLiveSeconds=1)
    await asyncio.sleep(1.1)
    assert (await start(app))["status"] == "WAITING"


async def test_a_message_thrown_by_one_process_reaches_another(app: RunningApp) -> None:
    """The starter of the thrower need not be allowed to send messages; early ones wait."""
    await deploy(app, "start s; throw t: message Paid; end e\ns -> t -> e", "thrower")
    await deploy(app, WAITS)
    waiting = await start(app)
    await start(app, "thrower")
    await instances(app, "p", 1)
    assert (await instance(app, waiting["instanceId"]))["status"] == "COMPLETED"


async def test_a_message_starts_the_process_that_begins_with_it(app: RunningApp) -> None:
    """Only the newest active version listens."""
    text = "start s: message Ordered; end e\ns -> e"
    first = await deploy(app, text)
    second = await deploy(app, text)
    started = await app.cmd("CorrelateMessageCommand", messageName="Ordered", variables={"n": 1})
    assert started["outcome"] == "started"
    found = await instance(app, started["instanceId"])
    assert (found["processDefinitionId"], found["variables"]) == (second["id"], {"n": 1})
    await app.cmd("DeactivateProcessDefinitionCommand", id=second["id"])
    again = await app.cmd("CorrelateMessageCommand", messageName="Ordered")
    assert (await instance(app, again["instanceId"]))["processDefinitionId"] == first["id"]
    await app.cmd("DeactivateProcessDefinitionCommand", id=first["id"])
    assert (await app.send("CorrelateMessageCommand", {"messageName": "Ordered"})).status == 404


async def test_a_signal_is_heard_by_everybody(app: RunningApp) -> None:
    """Every instance that listens goes on, more than one transaction takes, and a process begins with it."""
    await deploy(app, "start s; catch c: signal Go; end e\ns -> c -> e")
    await deploy(app, "start s: signal Go; end e\ns -> e", "begins")
    waiting = [await start(app) for _ in range(3)]
    heard = await app.cmd("BroadcastSignalCommand", signalName="Go", variables={"why": "now"})
    assert heard["signalled"] == [each["instanceId"] for each in waiting]
    assert len(heard["started"]) == 1
    assert heard["continues"] is False
    assert (await instance(app, heard["started"][0]))["variables"] == {"why": "now"}
    nobody = await app.cmd("BroadcastSignalCommand", signalName="Other")
    assert nobody == {"signalled": [], "started": [], "continues": False}


async def test_a_signal_thrown_by_a_process_is_heard_in_the_same_instance(app: RunningApp) -> None:
    """Another branch listens."""
    await deploy(app, "start s; and f; catch c: signal Go; throw t: signal Go; end e\ns -> f -> c -> e; f -> t -> e")
    started = await start(app)
    await instances(app, "p", 1)
    assert (await instance(app, started["instanceId"]))["status"] == "COMPLETED"


async def test_a_published_event_starts_the_processes_it_triggers(app: RunningApp) -> None:
    """Once for each event, with its data; under an idempotency key only once."""
    await deploy(app, "start s; end e\ns -> e", triggerEvents=["order.paid", "process.completed"])
    for _ in range(2):
        await app.cmd("PublishEventCommand", event="order.paid", data={"total": 5}, idempotencyKey="k1")
    (found,) = await instances(app, "p", 1)
    variables = (await instance(app, found["instanceId"]))["variables"]
    assert (variables["total"], variables["payload"], variables["eventName"]) == (5, {"total": 5}, "order.paid")
    await asyncio.sleep(0.2)
    assert len(await instances(app, "p", 1)) == 1, "its own completion does not start it again"


async def test_a_timer_starts_instances_again_and_again(app: RunningApp) -> None:
    """R2/PT0.2S begins two instances; a deactivated definition begins none."""
    definition = await deploy(app, "start s: timer R2/PT0.2S; end e\ns -> e")
    await instances(app, "p", 2)
    await asyncio.sleep(0.4)
    assert len(await instances(app, "p", 2)) == 2
    later = await deploy(app, "start s: timer PT0.5S; end e\ns -> e", "later")
    await app.cmd("DeactivateProcessDefinitionCommand", id=later["id"])
    await asyncio.sleep(0.8)
    page = await app.cmd("GetProcessInstanceListQuery", processKey="later")
    assert page["totalCount"] == 0
    assert definition["version"] == 1


async def test_a_file_with_two_pools_deploys_both(app: RunningApp) -> None:
    """Both processes can be started, and talk by messages."""
    first = bpmn("start s; throw t: message Paid; end e\ns -> t -> e", "buyer")
    second = bpmn("start q: message Paid; end qe\nq -> qe", "seller")
    inner = second[second.index("<process") : second.index("</definitions>")]
    both = first.replace("</definitions>", inner + "</definitions>")
    deployed = await app.cmd("CreateProcessDefinitionCommand", name="pools", bpmnXml=both)
    assert (deployed["key"], [other["key"] for other in deployed["others"]]) == ("buyer", ["seller"])
    await start(app, "buyer")
    await instances(app, "seller", 1)


BOTH = """<startEvent id="s"/><userTask id="t"/><endEvent id="e"/>
<boundaryEvent id="b" attachedToRef="t" cancelActivity="false" parallelMultiple="true">
<messageEventDefinition messageRef="m"/><messageEventDefinition messageRef="n"/></boundaryEvent><userTask id="u"/>"""


@pytest.mark.parametrize("early", [False, True])
async def test_a_boundary_event_of_two_messages_hears_each_once_a_round(app: RunningApp, early: bool) -> None:
    """A second message of the same name is for the next round, whether it comes early or not."""
    head = '<message id="m" name="M"/><message id="n" name="N"/>'
    xml = model(BOTH + flows("s > t > e", "b > u"), head)
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=xml)
    if not early:
        await start(app)
    for name in ("M", "M", "N"):
        await app.cmd("CorrelateMessageCommand", messageName=name, timeToLiveSeconds=60)
    number = (await instances(app, "p", 1, "WAITING") if not early else [await start(app)])[0]["instanceId"]
    assert await opened(app, number) == ["b", "t", "u"]
    await app.cmd("CorrelateMessageCommand", messageName="N")
    assert await opened(app, number) == ["b", "b", "t", "u", "u"]
    await app.cmd("CancelProcessInstanceCommand", instanceId=number)


async def opened(app: RunningApp, number: int) -> list[str]:
    """Return the elements that an instance waits at."""
    return sorted(task["elementId"] for task in (await instance(app, number))["currentTasks"])


async def test_what_an_instance_waits_for_is_found_among_very_many(app: RunningApp) -> None:
    """By its message or its element, however many waits are older."""
    elements = "start s; and f; and j; receive a: A; receive b: B; user v; end e"
    await deploy(app, f"{elements}\ns -> f -> a -> j -> e; f -> b -> v -> j")
    number = (await start(app))["instanceId"]
    await older_waits(app, wait_tables.MOST_SHOWN)
    several = await app.send("SignalProcessInstanceCommand", {"instanceId": number, "taskId": "a"})
    assert several.errors[0].startswith("it waits several times at a;")
    await app.cmd("ReturnCallbackCommand", instanceId=number, messageName="B", variables={"b": 1})
    await app.cmd("SignalProcessInstanceCommand", instanceId=number, taskId="v", variables={"v": 2})
    assert {"b": 1, "v": 2}.items() <= (await instance(app, number))["variables"].items()
