"""A handler may raise anything, block, hang or end the process: it harms its own request, and nobody else's."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bpm.testing import ServerProcess, until
from bpm.testing.process import ServerDidNotStart
from tests.attacks.hostile_handlers.handlers import RAISED

pytestmark = pytest.mark.anyio

ENVIRONMENT = {
    "BPM_COMMAND_PACKAGES": "tests.attacks.hostile_handlers",
    "PYTHONPATH": str(Path(__file__).parents[2]),
    "BPM_HANDLER_SECONDS": "1",
    "BPM_EFFECT_SECONDS": "1",
}
UNHURRIED = {**ENVIRONMENT, "BPM_HANDLER_SECONDS": "30", "BPM_EFFECT_SECONDS": "30"}
"""For a server that starts several times, also on a machine that has much else to do."""
ONCE = {"attempts": 1}


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[ServerProcess]:
    """A server whose handlers have a second."""
    async with ServerProcess(**ENVIRONMENT) as running:
        for command in ("RaiseCommand", "RaiseEffectCommand"):
            await running.rule(command.lower(), commandName=command, retry=ONCE)
        yield running


async def works(server: ServerProcess) -> bool:
    """Tell whether the server writes, reads and is ready."""
    await server.cmd("PublishEventCommand", event="still.here", data={})
    await server.cmd("GetEventListQuery", pageSize=1)
    return (await server.request("GET", "/readyz")).status == 200


@pytest.mark.parametrize("name", RAISED)
@pytest.mark.parametrize("message", ["RaiseCommand", "RaiseEffectCommand", "RaiseQuery"])
async def test_what_a_handler_raises_is_a_defect_of_its_own_request(
    server: ServerProcess, message: str, name: str
) -> None:
    """Whatever its class, the sender gets a 500 with the request's id; those beside it are answered."""
    others = [server.send("PublishEventCommand", {"event": "a.b"}) for _ in range(3)]
    replies = await asyncio.gather(server.send(message, {"name": name}), *others)
    assert [reply.status for reply in replies] == [500, 200, 200, 200]
    assert await works(server)


@pytest.mark.parametrize("name", RAISED)
async def test_a_request_whose_handler_raises_is_dead_after_its_attempts(server: ServerProcess, name: str) -> None:
    """It is a failed attempt like any other."""
    replies = [await server.hook(command, {"name": name}) for command in ("raisecommand", "raiseeffectcommand")]
    await server.settled()
    for reply in replies:
        request = await server.cmd("GetInboundRequestByIdQuery", requestId=reply.data["requestId"])
        assert (request["state"], request["attempt"]) == ("dead", 1)


async def test_a_callback_that_raises_keeps_nobody_from_an_answer(server: ServerProcess) -> None:
    """The commit stands, and the next units of its group are answered."""
    names = ["FailingCallbackCommand", *["PingQuery"] * 2, "FailingCallbackCommand"]
    assert [reply.status for reply in await asyncio.gather(*(server.send(name, {}) for name in names))] == [200] * 4
    assert await works(server)


