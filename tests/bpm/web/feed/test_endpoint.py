"""A feed tells answers as they change, to whoever may know them, and ends when they may not."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from bpm.accounts.browser_sessions import BrowserCaller
from bpm.testing import ADMINISTRATOR, PASSWORD, Clock, RunningApp, running_app
from bpm.web.feed import PATH, limit, poller
from bpm.web.feed.poller import pause_after

pytestmark = pytest.mark.anyio

RULES = {"$type": "GetWebHookConfigListQuery"}
PING = {"$type": "PingQuery"}


@pytest.fixture(autouse=True)
def quick_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round follows the other at once."""
    monkeypatch.setattr(poller, "ROUND_SECONDS", 0.01)
    monkeypatch.setattr(poller, "SHARE", 1.0)


@pytest.fixture(scope="module")
async def app(anyio_backend: str) -> AsyncIterator[RunningApp]:
    """The whole application; each test looks at rows of its own."""
    async with running_app() as running:
        yield running


class Heard:
    """What one listener is told, piece by piece."""

    def __init__(self) -> None:
        self.status = 0
        self.gone = asyncio.Event()
        self._pieces = asyncio.Queue[bytes]()

    async def send(self, message: Any) -> None:
        """Take what the application sends."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self._pieces.put_nowait(message["body"])

    async def event(self) -> dict[str, str]:
        """Return the next event as its fields; one without any is the end."""
        async with asyncio.timeout(20):
            lines = (await self._pieces.get()).decode().split("\n")
        return dict(line.split(": ", 1) for line in lines if ": " in line)

    async def answer(self) -> Any:
        """Return the data of the next answer."""
        event = await self.event()
        return json.loads(event["data"])["answer"]["data"]


@asynccontextmanager
async def listening(
    app: RunningApp, *queries: Any, token: str | None = None, path: str = PATH, **headers: str
) -> AsyncGenerator[Heard]:
    """Listen until the block is left."""
    heard = Heard()
    named = {"authorization": f"Bearer {token or app.token}", "content-type": "application/json", **headers}
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]
    body = [{"type": "http.request", "body": json.dumps({"queries": queries}).encode(), "more_body": False}]

    async def receive() -> Any:
        if body:
            return body.pop()
        await heard.gone.wait()
        return {"type": "http.disconnect"}

    address = {"path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"", "scheme": "http"}
    scope = {"type": "http", "method": "POST", "headers": fields, "client": ("127.0.0.1", 1), "http_version": "1.1"}
    task = asyncio.create_task(app.app({**scope, **address}, receive, heard.send))  # pyright: ignore[reportArgumentType]
    try:
        yield heard
    finally:
        heard.gone.set()
        await asyncio.wait_for(task, 20)


async def test_an_answer_is_told_when_it_changes(app: RunningApp) -> None:
    """At once, and then again for each change and for nothing else; a round in which nothing changed tells nothing."""
    await app.rule("first", commandName="PingQuery")
    chosen = {**RULES, "searchText": "first"}
    async with listening(app, chosen) as heard:
        assert (await heard.answer())["totalCount"] == 1
        await app.rule("first-too", commandName="PingQuery")
        assert (await heard.answer())["totalCount"] == 2
    assert heard.status == 200


async def test_who_comes_back_is_told_what_has_changed_meanwhile(app: RunningApp) -> None:
    """By the id of the last event; of two queries only the one whose answer is another one."""
    await app.rule("back", commandName="PingQuery")
    users, rules = {"$type": "GetUserListQuery"}, {**RULES, "searchText": "back"}
    async with listening(app, users, rules) as heard:
        await heard.event()
        last = (await heard.event())["id"]
    await app.rule("back-again", commandName="PingQuery")
    async with listening(app, users, rules, last_event_id=last) as heard:
        told = json.loads((await heard.event())["data"])
        assert (told["at"], told["answer"]["data"]["totalCount"]) == (1, 2)


async def test_a_refused_query_is_told_as_one(app: RunningApp) -> None:
    """The others go on; the words are those of the command's address."""
    missing = {"$type": "GetWebHookConfigByIdQuery", "id": 987_654}
    async with listening(app, missing, PING) as heard:
        answer = json.loads((await heard.event())["data"])["answer"]
        assert (answer["success"], answer["errors"]) == (
            False,
            ["No webhook configuration found with the specified ID"],
        )
        assert json.loads((await heard.event())["data"])["at"] == 1


