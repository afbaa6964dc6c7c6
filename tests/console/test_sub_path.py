"""Behind a proxy that puts a path before ours, and takes it away from what it passes on."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.async_api import Browser
from starlette.types import ASGIApp, Receive, Scope, Send

from bpm.testing import RunningApp, running_app, until
from bpm.testing.process import free_port
from tests.console.conftest import sign_in
from tests.ports import wait_for

pytestmark = pytest.mark.anyio

PREFIX = "/bus"
PUBLIC = f"https://bank.example{PREFIX}"
SECONDS = 60
PROXIES = Path(__file__).parents[2] / "deploy" / "proxies"
PROGRAMS = {"nginx": ("nginx.conf", ("-g", "daemon off; pid nginx.pid;", "-c")), "haproxy": ("haproxy.cfg", ("-f",))}


class TakesPathAway:
    """What Traefik's StripPrefix does."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        assert path.startswith(f"{PREFIX}/"), path  # whatever is asked for beside it would have left the path
        shorter = path.removeprefix(PREFIX)
        await self._app({**scope, "path": shorter, "raw_path": shorter.encode()}, receive, send)


@contextmanager
def proxy(name: str, upstream: int, folder: Path) -> Generator[int]:
    """Run a proxy with the file that we ship, at ports of this test."""
    program = shutil.which(name, path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/bin")
    if program is None:
        pytest.skip(f"{name} is not installed; `make proxies` installs it where apt-get is")
    template, options = PROGRAMS[name]
    port = free_port()
    shipped = (PROXIES / template).read_text()
    assert (shipped.count("127.0.0.1:8080"), shipped.count("127.0.0.1:8000")) == (1, 1)
    file = folder / template
    file.write_text(
        shipped.replace("127.0.0.1:8080", f"127.0.0.1:{port}").replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
    )
    prefix = ("-p", str(folder), "-e", "stderr") if name == "nginx" else ()
    process = subprocess.Popen([program, *prefix, *options, str(file)], cwd=folder)
    try:
        wait_for(port, SECONDS)
        yield port
    finally:
        process.terminate()
        process.wait(SECONDS)


@contextmanager
def no_proxy(port: int) -> Generator[int]:
    """The application takes the path away itself."""
    yield port


@pytest.fixture
async def running() -> AsyncIterator[RunningApp]:
    """The product, told where it is reached."""
    async with running_app(public_url=PUBLIC, trusted_proxies="127.0.0.1", proxy_header="x-forwarded-for") as running:
        yield running


@pytest.fixture(params=["strip prefix", *PROGRAMS])
async def address(request: pytest.FixtureRequest, running: RunningApp, tmp_path: Path) -> AsyncIterator[str]:
    """Where the console is reached."""
    is_stripped = request.param == "strip prefix"
    app = TakesPathAway(running.app) if is_stripped else running.app
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", ws="none", log_config=None))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started, seconds=SECONDS)
    way: AbstractContextManager[int] = no_proxy(port) if is_stripped else proxy(request.param, port, tmp_path)
    with way as outside:
        yield f"http://127.0.0.1:{outside}{PREFIX}"
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
    async with httpx.AsyncClient(trust_env=False, timeout=SECONDS) as http:
        await http.post(f"{address}/api/webhooks/nowhere", json={})
    await page.get_by_text("Nothing came in yet").wait_for(state="detached")  # the feed came through the proxy
    await page.context.close()


async def test_links_and_documents_name_the_path(running: RunningApp, address: str) -> None:
    """What answers and documents tell of addresses begins with the public one, and works there."""
    made = await running.rule("hello", executionType=2, responseMode="sync", executionCode="reply(200, {'hello': 1})")
    assert made["url"] == f"{PUBLIC}/api/webhooks/hello"
    async with httpx.AsyncClient(trust_env=False, timeout=SECONDS) as http:
        assert (await http.post(f"{address}{made['url'].removeprefix(PUBLIC)}", json={})).json() == {"hello": 1}
        document = (await http.get(f"{address}/openapi.json")).json()
        (server,) = document["servers"]
        assert server["url"] == PREFIX
        page = (await http.get(f"{address}/docs/api")).text
        assert f"{PUBLIC}/api/bpm/cmd" in page
        assert 'href="/' not in page
        assert 'src="/' not in page
        away = await http.get(f"{address}/")
        assert away.is_redirect
        assert not away.headers["location"].startswith("/")
