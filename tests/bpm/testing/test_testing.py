"""The shipped doubles."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from bpm.client import ServerRefused
from bpm.testing import Clock, PreparedAnswer, ServerDidNotStart, ServerProcess, WebhookReceiver, running_app

pytestmark = pytest.mark.anyio


def test_clock_stands_still() -> None:
    """The clock says the same until it is set or advanced."""
    clock = Clock()
    assert clock() == clock() == datetime(2026, 1, 1, tzinfo=UTC)
    clock.advance(timedelta(minutes=5))
    assert clock() == datetime(2026, 1, 1, 0, 5, tzinfo=UTC)
    clock.set(datetime(2025, 1, 1, tzinfo=UTC))
    assert clock() == datetime(2025, 1, 1, tzinfo=UTC)


def test_clock_wants_a_zone() -> None:
    """A moment without a zone is refused."""
    with pytest.raises(ValueError, match="needs a zone"):
        Clock().set(datetime(2026, 1, 1))  # noqa: DTZ001 that is the point


async def test_receiver_records() -> None:
    """The receiver keeps method, path, query, headers and the exact bytes."""
    async with WebhookReceiver() as receiver, httpx.AsyncClient(base_url=receiver.url) as http:
        answer = await http.post("/hook?a=1", content=b'{"b": 2}', headers={"X-Id": "7"})
    assert answer.status_code == 200
    (request,) = receiver.requests
    assert (request.method, request.path, request.query) == ("POST", "/hook", "a=1")
    assert request.headers["x-id"] == "7"
    assert request.body == b'{"b": 2}'
    assert request.json() == {"b": 2}


async def test_receiver_answers_as_prepared() -> None:
    """Prepared answers are given in order, once each, and 200 after them."""
    async with WebhookReceiver() as receiver, httpx.AsyncClient(base_url=receiver.url) as http:
        receiver.answer(500, PreparedAnswer(429, b"slow", {"retry-after": "3"}))
        answers = [await http.get("/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [500, 429, 200]
    assert (answers[1].text, answers[1].headers["retry-after"]) == ("slow", "3")


async def test_receiver_waits() -> None:
    """`wait_for` returns when enough has come in, and gives up in time."""
    async with WebhookReceiver() as receiver, httpx.AsyncClient(base_url=receiver.url) as http:
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(receiver.wait_for(2))
            group.create_task(http.get("/1"))
            group.create_task(http.get("/2"))
        assert sorted(request.path for request in waiting.result()) == ["/1", "/2"]
        with pytest.raises(TimeoutError):
            await receiver.wait_for(3, seconds=0.1)


async def test_receiver_can_be_slow() -> None:
    """A delayed answer has been recorded before it is given."""
    async with WebhookReceiver() as receiver, httpx.AsyncClient(base_url=receiver.url) as http:
        receiver.answer(PreparedAnswer(delay=5))
        with pytest.raises(httpx.ReadTimeout):
            await http.get("/", timeout=0.2)
        assert len(receiver.requests) == 1


async def test_running_app_is_signed_in_and_keeps_its_time(tmp_path: Path) -> None:
    """The application runs in this process, under the given clock and settings."""
    clock = Clock()
    async with running_app(tmp_path, clock, max_body_bytes=2048) as app:
        assert (await app.cmd("PingQuery"))["time"] == "2026-01-01T00:00:00.000Z"
        assert (await app.send("PingQuery", {"x": "a" * 3000})).status == 413
        clock.advance(timedelta(hours=1))
        await app.login()
        assert (await app.cmd("PingQuery"))["time"] == "2026-01-01T01:00:00.000Z"
    assert (tmp_path / "bpm.db").exists()


async def test_running_app_helps_with_rules() -> None:
    """A rule, a request to it, and what was kept of it, in three lines."""
    async with running_app() as app:
        await app.rule("pong", commandName="PingQuery")
        assert (await app.hook("pong", {})).ok
        await app.settled()
        assert [request["state"] for request in await app.requests(configKey="pong")] == ["done"]


async def test_a_refusal_is_raised_with_the_words_of_the_server() -> None:
    """`cmd` raises what `send` would return."""
    async with running_app() as app:
        with pytest.raises(ServerRefused, match="GetWebHookConfigByIdQuery: 404") as caught:
            await app.cmd("GetWebHookConfigByIdQuery", id=9)
        assert caught.value.reply.status == 404


async def test_server_process_survives_its_deaths() -> None:
    """Killed and stopped, the server starts again on its address with its data."""
    async with ServerProcess() as server:
        rule = await server.rule("kept", commandName="PingQuery")
        assert [await server.kill(), await server.kill()] == [-signal.SIGKILL] * 2
        await server.start()
        assert await server.stop() == 0
        await server.start()
        assert (await server.cmd("LookupWebHookByKeyCommand", key="kept"))["id"] == rule["id"]


async def test_a_server_that_does_not_start_says_why() -> None:
    """The error holds the server's own words."""
    with pytest.raises(ServerDidNotStart, match="BPM_LOG_LEVEL"):
        async with ServerProcess(BPM_LOG_LEVEL="loud"):
            pytest.fail("the server started")