async def test_rights_are_asked_in_every_round(app: RunningApp) -> None:
    """Of a key that loses its area the answer becomes a refusal; when the key ends, so does the feed."""
    key = await app.cmd("CreateApiKeyCommand", name="listener", scopes=["webhooks:read"])
    async with listening(app, RULES, {"$type": "GetUserListQuery"}, token=key["key"]) as heard:
        assert (await heard.answer())["totalCount"] >= 0
        refused = json.loads((await heard.event())["data"])["answer"]
        assert (refused["success"], refused["data"]) == (False, None)
        await app.cmd("RevokeApiKeyCommand", id=key["id"])
        events = [await heard.event()]
        while events[-1].get("event") == "answer":
            events.append(await heard.event())
        assert events[-1]["event"] == "end"
        assert json.loads(events[-1]["data"])["success"] is False


WRONG: list[tuple[list[Any], int]] = [
    ([], 400),
    ([PING] * 9, 400),
    ([{"$type": "NoSuchQuery"}], 404),
    ([{"$type": "CreateApiKeyCommand", "name": "x", "scopes": []}], 422),
    ([{**RULES, "pageSize": 10_000}], 422),
    (["PingQuery"], 400),
]


@pytest.mark.parametrize(("queries", "status"), WRONG)
async def test_what_is_no_list_of_queries_is_refused(app: RunningApp, queries: list[Any], status: int) -> None:
    """Before anything is told, as any other request."""
    async with listening(app, *queries) as heard:
        await heard.event()
        assert heard.status == status


async def test_an_account_has_so_many_feeds_and_no_more(app: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """One too many is 429; who leaves makes room."""
    monkeypatch.setattr(limit, "MAX_FEEDS", 1)
    async with listening(app, PING) as first:
        await first.event()
        async with listening(app, PING) as second:
            await second.event()
            assert second.status == 429
    async with listening(app, PING) as third:
        await third.event()
        assert third.status == 200


async def test_nobody_listens_without_a_name(app: RunningApp) -> None:
    """Neither without a key nor with a wrong one, and the console's address not without its page and cookie."""
    async with listening(app, PING, token="bpm_wrong") as heard:
        await heard.event()
        assert heard.status == 401
    assert (await app.request("POST", "/console/api/feed", {"queries": [PING]})).status == 403
    assert (await app.request("GET", PATH)).status == 405


async def test_a_screen_that_listens_keeps_no_session_open() -> None:
    """Where nobody does anything any more the session ends after its hour, however many screens are open."""
    clock = Clock()
    page = {"sec_fetch_site": "same-origin", "origin": "http://localhost:8000"}
    async with running_app(clock=clock) as own:
        browsers = own.app.accounts.browsers
        opened = await browsers.sign_in(ADMINISTRATOR, PASSWORD, None, BrowserCaller("127.0.0.1", "", "r-1"))
        cookie = f"bpm-session={opened.cookie}"
        async with listening(own, PING, path="/console/api/feed", cookie=cookie, **page) as heard:
            for minutes in (0, 39, 1):  # the event after the last minute is of a round that began after the others
                clock.advance(timedelta(minutes=minutes))
                own.app.accounts.forget()
                await heard.event()
            await browsers.stop()
            clock.advance(timedelta(minutes=30))
            own.app.accounts.forget()
            event = await heard.event()
            if event["event"] == "answer":  # of a round that had begun
                event = await heard.event()
        assert event["event"] == "end"


async def test_a_server_that_stops_ends_its_feeds() -> None:
    """Within a round, so that it need not wait for who listens."""
    async with running_app() as own, listening(own, PING) as heard:
        await heard.event()
        own.app.lifecycle.drain()
        while await heard.event():
            pass


@pytest.mark.parametrize(("took", "pause"), [(0.001, 1.0), (0.04, 2.0), (1_000.0, 3.0)])
def test_slow_rounds_are_rare(monkeypatch: pytest.MonkeyPatch, took: float, pause: float) -> None:
    """Asking takes a fiftieth of the time at most, within bounds."""
    monkeypatch.setattr(poller, "ROUND_SECONDS", 1.0)
    monkeypatch.setattr(poller, "SHARE", 0.02)
    assert pause_after(took) == pytest.approx(pause)
