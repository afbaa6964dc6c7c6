"""Rules with a lane: requests with the same key one after another, whatever becomes of the one in front."""

import asyncio
from typing import Any

import pytest

from bpm.client import ServerRefused
from bpm.testing import RunningApp, ServerProcess
from tests.router import probes
from tests.router.conftest import PROBES, noting, rows, runs, send_from, stored, until

pytestmark = pytest.mark.anyio

JSON = {"content-type": "application/json"}
PER_CUSTOMER = {"key": "{{payload.customer}}"}
TEXT = {"event": "{{payload.event}}", "times": "{{payload.times}}"}


async def in_lane(app: RunningApp, key: str, **fields: Any) -> dict[str, Any]:
    """Create a rule whose requests say how often they fail, one after another for each customer."""
    return await app.rule(key, commandName="StumbleCommand", parameters=TEXT, **{"lane": PER_CUSTOMER, **fields})


async def states(app: RunningApp, key: str) -> list[str]:
    return [request["state"] for request in await stored(app, key)]


async def test_the_order_is_kept_during_a_backoff(app: RunningApp) -> None:
    """While a customer's first request waits for its next try the second one waits, and another customer's does not."""
    await in_lane(app, "ordered", retry={"attempts": 3, "backoffSeconds": [0.4], "jitter": 0.0})
    await app.hook("ordered", {"customer": "a", "event": "ordered-1", "times": 1})
    await app.hook("ordered", {"customer": "a", "event": "ordered-2", "times": 0})
    await app.hook("ordered", {"customer": "b", "event": "ordered-3", "times": 0})
    await until(app, "ordered", "failed", "pending", "done")
    assert (await states(app, "ordered")) == ["failed", "pending", "done"]
    await until(app, "ordered", *["done"] * 3)
    first, second, third = await rows(app, config_key="ordered")
    assert third.completed_at < first.completed_at < second.completed_at
    assert first.lane == second.lane != third.lane


async def test_a_lane_goes_on_after_a_death(app: RunningApp) -> None:
    """When the request in front is dead the next one is executed, and a replay of the dead one stands in line again."""
    await in_lane(app, "deaths", retry={"attempts": 1, "backoffSeconds": [0.0]})
    for number, times in enumerate((1, 0, 0)):
        await app.hook("deaths", {"customer": "a", "event": f"deaths-{number}", "times": times})
    found = await until(app, "deaths", "dead", "done", "done")
    await app.cmd("ReplayInboundRequestCommand", requestId=found[0]["requestId"])
    await until(app, "deaths", *["done"] * 3)


async def test_a_request_that_waits_can_be_discarded(app: RunningApp) -> None:
    """It leaves the lane; and discarding the one in front lets the next one go."""
    await in_lane(app, "discards", retry={"attempts": 2, "backoffSeconds": [3600.0]})
    for number, times in enumerate((9, 0, 0)):
        await app.hook("discards", {"customer": "a", "event": f"discards-{number}", "times": times})
    front, waiting, _last = await until(app, "discards", "failed", "pending", "pending")
    await app.cmd("DiscardInboundRequestCommand", requestId=waiting["requestId"], reason="no")
    await app.cmd("DiscardInboundRequestCommand", requestId=front["requestId"], reason="no")
    await until(app, "discards", "dead", "dead", "done")
    assert (probes.tries["discards-1"], probes.tries["discards-2"]) == (0, 1)


async def test_no_more_at_once_than_the_lane_is_wide(app: RunningApp) -> None:
    """With two in flight, the third begins when one of the first has ended."""
    fields = {"commandName": "HoldCommand", "parameters": {"event": "two-at-once"}}
    await app.rule("two-at-once", **fields, lane={"maxInFlight": 2})
    for _ in range(4):
        await app.hook("two-at-once", {})
    async with asyncio.timeout(60):
        while probes.tries["two-at-once"] < 2:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.15)  # a third would have time to begin
    assert probes.tries["two-at-once"] == 2
    probes.released["two-at-once"].set()
    await until(app, "two-at-once", *["done"] * 4)
    assert await runs(app, "two-at-once") == 4


