"""A signal reaches each place that listened when it was sent, once, however many listen."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpm.testing import RunningApp, running_app, until
from tests.commands.playing import deploy, instance, instances, start, trace

pytestmark = pytest.mark.anyio

MANY = 102
"""More than hear a signal in one transaction."""
TWICE = "start s; catch a: signal S; catch b: signal S; end e\ns -> a -> b -> e"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


async def _passed(app: RunningApp, ids: list[int], element: str) -> Counter[int]:
    """How many instances have passed an element how often."""
    return Counter([(await trace(app, each)).count(element) for each in ids])


async def _all_passed(app: RunningApp, ids: list[int], element: str) -> None:
    await until(lambda: _passed(app, ids, element), lambda counts: 0 not in counts)


async def test_who_listens_again_does_not_hear_the_same_signal_twice(app: RunningApp) -> None:
    """The instance at the end of a page listens anew before the next page is told."""
    await deploy(app, TWICE)
    ids = [(await start(app))["instanceId"] for _ in range(MANY)]
    told = await app.cmd("BroadcastSignalCommand", signalName="S")
    assert told["continues"]
    await _all_passed(app, ids, "a")
    assert await _passed(app, ids, "b") == {0: MANY}


async def test_what_a_signal_begins_does_not_hear_it_again(app: RunningApp) -> None:
    """It came to listen when the signal was under way already."""
    await deploy(app, "start s: signal S; catch c: signal S; end e\ns -> c -> e", "begun")
    await deploy(app, "start s; catch a: signal S; end e\ns -> a -> e", "listener")
    ids = [(await start(app, "listener"))["instanceId"] for _ in range(MANY)]
    await app.cmd("BroadcastSignalCommand", signalName="S")
    await _all_passed(app, ids, "a")
    (begun,) = await instances(app, "begun", 1, "WAITING")
    assert begun["status"] == "WAITING"


async def test_a_signal_is_not_heard_by_what_listens_behind_its_throw(app: RunningApp) -> None:
    """Whoever listens when it is thrown hears it, a branch of the same instance too."""
    await deploy(app, "start s; and f; catch a: signal S; throw t: signal S; catch c: signal S; end e; end e2\n"
                      "s -> f -> a -> e; f -> t -> c -> e2")  # fmt: skip
    begun = await start(app)
    await _all_passed(app, [begun["instanceId"]], "a")
    state = await instance(app, begun["instanceId"])
    assert (state["status"], [task["elementId"] for task in state["currentTasks"]]) == ("WAITING", ["c"])


async def test_an_event_sub_process_that_does_not_interrupt_hears_each_signal_once(app: RunningApp) -> None:
    """It listens again at once, for the next one."""
    await deploy(app, "start s; user t; end e; esp h {\nstart~ hs: signal S; user u; end he\nhs -> u -> he\n}\n"
                      "s -> t -> e")  # fmt: skip
    begun = await start(app)
    for count in (1, 2):
        await app.cmd("BroadcastSignalCommand", signalName="S")
        assert await _passed(app, [begun["instanceId"]], "hs") == {count: 1}


async def test_the_listeners_of_a_signal_must_listen_for_that_signal(app: RunningApp) -> None:
    """The engine's own field tells nobody what nobody listens for."""
    await deploy(app, TWICE)
    begun = await start(app)
    listener = f"{begun['instanceId']}.{begun['currentTasks'][0]['waitId']}"
    other = await app.cmd("BroadcastSignalCommand", signalName="T", listeners=[listener, "7.7"])
    assert other == {"signalled": [], "started": [], "continues": False}
    told = await app.cmd("BroadcastSignalCommand", signalName="S", listeners=[listener, listener])
    assert told["signalled"] == [begun["instanceId"]]
    assert await _passed(app, [begun["instanceId"]], "b") == {0: 1}
