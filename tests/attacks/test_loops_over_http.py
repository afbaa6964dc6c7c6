"""What an event sets in motion through an address of the server itself ends, as every other chain does."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bpm.bus.envelope import MAX_DEPTH
from bpm.security.causation_header import CausationHeader
from bpm.security.secrets import SecretBox
from bpm.testing import ServerProcess

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
    mark = marks.write(3, "0196-a")
    assert marks.depth_of(mark) == 4
    depth, event, proof = mark.split(" ")
    changed = [f"2 {event} {proof}", f"{depth} 0196-b {proof}", f"{depth} {event} {'0' * 32}", f"{mark} ", "", "4"]
    assert [marks.depth_of(each) for each in (None, others.write(3, "0196-a"), *changed)] == [0] * 8


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
