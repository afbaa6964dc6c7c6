"""Behind a proxy that puts a path before ours, and takes it away from what it passes on."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from playwright.async_api import Browser
from starlette.types import ASGIApp, Receive, Scope, Send

from bpm.testing import running_app, until
from bpm.testing.process import free_port
from tests.console.conftest import sign_in

pytestmark = pytest.mark.anyio

PREFIX = "/tools/bus"


class TakesPathAway:
    """What a proxy does whose location ends in a slash."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        assert path.startswith(f"{PREFIX}/"), path  # whatever is asked for beside it would have left the path
        await self._app({**scope, "path": path.removeprefix(PREFIX)}, receive, send)


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """Where the console is reached."""
    async with running_app(public_url=f"https://bank.example{PREFIX}") as running:
        port = free_port()
        server = uvicorn.Server(
            uvicorn.Config(TakesPathAway(running.app), port=port, lifespan="off", ws="none", log_config=None)
        )
        serving = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        yield f"http://127.0.0.1:{port}{PREFIX}"
        server.should_exit = True
        await serving


async def test_everything_works_below_a_path(browser: Browser, address: str) -> None:
    """From the bare address to a screen, and again after a reload there."""
    page = await (await browser.new_context()).new_page()
    await page.goto(f"{address}/")
    await sign_in(page)
    await page.get_by_role("heading", name="Overview").wait_for()
    assert page.url.startswith(f"{address}/console/")
    await page.goto(f"{address}/console/#/requests")
    await page.reload()
    await page.get_by_text("Nothing came in yet").wait_for()
    await page.context.close()
