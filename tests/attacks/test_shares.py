"""What one organisation starts at once, or lets hang, does not keep another's waiting."""

import asyncio
from contextlib import ExitStack

import pytest

from bpm.events.gate import Gates
from bpm.jobs import Crowded, Shares
from bpm.testing import running_app, until
from scripts import Sandbox
from scripts.server.places import Places
from tests.contracts.tenants import tenant

pytestmark = pytest.mark.anyio


async def held(gates: Gates, organization: int, destinations: int) -> int:
    """Let new destinations of an organisation hang; return how many places they took."""
    first = organization * 1_000
    places = [await gates.enter(first + n, 1, organization, is_proven=False) for n in range(destinations)]
    return sum(place is not None for place in places)


async def test_hanging_receivers_leave_room_for_other_organisations() -> None:
    """The first takes half of the worker's places, each further one a good part of what is left."""
    gates = Gates(25, 400)
    assert await held(gates, 1, 300) == 200
    assert await held(gates, 2, 300) == 67
    assert await held(gates, 3, 300) >= 20
    assert await held(gates, 4, 300) >= 5
    assert gates.held <= 300


async def test_one_organisation_alone_has_half_of_the_worker() -> None:
    """However many of its receivers hang, a quick one of its own finds a place."""
    gates = Gates(2, 10)
    assert await held(gates, 1, 20) == 5
    assert await gates.enter(1, None, 1, is_proven=True) is not None


async def test_places_go_to_whoever_holds_the_fewest() -> None:
    """A thousand that wait for one organisation stand behind the first one of another."""
    places, order = Places(2), list[str]()

    async def work(owner: str) -> None:
        await places.take(owner)
        order.append(owner)
        await asyncio.sleep(0)
        places.give(owner)

    await asyncio.gather(*(work("many") for _ in range(100)), work("one"), work("two"))
    assert order.index("one") < 4
    assert order.index("two") < 5
    assert len(order) == 102


async def test_who_goes_while_waiting_keeps_no_place() -> None:
    """Also one to whom a place was just given."""
    places = Places(1)
    await places.take("a")
    waiting = [asyncio.create_task(places.take("b")) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    places.give("a")
    waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    async with asyncio.timeout(30):
        await places.take("c")


async def test_endless_scripts_delay_another_organisations_by_one_run() -> None:
    """Each ends at its limit of a second, and the next place is the other organisation's."""
    async with Sandbox() as sandbox:
        endless = [asyncio.create_task(sandbox.run("while True: pass", {}, owner="1")) for _ in range(60)]
        await asyncio.sleep(0.5)
        run = await sandbox.run("return 1", {}, owner="2")
        assert run.result == 1
        assert sum(task.done() for task in endless) < 40
        for task in endless:
            task.cancel()
        await asyncio.gather(*endless, return_exceptions=True)


def test_one_organisation_leaves_as_many_places_as_it_holds() -> None:
    """Of work that reaches outside: half of the worker's when it is alone, and the next has half of the rest."""
    shares = Shares(8)
    with ExitStack() as under_way:
        for organization, places in ((1, 4), (2, 2), (3, 1)):
            for _ in range(places):
                under_way.enter_context(shares.place(organization))
            with pytest.raises(Crowded):
                under_way.enter_context(shares.place(organization))
    with shares.place(1):
        pass


async def test_requests_that_hang_leave_places_for_other_requests() -> None:
    """With every handler of one rule hanging, another organisation's request is executed."""
    async with running_app(command_packages=("tests.router.probes",), worker_concurrency=4) as app:
        slow = {"commandName": "DawdleCommand", "parameters": {"event": "hanging", "seconds": 30}}
        await app.rule("hanging", **slow)
        for _ in range(8):
            await app.hook("hanging", {})
        other = (await tenant(app, app.http, "Other")).client
        executed = {"executionType": 0, "commandName": "DawdleCommand", "parameters": {"event": "quick", "seconds": 0}}
        fields = {"key": "quick", "path": "quick", "action": "POST", "isEnabled": True, "description": "Quick"}
        await other.cmd("CreateWebHookConfigCommand", **fields, **executed)
        await app.hook("quick", {})
        await until(
            lambda: other.cmd("GetInboundRequestListQuery", state="done", pageSize=1), lambda page: page["items"]
        )
