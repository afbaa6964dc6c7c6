"""One cause is followed from the id of any part of it to all the others."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bpm.bus import Context, Envelope
from bpm.errors import BpmError
from bpm.security.permissions import Principal
from bpm.store import Transaction
from bpm.testing import RunningApp, running_app, until
from commands.traces import trace
from commands.traces.trace import GetTraceQuery
from tests.commands import playing
from tests.commands.sender import ADMIN, MessageSender, stranger
from tests.commands.statements import plans_of

pytestmark = pytest.mark.anyio

SCRIPT = """
send("PublishEventCommand", {"event": "order.seen", "data": {}})
send("StartProcessInstanceCommand", {"processKey": "p"})
"""


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path, delivery={"probe": "off"}) as running:
        yield running


@pytest.fixture
async def whole(app: RunningApp) -> dict[str, Any]:
    """The trace of a request whose script published an event and started a process that failed."""
    await app.cmd("CreateSubscriptionCommand", url="https://hooks.example.com/", events=["order.*"])
    await playing.deploy(app, "start s; xor a; end e\ns -> a\na -> e if 1 > 2")
    await app.rule("orders", responseMode="sync", executionType=2, executionCode=SCRIPT)
    answer = await app.hook("orders", {})
    assert answer.ok, answer
    (found,) = await app.requests()
    request_id = found["requestId"]
    return await until(
        lambda: app.cmd("GetTraceQuery", id=request_id),
        lambda seen: bool(seen["instances"]) and seen["instances"][0]["status"] == "ERROR",
    )


async def test_a_request_leads_to_all_that_it_caused(whole: dict[str, Any]) -> None:
    """The request, its command, the script's commands, the event, its delivery, the instance with its incident."""
    assert (whole["foundAs"], whole["request"]["verdict"], whole["request"]["state"]) == ("request", "passed", "done")
    assert {"ExecuteCodeCommand", "PublishEventCommand"} <= {message["type"] for message in whole["messages"]}
    assert [event["event"] for event in whole["events"]] == ["order.seen", "process.incident"]
    assert whole["deliveries"][0]["eventId"] == whole["events"][0]["id"]
    (token,) = whole["instances"][0]["tokens"]
    assert (token["kind"], token["elementId"]) == ("incident", "a")
    assert token["problem"]
    assert whole["runs"][0]["rule"] == "1:1"
    assert (whole["cut"], whole["hidden"]) == ([], [])


async def test_every_effect_leads_back_to_the_bytes(app: RunningApp, whole: dict[str, Any]) -> None:
    """Whichever part's id is asked for, the request is found."""
    ids = {
        "message": whole["messages"][0]["requestId"],
        "event": whole["events"][0]["id"],
        "delivery": whole["deliveries"][0]["id"],
        "instance": str(whole["instances"][0]["instanceId"]),
        "run": whole["runs"][0]["runId"],
    }
    for found_as, id_ in ids.items():
        found = await app.cmd("GetTraceQuery", id=id_)
        assert (found["foundAs"], found["request"]["requestId"]) == (found_as, whole["correlationId"]), found_as


async def test_each_part_is_shown_to_whom_it_may_be(app: RunningApp, whole: dict[str, Any]) -> None:
    """Who may not read deliveries or audit sees neither, is told so, and finds nothing by their ids."""
    few = Principal("user", "user:9", "few", 1, frozenset({"traces:read", "inbound:read", "events:read"}))

    found = await app.app.bus.send(GetTraceQuery(id=whole["correlationId"]), few)
    assert found.request is not None
    assert len(found.events) == 2
    assert (found.messages, found.deliveries, found.instances, found.runs) == ([], [], [], [])
    assert found.hidden == ["messages", "deliveries", "instances", "runs"]
    with pytest.raises(BpmError, match="nothing of your organisation has this id"):
        await app.app.bus.send(GetTraceQuery(id=whole["deliveries"][0]["id"]), few)


async def test_another_organisation_finds_nothing(app: RunningApp, whole: dict[str, Any]) -> None:
    """Ids of others are as unknown as any word."""
    for id_ in (whole["correlationId"], whole["events"][0]["id"], str(whole["instances"][0]["instanceId"])):
        with pytest.raises(BpmError, match="nothing of your organisation has this id"):
            await app.app.bus.send(GetTraceQuery(id=id_), stranger())


async def test_what_is_cut_is_named(app: RunningApp, whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A part with more than is shown ends at the bound and says so."""
    monkeypatch.setattr(trace, "MOST", 1)
    found = await app.cmd("GetTraceQuery", id=whole["correlationId"])
    assert len(found["messages"]) == 1
    assert "messages" in found["cut"]
    assert "instances" not in found["cut"]


async def test_an_event_is_followed_on_both_databases(sender: MessageSender) -> None:
    """What an account has sent by itself has no request, and is found by any of its ids all the same."""
    event = await sender.send("PublishEventCommand", event="order.created")
    found = await sender.send("GetTraceQuery", id=event["id"])
    assert (found["foundAs"], found["request"], found["correlationId"]) == ("event", None, event["correlationId"])
    assert [message["type"] for message in found["messages"]] == ["PublishEventCommand"]
    assert (await sender.send("GetTraceQuery", id=event["correlationId"]))["events"] == found["events"]
    with pytest.raises(BpmError, match="nothing of your organisation"):
        await sender.send("GetTraceQuery", stranger(), id=event["id"])
    listed = await sender.send("GetEventListQuery", correlationId=event["correlationId"])
    assert listed["items"] == [event]


@pytest.mark.embedded
async def test_every_part_comes_from_an_index(app: RunningApp, whole: dict[str, Any]) -> None:
    """However much is stored, no table is read through."""
    for id_ in (whole["correlationId"], whole["deliveries"][0]["id"], "7", "nothing"):
        query = GetTraceQuery(id=id_)

        def follow(tx: Transaction, query: GetTraceQuery = query) -> object:
            try:
                return trace.trace(query, Context(app.app.bus, Envelope(query, ADMIN), tx))
            except BpmError as error:
                return error

        lines = await plans_of(app.app.database, follow)
        scans = [line for line in lines if line.startswith("SCAN")]
        assert [
            line for line in scans if not line.startswith(("SCAN anon_", "SCAN CONSTANT")) and "(" not in line
        ] == []
