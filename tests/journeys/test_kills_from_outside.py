"""A server that is killed again and again from outside: what it was doing is innocent, and is done in the end."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from bpm.testing import ServerProcess, until

pytestmark = pytest.mark.anyio

ENVIRONMENT = {"BPM_COMMAND_PACKAGES": "tests.router.probes", "PYTHONPATH": str(Path(__file__).parents[2])}
REQUESTS = 6


@pytest.fixture(params=["sqlite", "postgres"])
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """Which database the server works on."""
    if request.param == "sqlite":
        return ENVIRONMENT
    database = {"BPM_DATABASE_URL": request.getfixturevalue("postgres_url"), "BPM_SECRET_KEY": "k" * 32}
    return {**ENVIRONMENT, **database}


class Destination:
    """Counts the calls; keeps them waiting until it is opened."""

    def __init__(self) -> None:
        self.calls = 0
        self.is_open = False
        self.url = ""

    async def answer(self, _request: web.Request) -> web.Response:
        self.calls += 1
        if not self.is_open:
            await asyncio.sleep(600)
        return web.Response()

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator["Destination"]:
        app = web.Application()
        app.router.add_post("/", self.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield self
        await runner.cleanup()


async def test_what_was_hit_by_three_kills_is_not_given_up(environment: dict[str, str]) -> None:
    """After the first kill the requests run one by one, so that the next ones hit one request each, and another."""
    async with Destination().listening() as destination, ServerProcess(**environment) as server:
        await server.rule("outside", commandName="CallOutCommand", parameters={"url": destination.url})
        await asyncio.gather(*(server.hook("outside", {"number": number}) for number in range(REQUESTS)))
        await until(lambda: destination.calls, lambda calls: calls == REQUESTS, seconds=60)
        for _ in range(2):
            await server.kill()
            destination.calls = 0
            await begin(server)
            await until(lambda: destination.calls, seconds=60)
        await server.kill()
        destination.is_open = True
        await begin(server)
        await until(lambda: server.count_requests("done", "dead"), lambda count: count == REQUESTS, seconds=120)
        assert await server.count_requests("dead") == 0


async def begin(server: ServerProcess) -> None:
    """Start the server anew."""
    await server.start()
    await server.login()
