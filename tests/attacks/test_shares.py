"""What one organisation starts at once, or lets hang, does not keep another's waiting."""

import asyncio
from contextlib import ExitStack
from functools import partial
from threading import Event, Semaphore
from typing import Any

import pytest

from bpm.errors import Invalid, RateLimited
from bpm.events.destination_slots import DestinationLimiters
from bpm.fair_slots import FairSlots, NoFreeSlot
from bpm.security.permissions import Principal
from bpm.testing import running_app, until
from bpm.threads import SharedThreads
from bpm.web.feed import limit
from scripts import Sandbox
from scripts.server.slots import SlotQueue
from tests.contracts.tenants import BPMN, DMN, tenant

pytestmark = pytest.mark.anyio

PATIENCE = 60


async def held(gates: DestinationLimiters, organization: int, destinations: int) -> int:
    """Let new destinations of an organisation hang; return how many places they took."""
    first = organization * 1_000
    places = [await gates.enter(first + n, 1, organization, is_proven=False) for n in range(destinations)]
    return sum(place is not None for place in places)


async def test_hanging_receivers_leave_room_for_other_organisations() -> None:
    """The first takes half of the worker's places, each further one a good part of what is left."""
    gates = DestinationLimiters(25, 400)
    assert await held(gates, 1, 300) == 200
    assert await held(gates, 2, 300) == 67
    assert await held(gates, 3, 300) >= 20
    assert await held(gates, 4, 300) >= 5
    assert gates.held <= 300


async def test_one_organisation_alone_has_half_of_the_worker() -> None:
    """However many of its receivers hang, a quick one of its own finds a place."""
    gates = DestinationLimiters(2, 10)
    assert await held(gates, 1, 20) == 5
    assert await gates.enter(1, None, 1, is_proven=True) is not None


async def test_places_go_to_whoever_holds_the_fewest() -> None:
    """A thousand that wait for one organisation stand behind the first one of another."""
    places, order = SlotQueue(2), list[str]()

    async def work(owner: str) -> None:
        await places.take(owner)
        order.append(owner)
        await asyncio.sleep(0)
        places.give(owner)

    await asyncio.gather(*(work("many") for _ in range(100)), work("one"), work("two"))
    assert order.index("one") < 4
    assert order.index("two") < 5
    assert len(order) == 102


async def test_a_rule_leaves_as_many_places_as_it_holds() -> None:
    """However many of its scripts wait, the next rule of the same organisation finds a place at once."""
    places = SlotQueue(8)
    waiting = [asyncio.create_task(places.take("org", "slow")) for _ in range(20)]
    await asyncio.sleep(0)
    assert sum(task.done() for task in waiting) == 4
    async with asyncio.timeout(PATIENCE):
        await places.take("org", "quick")
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_rule_that_takes_long_comes_after_those_that_are_quick() -> None:
    """With every place held by rules whose scripts take seconds, all of a quick one's come before their next."""
    places, order = SlotQueue(4), list[str]()

    async def work(rule: str, turns: int) -> None:
        await places.take("org", rule)
        order.append(rule)
        for _ in range(turns):
            await asyncio.sleep(0)
        places.give("org", rule, turns)

    slow = [work(f"slow-{rule}", 200) for _ in range(10) for rule in range(8)]
    await asyncio.gather(*slow, *(work("quick", 1) for _ in range(20)))
    assert max(at for at, rule in enumerate(order) if rule == "quick") < 32
    assert len(order) == 100


async def test_scripts_that_never_end_keep_no_other_rule_waiting() -> None:
    """Of one organisation: what is quick is done before a quarter of what is endless has come to its limit."""
    async with Sandbox() as sandbox:
        endless = [
            asyncio.create_task(sandbox.run("while True: pass", {}, owner="1", tenant=f"endless {number % 8}"))
            for number in range(80)
        ]
        await asyncio.sleep(0.5)
        quick = [sandbox.run("return 1", {}, owner="1", tenant="quick") for _ in range(20)]
        assert {run.result for run in await asyncio.gather(*quick)} == {1}
        assert sum(task.done() for task in endless) < 40
        for task in endless:
            task.cancel()
        await asyncio.gather(*endless, return_exceptions=True)


