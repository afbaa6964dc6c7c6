"""`sync` requests of two server processes on PostgreSQL: whoever is second knows what became of the first."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
import pytest

from bpm.jobs import Job
from bpm.store import utc_now
from bpm.store.postgres import plain_dsn
from bpm.testing import until
from router.tables.requests import DEAD, INBOUND, KIND
from tests.attacks.pair import Pair
from tests.router import probes
from tests.router.conftest import runs, stored

pytestmark = pytest.mark.anyio


async def waiting_rule(pair: Pair, key: str, command: str, place: str = "body:id") -> None:
    """Create a rule whose callers wait, and whose command leaves an event named as its key."""
    fields = {"commandName": command, "parameters": {"event": key}}
    await pair.one.rule(key, **fields, deduplication=place, responseMode="sync")


async def given_up(pair: Pair, key: str, command: str) -> str:
    """Store a request with the provider's id 1 that was given up, which has left its event once; return its own id."""
    probes.released[key].set()
    await waiting_rule(pair, key, command)
    answer = await pair.one.hook(key, {"id": 1})
    assert answer.status == 200
    dead = INBOUND.update().values(state=DEAD, errors=["it failed"], answer_status=None)
    await pair.one.app.database.write(lambda tx: tx.connection.execute(dead))
    return answer.headers["x-request-id"]


@asynccontextmanager
async def requests_locked(postgres_url: str) -> AsyncGenerator[None]:
    """Let nobody change a stored request meanwhile; who wants to waits, and comes in the order of waiting."""
    holder = cast("Any", await asyncpg.connect(plain_dsn(postgres_url)))
    try:
        async with holder.transaction():
            await holder.execute("SELECT FROM inbound_request FOR UPDATE")
            yield
    finally:
        await holder.close()


async def test_the_id_of_a_dead_request_is_taken_up_by_one(pair: Pair, postgres_url: str) -> None:
    """Of two effects that come at once one begins; the other is told to come again, and then what the one did."""
    await given_up(pair, "taken-up", "HoldCommand")
    probes.released["taken-up"].clear()
    async with requests_locked(postgres_url):  # both have found the dead one, and wait to take its id
        tasks = [asyncio.ensure_future(app.hook("taken-up", {"id": 1})) for app in (pair.one, pair.other)]
        await until(pair.waiting, lambda count: count == 2)
    (told,), (held,) = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    probes.released["taken-up"].set()
    answers = [told.result(), await held, await pair.other.hook("taken-up", {"id": 1})]
    assert [answer.status for answer in answers] == [503, 200, 200]
    assert await runs(pair.one, "taken-up") == 2


@pytest.mark.parametrize("command", ["NoteCommand", "HoldCommand"])
async def test_a_dead_request_that_is_replayed_is_not_executed_beside(
    pair: Pair, postgres_url: str, command: str
) -> None:
    """Whoever sends it again at that moment repeats it, and it waits for a worker."""
    key = f"replayed-{command}"
    request_id = await given_up(pair, key, command)
    async with requests_locked(postgres_url):
        replay = asyncio.ensure_future(pair.one.send("ReplayInboundRequestCommand", {"requestId": request_id}))
        await until(pair.waiting, lambda count: count == 1)
        again = asyncio.ensure_future(pair.other.hook(key, {"id": 1}))  # it has found the dead one
        await until(pair.waiting, lambda count: count == 2)
    assert [(await replay).status, (await again).status] == [200, 202]
    assert [request["state"] for request in await stored(pair.one, key)] == ["pending", "duplicate"]
    await pair.one.app.execution.run(Job(KIND, request_id, 1, utc_now(), 1))
    assert await runs(pair.one, key) == 2


@pytest.mark.parametrize("place", ["body:id", "body:none"])
async def test_what_a_worker_has_taken_up_is_done_once(pair: Pair, place: str) -> None:
    """The effect that was under way for too long changes nothing more, and its caller is told that it is done."""
    key = f"overtaken-{place[5:]}"
    await waiting_rule(pair, key, "OvertakenCommand", place)
    waiting = asyncio.ensure_future(pair.one.hook(key, {"id": 1}))
    await until(lambda: probes.tries[key] == 1)
    (kept,) = await stored(pair.one, key)
    await pair.other.app.execution.run(Job(KIND, kept["requestId"], 0, utc_now(), 1))
    (done,) = await stored(pair.one, key)
    probes.released[key].set()
    assert (await waiting).status == 202
    assert await stored(pair.one, key) == [done]
    assert (done["state"], await runs(pair.one, key)) == ("done", 1)
