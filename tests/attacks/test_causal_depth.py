"""A chain of causes ends, whatever it is made of: its length is carried along, and its branches are counted."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bpm.bus import Envelope
from bpm.bus.correlation_budget import MAX_CAUSES, CorrelationBudget
from bpm.errors import Exhausted
from bpm.security.permissions import SYSTEM, Principal
from bpm.settings import ProcessSettings
from bpm.testing import RunningApp, running_app, until
from commands.system.status import GetSystemStatusQuery
from tests.attacks.test_process_bombs import count, quiet
from tests.commands.playing import bpmn, deploy, start

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SOMEBODY = Principal("user", "user:2", "somebody", 1, frozenset({"*:read", "*:write"}))
PUBLISH = '<zeebe:ioMapping><zeebe:input source="loop.x" target="event"/></zeebe:ioMapping>'
LIMITS = ProcessSettings(max_caused_messages=5, max_caused_instances=1_000, max_caused_bytes=5_000)


class Counting:
    """Causes under a clock of their own."""

    def __init__(self) -> None:
        self.now = NOON
        self.causes = CorrelationBudget(lambda: self.now, LIMITS)

    def envelope(self, depth: int, cause: str = "c", principal: Principal = SOMEBODY) -> Envelope:
        """A message at a depth below a cause."""
        return Envelope(GetSystemStatusQuery(), principal, correlation_id=cause, depth=depth)


def test_a_cause_sends_so_many_messages_in_an_hour() -> None:
    """What nobody caused is free; each cause counts for itself; after an hour it may go on."""
    counting = Counting()
    for _ in range(20):
        counting.causes.count_message(counting.envelope(0))
    for _ in range(5):
        counting.causes.count_message(counting.envelope(3))
    with pytest.raises(Exhausted, match="BPM_PROCESSES__MAX_CAUSED_MESSAGES"):
        counting.causes.count_message(counting.envelope(1))
    counting.causes.count_message(counting.envelope(1, "other"))
    counting.causes.count_message(counting.envelope(1, principal=SYSTEM))
    counting.now += timedelta(hours=1)
    counting.causes.count_message(counting.envelope(1))


def test_the_further_from_its_cause_the_fewer_instances_may_begin() -> None:
    """A thousand children, but no more than a hundred in all far away."""
    counting = Counting()
    for _ in range(500):
        counting.causes.count_instance(counting.envelope(1), 1)
    with pytest.raises(Exhausted, match="BPM_PROCESSES__MAX_CAUSED_INSTANCES"):
        counting.causes.count_instance(counting.envelope(1), 1)
    for _ in range(100):
        counting.causes.count_instance(counting.envelope(9, "far"), 9)
    with pytest.raises(Exhausted, match="does a process start itself"):
        counting.causes.count_instance(counting.envelope(9, "far"), 9)


def test_a_cause_stores_so_many_bytes_in_an_hour() -> None:
    """What would go over is refused, what still fits is not."""
    counting = Counting()
    counting.causes.count_size(counting.envelope(1), 4_000)
    with pytest.raises(Exhausted, match="BPM_PROCESSES__MAX_CAUSED_BYTES"):
        counting.causes.count_size(counting.envelope(1), 1_001)
    counting.causes.count_size(counting.envelope(1), 1_000)


def test_organisations_have_causes_of_their_own() -> None:
    """Callers may choose the id of a cause: nobody uses up what another organisation's has left."""
    counting = Counting()
    counting.causes.count_size(counting.envelope(1), 5_000)
    elsewhere = counting.envelope(1, principal=replace(SOMEBODY, organization_id=2))
    counting.causes.count_size(elsewhere, 5_000)
    with pytest.raises(Exhausted, match="BPM_PROCESSES__MAX_CAUSED_BYTES"):
        counting.causes.count_size(elsewhere, 1)


def test_the_memory_of_causes_is_bounded() -> None:
    """Those that were active last are remembered."""
    counting = Counting()
    for number in range(MAX_CAUSES + 10):
        counting.causes.count_size(counting.envelope(1, f"c{number}"), 5_000)
    counting.causes.count_size(counting.envelope(1, "c3"), 5_000)
    with pytest.raises(Exhausted):
        counting.causes.count_size(counting.envelope(1, f"c{MAX_CAUSES}"), 1)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    """An application whose limits are near."""
    async with running_app(tmp_path, processes=ProcessSettings(max_caused_instances=200)) as running:
        yield running


@pytest.mark.parametrize("between", ["script x: y = 1", "catch x: timer PT0S", "service x: PublishEventCommand"])
async def test_messages_back_and_forth_end(app: RunningApp, between: str) -> None:
    """Two instances that answer one another for ever stop after a few rounds, whatever stands in between."""
    for mine, other in (("ping", "pong"), ("pong", "ping")):
        text = f"start s; xor m; receive r: {mine}; {between}; throw t: message {other}; xor g; end e\n"
        text += "s -> m -> r -> x -> t -> g\ng -> m if 1 = 1\ng -> e default"
        await deploy(app, text, mine)
        await start(app, mine, event="between.rounds")
    await app.cmd("CorrelateMessageCommand", messageName="ping")
    sent = await settled(app)
    assert 3 < sent < 100


@pytest.mark.parametrize("between", ["", "catch x: timer PT0S; "])
async def test_an_event_that_starts_its_own_publisher_ends(app: RunningApp, between: str) -> None:
    """Each instance publishes twice what begins it; jobs and timers in between do not begin the chain anew."""
    steps = "s -> x -> a -> b -> e" if between else "s -> a -> b -> e"
    text = f"start s; {between}service a: PublishEventCommand; service b: PublishEventCommand; end e\n{steps}"
    publishing = bpmn(text).replace("<zeebe:taskDefinition", f"{PUBLISH}<zeebe:taskDefinition")
    await app.cmd("CreateProcessDefinitionCommand", name="p", bpmnXml=publishing, triggerEvents=["loop.x"])
    await app.cmd("PublishEventCommand", event="loop.x")
    assert 10 < await quiet(app) <= 201


async def test_a_signal_reaches_everybody_who_listens(app: RunningApp) -> None:
    """However many pages of listeners there are: going on with one's own work is no step away from the cause."""
    await deploy(app, "start s; catch c: signal S; end e\ns -> c -> e")
    await asyncio.gather(*(start(app) for _ in range(120)))
    await app.cmd("BroadcastSignalCommand", signalName="S")
    await until(lambda: count(app, status="COMPLETED"), lambda ended: ended == 120, seconds=60, pause=0.05)


async def settled(app: RunningApp) -> int:
    """Wait until no further messages are sent; return how many were sent in the last hour."""
    async with asyncio.timeout(60):
        before = -1
        while True:
            found = await app.cmd("GetAuditLogQuery", pageSize=1)
            if found["totalCount"] == before:
                return before
            before = found["totalCount"]
            await asyncio.sleep(0.6)