async def test_starts_are_paced(app: RunningApp) -> None:
    """Ten a second: five requests that come at once take at least four tenths of a second."""
    await noting(app, "paced", lane={"maxInFlight": 10, "ratePerSecond": 10})
    await asyncio.gather(*(app.hook("paced", {}) for _ in range(5)))
    await until(app, "paced", *["done"] * 5)
    requests = await rows(app, config_key="paced")
    ended = max(row.completed_at or row.received_at for row in requests)
    took = (ended - min(row.received_at for row in requests)).total_seconds()
    assert 0.4 <= took < 30


async def test_a_key_that_does_not_fit_refuses_nothing(app: RunningApp) -> None:
    """Requests whose key can't be made are accepted, and share a lane."""
    await noting(app, "unkeyed", lane=PER_CUSTOMER)
    assert (await app.hook("unkeyed", {"other": 1})).status == 200
    assert (await app.hook("unkeyed", [1])).status == 200
    await until(app, "unkeyed", "done", "done")
    assert len({row.lane for row in await rows(app, config_key="unkeyed")}) == 1


async def test_duplicates_take_no_place(app: RunningApp) -> None:
    """In a lane, too, a repetition gets the first answer and executes nothing."""
    await noting(app, "lane-twice", lane={}, deduplication="body:n")
    first, second = [await app.hook("lane-twice", {"n": 1}) for _ in range(2)]
    assert first.data == second.data
    await until(app, "lane-twice", "done", "duplicate")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"responseMode": "sync", "lane": {}}, "lane: can't be set when responseMode is sync"),
        ({"lane": {"maxInFlight": 0}}, "lane.maxInFlight"),
        ({"lane": {"ratePerSecond": 0}}, "lane.ratePerSecond"),
        ({"lane": {"key": "{{payload."}}, "lane.key"),
    ],
)
async def test_a_lane_that_can_not_work_is_refused(app: RunningApp, fields: dict[str, Any], says: str) -> None:
    """Whoever waits for an answer waits for no turn; widths and paces are above zero; keys are templates."""
    with pytest.raises(ServerRefused, match=says):
        await noting(app, "no-lane", **fields)


async def test_lanes_outlive_a_kill() -> None:
    """Requests that wait their turn when the server is killed are executed after its next start, in their order."""
    async with ServerProcess(BPM_COMMAND_PACKAGES=PROBES) as server:
        await server.rule("outlives", commandName="NoteCommand", parameters={"event": "o", "text": "{{payload.n}}"},
                          lane={"ratePerSecond": 8})  # fmt: skip
        for number in range(10):
            assert (await server.hook("outlives", {"n": str(number)})).status == 200
        await server.kill()
        await server.start()
        await server.login()
        await server.settled(20)
        events = (await server.cmd("GetEventListQuery", event="o", pageSize=200))["items"]
        assert [event["data"]["text"] for event in reversed(events)] == [str(number) for number in range(10)]


async def test_one_value_is_one_key_however_it_is_written(app: RunningApp) -> None:
    """A number with zeros at its end, and an object's fields in another order; what no database holds is taken, too."""
    rule = await noting(app, "one-lane", lane={"key": "{{payload.k}}"}, deduplication="query:id")
    bodies = (b'{"k":1.50}', b'{"k":1.5}', b'{"k":15e-1}', b'{"k":{"a":1,"b":2.0}}', b'{"k":{"b":2,"a":1.0}}')
    for number, body in enumerate((*bodies, b'{"k":"\\u0000"}')):
        assert (await send_from(app, "192.0.2.1", f"one-lane?id=%00{number}", JSON, content=body)).status == 200
    await until(app, "one-lane", *["done"] * 6)
    lanes = [row.lane for row in await rows(app, config_id=rule["id"])]
    assert len(set(lanes[:3])) == len(set(lanes[3:5])) == 1
    assert len(set(lanes)) == 3
