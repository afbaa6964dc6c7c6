"""Messages that came before anybody waited: each is taken by who goes on with it, and by nobody else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bpm.testing import RunningApp, running_app
from tests.commands.playing import deploy, start

pytestmark = pytest.mark.anyio

RACE = "start s; event g; catch a: message A; catch b: message B; end e; end f\ns -> g -> a -> e; g -> b -> f"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


async def _send(app: RunningApp, *names: str) -> None:
    for number, name in enumerate(names, 1):
        variables = {"n": number}
        await app.cmd("CorrelateMessageCommand", messageName=name, variables=variables, timeToLiveSeconds=600)


async def test_events_that_race_take_one_message_for_each_instance(app: RunningApp) -> None:
    """The oldest first, whichever event it is for; what the others found stays for the next instance."""
    await deploy(app, RACE)
    await _send(app, "A", "B", "A", "B")
    assert [(await start(app))["variables"].get("n") for _ in range(5)] == [1, 2, 3, 4, None]


async def test_the_oldest_message_decides_a_race(app: RunningApp) -> None:
    """Not the event that stands first in the file."""
    await deploy(app, RACE)
    await _send(app, "B", "A")
    assert [(await start(app))["variables"]["n"] for _ in range(2)] == [1, 2]


@pytest.mark.parametrize("names", ["AB", "BA"])
async def test_a_boundary_event_leaves_the_message_that_its_activity_did_not_take(app: RunningApp, names: str) -> None:
    """And the other way round: both instances end."""
    await deploy(app, "start s; receive r: A; boundary b on r: message B; end e; end f\ns -> r -> e; b -> f")
    await _send(app, *names)
    assert [(await start(app))["status"] for _ in range(3)] == ["COMPLETED", "COMPLETED", "WAITING"]


async def test_several_waits_of_one_instance_share_what_came(app: RunningApp) -> None:
    """Each message is for one of them."""
    await deploy(app, "start s; receive r many parallel 3 times: A; end e\ns -> r -> e")
    await _send(app, "A", "A")
    begun = await start(app)
    assert len(begun["currentTasks"]) == 1
    again = await start(app)
    assert len(again["currentTasks"]) == 3


async def test_an_event_that_does_not_interrupt_takes_everything_that_came(app: RunningApp) -> None:
    """It listens again for each."""
    await deploy(app, "start s; user t; boundary~ b on t: message A; user u; end e; end f\ns -> t -> e; b -> u -> f")
    await _send(app, "A", "A", "A")
    tasks = [task["elementId"] for task in (await start(app))["currentTasks"]]
    assert sorted(tasks) == ["b", "t", "u", "u", "u"]


async def test_a_message_stays_when_its_instance_ends_at_the_same_moment(app: RunningApp) -> None:
    """A terminate end event of another branch comes first."""
    await deploy(app, "start s; and f; receive r: A; end e; end x: terminate\ns -> f -> r -> e; f -> x", "ends")
    await deploy(app, "start s; receive r: A; end e\ns -> r -> e")
    await _send(app, "A")
    assert (await start(app, "ends"))["status"] == "COMPLETED"
    assert (await start(app))["variables"] == {"n": 1}
