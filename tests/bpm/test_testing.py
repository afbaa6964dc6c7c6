"""The shipped doubles."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bpm.testing import Clock, WebhookReceiver
from bpm.testing.receiver import PreparedAnswer

pytestmark = pytest.mark.anyio


def test_clock_stands_still():
    """The clock says the same until it is set or advanced."""
    clock = Clock()
    assert clock() == clock() == datetime(2026, 1, 1, tzinfo=UTC)
    clock.advance(timedelta(minutes=5))
    assert clock() == datetime(2026, 1, 1, 0, 5, tzinfo=UTC)
    clock.set(datetime(2025, 1, 1, tzinfo=UTC))
    assert clock() == datetime(2025, 1, 1, tzinfo=UTC)


def test_clock_wants_a_zone():
    """A moment without a zone is refused."""
    with pytest.raises(ValueError, match="needs a zone"):
        Clock().set(datetime(2026, 1, 1))  # noqa: DTZ001 that is the point


async def test_receiver_records():
    """The receiver keeps method, path, query, headers and the exact bytes."""
    async with WebhookReceiver() as receiver, httpx.AsyncClient(base_url=receiver.url) as http:
        answer = await http.post("/hook?a=1", content=b'{"b": 2}', headers={"X-Id": "7"})
    assert answer.status_code == 200
    (request,) = receiver.requests
    assert (request.method, request.path, request.query) == ("POST", "/hook", "a=1")
    assert request.headers["x-id"] == "7"
    assert request.body == b'{"b": 2}'
    assert request.json() == {"b": 2}


async def test_receiver_answers_as_prepared():
    """Prepared answers are given in order, once each, and 200 after them."""
    async with WebhookReceiver() as receiver, httpx.AsyncClient(base_url=receiver.url) as http:
        receiver.answer(500, PreparedAnswer(429, b"slow", {"retry-after": "3"}))
        answers = [await http.get("/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [500, 429, 200]
    assert (answers[1].text, answers[1].headers["retry-after"]) == ("slow", "3")


async def test_receiver_waits():
    """`wait_for` returns when enough has come in, and gives up in time."""
    async with WebhookReceiver() as receiver, httpx.AsyncClient(base_url=receiver.url) as http:
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(receiver.wait_for(2))
            group.create_task(http.get("/1"))
            group.create_task(http.get("/2"))
        assert sorted(request.path for request in waiting.result()) == ["/1", "/2"]
        with pytest.raises(TimeoutError):
            await receiver.wait_for(3, seconds=0.1)


async def test_receiver_can_be_slow():
    """A delayed answer has been recorded before it is given."""
    async with WebhookReceiver() as receiver, httpx.AsyncClient(base_url=receiver.url) as http:
        receiver.answer(PreparedAnswer(delay=5))
        with pytest.raises(httpx.ReadTimeout):
            await http.get("/", timeout=0.2)
        assert len(receiver.requests) == 1