async def test_who_goes_while_waiting_keeps_no_place() -> None:
    """Also one to whom a place was just given."""
    places = SlotQueue(1)
    await places.take("a")
    waiting = [asyncio.create_task(places.take("b")) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    waiting[1].cancel()
    places.give("a")
    waiting[2].cancel()
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
    shares = FairSlots(8)
    with ExitStack() as under_way:
        for organization, places in ((1, 4), (2, 2), (3, 1)):
            for _ in range(places):
                under_way.enter_context(shares.place(organization))
            with pytest.raises(NoFreeSlot):
                under_way.enter_context(shares.place(organization))
    with shares.place(1):
        pass


def test_one_rule_leaves_places_for_what_else_its_organisation_does() -> None:
    """A third of all when it is alone, and its own place is free again afterwards."""
    shares = FairSlots(9)
    with ExitStack() as under_way:
        for purpose, places in (("rule", 3), ("process", 1)):
            for _ in range(places):
                under_way.enter_context(shares.place(1, purpose))
            with pytest.raises(NoFreeSlot):
                under_way.enter_context(shares.place(1, purpose))
        under_way.enter_context(shares.place(2, "rule"))
    for _ in range(2):
        with shares.place(1, "rule"):
            pass


async def test_requests_that_hang_leave_places_for_other_rules() -> None:
    """With every handler of one rule hanging, another rule of the same organisation is executed."""
    async with running_app(command_packages=("tests.router.probes",), worker_concurrency=6) as app:
        await app.rule("hanging", commandName="DawdleCommand", parameters={"event": "hanging", "seconds": 55})
        await app.rule("quick", commandName="DawdleCommand", parameters={"event": "quick", "seconds": 0})
        for _ in range(8):
            await app.hook("hanging", {})
        await app.hook("quick", {})
        await until(lambda: app.requests(state="done"))


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


def test_large_work_of_one_organisation_leaves_a_thread_for_others() -> None:
    """Bodies, definitions and decisions of one organisation that take long keep nobody else's waiting."""
    ended, threads = Event(), SharedThreads(3, "test")
    endless = [threads.submit(1, ended.wait) for _ in range(20)]
    try:
        for organization in (2, 3, 2, 3):
            assert threads.submit(organization, lambda: "done").result(PATIENCE) == "done"
        assert not any(work.done() for work in endless)
    finally:
        ended.set()
    assert all(work.result(PATIENCE) for work in endless)


def test_organisations_that_wait_for_a_thread_take_turns() -> None:
    """Two whose work never ends have a third wait for one piece of it, not for all."""
    ended, done, threads = Event(), list[int](), SharedThreads(2, "test")
    first = [threads.submit(organization, ended.wait) for organization in (1, 2)]
    waiting = [
        threads.submit(organization, partial(done.append, organization)) for organization in (1, 1, 1, 2, 2, 2, 3)
    ]
    ended.set()
    for work in (*first, *waiting):
        work.result(PATIENCE)
    assert done.index(3) <= 3
    assert sorted(done) == [1, 1, 1, 2, 2, 2, 3]


def test_large_work_that_fails_gives_its_thread_back() -> None:
    """Whoever asked is told, and the next is served."""
    threads = SharedThreads(2, "test")
    failing = [threads.submit(1, lambda: 1 // 0) for _ in range(4)]
    assert {type(work.exception(PATIENCE)) for work in failing} == {ZeroDivisionError}
    assert threads.submit(1, lambda: "done").result(PATIENCE) == "done"


async def test_compilations_of_one_organisation_leave_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many definitions one organisation deploys at once, another one's decision is read."""
    may_end, compiling = Event(), Semaphore(0)

    def endless(*_: Any) -> Any:
        compiling.release()
        may_end.wait(PATIENCE)
        raise Invalid("bpmnXml: is endless")

    monkeypatch.setattr("commands.processes.deployment.compile_all", endless)
    async with running_app() as app:
        other = (await tenant(app, app.http, "Other")).client
        deploy = partial(app.send, "CreateProcessDefinitionCommand", {"name": "x", "bpmnXml": BPMN})
        deploying = [asyncio.create_task(deploy()) for _ in range(12)]
        await asyncio.to_thread(compiling.acquire)
        assert await other.cmd("CreateDecisionDefinitionCommand", dmnXml=DMN)
        assert not any(task.done() for task in deploying)
        may_end.set()
        assert {answer.status for answer in await asyncio.gather(*deploying)} == {422}


def test_feeds_of_one_organisation_leave_places_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key has feeds of its own, and there is no end of keys: all of them together have half of the places."""
    monkeypatch.setattr(limit, "PLACES", 20)
    feeds = limit.FeedLimit()
    with ExitStack() as held:
        for key in range(10):
            held.enter_context(feeds.place(Principal("key", f"key:{key}", "k", 1)))
        with pytest.raises(RateLimited, match="your organisation"):
            held.enter_context(feeds.place(Principal("key", "key:10", "k", 1)))
        held.enter_context(feeds.place(Principal("key", "key:11", "k", 2)))
    with feeds.place(Principal("key", "key:10", "k", 1)):
        pass