@pytest.mark.parametrize("message", ["SpinCommand", "SpinQuery", "SpinStatementCommand", "HangCommand"])
async def test_a_handler_that_never_ends_is_ended(server: ServerProcess, message: str) -> None:
    """It fails with the limit in its error, and the thread goes on."""
    reply = await server.send(message, {})
    assert (reply.status, "1 seconds" in reply.errors[0]) == (422, True), reply
    assert await works(server)
    if message == "SpinCommand":
        assert "handlers.py" in server.log
        assert "spin" in server.log


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    """A pipe that nobody writes to: to open it waits."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    yield path
    wake(path)


def wake(pipe: Path) -> None:
    """Let whoever waits for the pipe go on."""
    with contextlib.suppress(OSError):  # nobody waits
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))


@pytest.mark.parametrize("message", ["SleepCommand", "SleepQuery"])
async def test_a_handler_that_sleeps_holds_nobody_up(server: ServerProcess, pipe: Path, message: str) -> None:
    """Others are answered while it sleeps, it is not called again, and it has changed nothing when it wakes."""
    await server.rule(message.lower(), commandName="PublishEventCommand", parameters={"event": "a.b", "data": {}})
    asleep = asyncio.create_task(server.send(message, {"pipe": str(pipe)}))
    accepted = await server.hook(message.lower(), {})
    reply = await asleep
    assert (reply.status, accepted.status) == (422, 200)
    assert reply.errors[0].startswith(f"{message}: this took longer than the 1 seconds")
    assert await works(server)
    again = await server.send(message, {"pipe": str(pipe)})
    assert (again.status, "has not come back" in again.errors[0]) == (422, True), again
    metrics = await server.request("GET", "/metrics", headers={"Authorization": f"Bearer {server.token}"})
    assert "bpm_threads_abandoned 1" in str(metrics.body)
    await server.settled()
    lines = [line for line in server.log.splitlines() if "did not end when it was interrupted" in line]
    assert f'"type": "{message}"' in lines[-1]
    wake(pipe)
    await until(lambda: _is_called_again(server, message), seconds=60)
    assert (await server.cmd("GetEventListQuery", event="sleeper.begun"))["totalCount"] == 0


async def _is_called_again(server: ServerProcess, message: str) -> bool:
    """Send a message whose handler fails at once; tell whether it was called."""
    reply = await server.send(message, {"pipe": "/no/such/pipe"})
    return reply.status == 500


async def test_a_request_whose_handler_sleeps_is_dead_with_that_cause(server: ServerProcess, pipe: Path) -> None:
    """What waited beside it is executed."""
    await server.rule("sleeper", commandName="SleepCommand", parameters={"pipe": str(pipe)}, retry=ONCE)
    sleeper = await server.hook("sleeper", {})
    beside = await server.hook("sleepcommand", {})
    await server.settled()
    shown = [
        await server.cmd("GetInboundRequestByIdQuery", requestId=reply.data["requestId"]) for reply in (sleeper, beside)
    ]
    assert [request["state"] for request in shown] == ["dead", "done"]
    assert "nothing of it was stored" in shown[0]["errors"][0]


async def test_statements_that_never_end_use_up_no_thread(server: ServerProcess) -> None:
    """More of them than there are threads for reading; on PostgreSQL, each ended one for good."""
    for _ in range(2):
        replies = await asyncio.gather(*(server.send("SpinQuery", {}) for _ in range(3)))
        assert {reply.status for reply in replies} == {422}
    assert await works(server)


async def test_an_effect_that_blocks_its_event_loop_holds_nobody_up(server: ServerProcess, pipe: Path) -> None:
    """Everything is answered meanwhile; other effects run; it is not called again, and what it does late is refused."""
    await server.rule("beside", commandName="PoliteCommand", retry=ONCE)
    blocked = asyncio.create_task(server.send("BlockCommand", {"pipe": str(pipe)}))
    await until(lambda: _names_a_holder(server), seconds=60)
    [line] = [line for line in server.log.splitlines() if "holds the event loop" in line]
    assert ("handlers.py" in line, "block" in line) == (True, True)
    assert (await server.request("GET", "/livez")).status == 200
    assert await works(server)
    reply = await blocked
    assert (reply.status, "1 seconds" in reply.errors[0]) == (422, True), reply
    await until(lambda: _answers(server, "PoliteCommand", 200), seconds=60)
    accepted = await server.hook("beside", {})
    await server.settled()
    request = await server.cmd("GetInboundRequestByIdQuery", requestId=accepted.data["requestId"])
    assert request["state"] == "done"
    again = await server.send("BlockCommand", {"pipe": str(pipe)})
    assert (again.status, "has held the event loop" in again.errors[0]) == (422, True), again
    wake(pipe)
    await until(lambda: _answers(server, "BlockCommand", 500), seconds=60)
    assert (await server.cmd("GetEventListQuery", event="blocker.late"))["totalCount"] == 0
    for event in ("polite.sent", "polite.noted", "polite.concluded"):
        assert (await server.cmd("GetEventListQuery", event=event))["totalCount"] >= 2


async def test_a_task_that_an_effect_leaves_behind_ends_no_event_loop(server: ServerProcess) -> None:
    """Whatever it raises."""
    replies = await asyncio.gather(*(server.send(name, {}) for name in ["PoliteCommand", "StrayCommand"] * 2))
    assert [reply.status for reply in replies] == [200] * 4
    assert await _answers(server, "PoliteCommand", 200)


async def _names_a_holder(server: ServerProcess) -> bool:
    """Tell whether the log names an effect that holds its loop."""
    return "an effect holds the event loop of effects" in server.log


async def _answers(server: ServerProcess, message: str, status: int) -> bool:
    """Send a message, with a pipe that is not there; tell whether it is answered so."""
    return (await server.send(message, {"pipe": "/no/such/pipe"} if message == "BlockCommand" else {})).status == status


async def until_it_dies(server: ServerProcess, *calls: Awaitable[object]) -> None:
    """Make the calls, then ask until nobody answers."""
    for call in calls:
        await call
    while True:
        await server.request("GET", "/livez")


async def survives(server: ServerProcess) -> bool:
    """Start the server again; tell whether it lives until everything is settled."""
    try:
        await server.start()
        await server.login()
        await server.hook("ok", {})
        await server.settled()
    except (httpx.TransportError, ServerDidNotStart):
        return False
    return True


@pytest.mark.embedded
async def test_a_request_that_ends_the_process_is_given_up() -> None:
    """After three deaths it is dead with that cause; what waited beside it is executed."""
    async with ServerProcess(**UNHURRIED) as server:
        await server.rule("die", commandName="DieCommand")
        await server.rule("ok", commandName="PingQuery")
        with pytest.raises(httpx.TransportError):
            await until_it_dies(server, server.hook("die", {}))
        deaths = 1
        while not await survives(server):
            deaths += 1
        [request] = await server.requests(configKey="die")
        whole: dict[str, Any] = await server.cmd("GetInboundRequestByIdQuery", requestId=request["requestId"])
        assert deaths == 3
        assert whole["state"] == "dead"
        assert whole["errors"] == ["the server process ended 3 times while it executed this, so it is not tried again"]
        assert {item["state"] for item in await server.requests(configKey="ok")} == {"done"}
        await server.cmd("ReplayInboundRequestCommand", requestId=request["requestId"])
        with pytest.raises(httpx.TransportError):
            await until_it_dies(server)
