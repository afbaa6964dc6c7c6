"""What an event sets in motion through an address of the server itself ends, as every other chain does."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bpm.bus.envelope import MAX_DEPTH
from bpm.security.causation_header import NONE, CausationHeader
from bpm.security.secrets import SecretBox
from bpm.testing import ServerProcess, until

pytestmark = pytest.mark.anyio

EVENT = "loop.turned"


@pytest.fixture
async def server() -> AsyncIterator[ServerProcess]:
    async with ServerProcess(BPM_DELIVERY__ALLOWED_NETWORKS="127.0.0.0/8", BPM_DELIVERY__PROBE="off") as server:
        await server.cmd("RegisterEventTypeCommand", event=EVENT)
        yield server


async def turns(server: ServerProcess) -> int:
    return (await server.cmd("GetEventListQuery", event=EVENT, pageSize=1))["totalCount"]


async def at_rest(server: ServerProcess) -> int:
    """Wait until nothing turns any more, and return how often it did."""
    deadline, seen = time.monotonic() + 120, -1
    while (found := await turns(server)) != seen or found < MAX_DEPTH:
        assert time.monotonic() < deadline
        assert found <= 2 * MAX_DEPTH, "the loop goes on"
        seen = found
        await asyncio.sleep(2)
    return found


async def test_a_rule_whose_event_comes_back_to_it(server: ServerProcess) -> None:
    """The request at the end of the chain is refused with a sentence that asks for the loop."""
    parameters: dict[str, Any] = {"event": EVENT, "data": {}}
    await server.rule("echo", commandName="PublishEventCommand", parameters=parameters, retry={"attempts": 1})
    url = f"{server.url}/api/webhooks/echo"
    await server.cmd("CreateSubscriptionCommand", name="echo", url=url, events=[EVENT])
    await server.hook("echo", {})
    assert await at_rest(server) == MAX_DEPTH + 1
    (last,) = await server.requests(state="dead")
    assert "messages caused one another" in last["errors"][0]


async def test_a_chain_that_branches_ends_by_what_all_of_it_does() -> None:
    """Three subscriptions of one event, all to the address that publishes it: 3^17 requests were to come of the first.

    All of them are counted to it, also where each publishes under a correlation id of its own.
    """
    most = 60
    here = {"BPM_DELIVERY__ALLOWED_NETWORKS": "127.0.0.0/8", "BPM_DELIVERY__PROBE": "off"}
    async with ServerProcess(BPM_PROCESSES__MAX_CAUSED_MESSAGES=str(most), **here) as server:
        await server.cmd("RegisterEventTypeCommand", event=EVENT)
        parameters: dict[str, Any] = {"event": EVENT, "data": {}}
        await server.rule("echo", commandName="PublishEventCommand", parameters=parameters, retry={"attempts": 1})
        for number in range(3):
            url = f"{server.url}/api/webhooks/echo?n={number}"
            await server.cmd("CreateSubscriptionCommand", name=f"echo {number}", url=url, events=[EVENT])
        await server.hook("echo", {})
        await until(lambda: server.requests(state="dead"))
        dead = await until(lambda: settled_deliveries(server, 3 * (most + 1)), seconds=120)
        assert await turns(server) == most + 1
        assert "one cause has sent" in dead[0]["errors"][0]


async def settled_deliveries(server: ServerProcess, count: int) -> Any:
    """Return dead requests once so many deliveries, and all that they have become, are settled."""
    found = (await server.cmd("GetDeliveryListQuery", state="delivered", pageSize=1))["totalCount"]
    if found < count or await server.requests(state="pending") or await server.requests(state="running"):
        return None
    return await server.requests(state="dead")


async def test_a_command_whose_event_sends_it_again(server: ServerProcess) -> None:
    """The address of the bus is no way around."""
    key = await server.cmd("CreateApiKeyCommand", name="loop", scopes=["events:write"])
    body: dict[str, Any] = {"$type": "PublishEventCommand", "event": EVENT, "data": {}}
    await server.cmd(
        "CreateSubscriptionCommand",
        name="echo",
        url=f"{server.url}/api/bpm/cmd",
        events=[EVENT],
        headers={"Authorization": f"Bearer {key['key']}"},
        transform={"template": body},
        retryCount=0,
    )
    await server.cmd("PublishEventCommand", event=EVENT, data={})
    assert await at_rest(server) == MAX_DEPTH + 1


def test_a_mark_that_was_made_up_says_nothing() -> None:
    """Nor does one of another installation, of another event or of another depth."""
    marks, others = CausationHeader(SecretBox(b"k" * 32)), CausationHeader(SecretBox(b"o" * 32))
    mark = marks.write(3, "0196-a", "order-42")
    assert marks.read(mark) == (4, "order-42")
    _, _, root, proof = mark.split(" ")
    made = [("2", "0196-a", root), ("3", "0196-b", root), ("3", "0196-a", "order-43"), ("3", "0196-a")]
    changed = [" ".join((*said, proof)) for said in made] + [mark[:-32] + "0" * 32, f"{mark} ", "", "4"]
    assert [marks.read(each) for each in (None, others.write(3, "0196-a", root), *changed)] == [NONE] * 10
    assert marks.read(marks.write(3, "0196-a", "no name\n")) == (4, "")


async def test_a_rule_that_is_told_of_its_own_dead_requests(server: ServerProcess) -> None:
    """What is told of a request that was given up stands one deeper than the request, so this ends as well."""
    await server.rule("fails", commandName="RevokeApiKeyCommand", parameters={"id": "none"}, retry={"attempts": 1})
    url = f"{server.url}/api/webhooks/fails"
    await server.cmd("CreateSubscriptionCommand", name="fails", url=url, events=["webhook.request.dead"])
    await server.hook("fails", {})
    deadline, seen = time.monotonic() + 120, -1
    while (found := len(await server.requests(state="dead"))) != seen:
        assert time.monotonic() < deadline
        assert found <= MAX_DEPTH + 2, "the loop goes on"
        seen = found
        await asyncio.sleep(2)
    assert MAX_DEPTH // 2 <= found <= MAX_DEPTH + 2
