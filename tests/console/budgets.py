"""Measures what the console may cost: `python -m tests.console.budgets [paint] [frames] [ingest] [build]`.

Never part of the tests: the figures depend on the machine, and mean something on one that does nothing else.
"""

import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from playwright.async_api import Browser, Page, async_playwright

from bpm.settings import Settings
from bpm.store import open_database
from bpm.testing import ServerProcess
from bpm.testing.folder import fill_folder
from bpm.web.console import build_hook
from tests.bench.servers import Server
from tests.console.conftest import CHROMIUM, PUBLISH, sign_in
from tests.console.test_screens import visit
from tests.crowd import fill, multiply

TIMES, EACH = 16, 62_500
"""A million requests."""
LOADS = 5
FRAMES_SECONDS, PER_SECOND = 20, 100
ROUNDS, REQUESTS, AT_ONCE = 10, 3_000, 16
SETTLING = 3.0
"""Seconds after which everything is executed, and the page has asked for what it shows."""

PAINTS = """
new PerformanceObserver((list) => { window.largest = list.getEntries().at(-1).startTime })
    .observe({type: "largest-contentful-paint", buffered: true})
"""
FRAMES = """
() => {
    window.gaps = []
    window.long = []
    let last = performance.now()
    const frame = (now) => { window.gaps.push(now - last); last = now; requestAnimationFrame(frame) }
    requestAnimationFrame(frame)
    new PerformanceObserver((list) => window.long.push(...list.getEntries().map((each) => each.duration)))
        .observe({type: "longtask"})
}
"""


@asynccontextmanager
async def serving(*, is_full: bool = False) -> AsyncGenerator[ServerProcess]:
    """A server with a rule, and a million stored requests if it shall be full."""
    server = ServerProcess()
    if is_full:
        settings = Settings(data_dir=server.data_dir)
        await fill_folder(settings)
        database = open_database(settings)
        await database.start()
        await fill(database, EACH)
        await multiply(database, TIMES)
        await database.stop()
    async with server:
        await server.rule("orders", **PUBLISH)
        yield server


@asynccontextmanager
async def browsing(server: ServerProcess) -> AsyncGenerator[tuple[Browser, Page]]:
    """Chromium, somebody signed in."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await (await browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
        page.set_default_timeout(60_000)
        await page.goto(f"{server.url}/console/")
        await sign_in(page)
        await page.get_by_role("heading", name="Overview").wait_for()
        yield browser, page
        await browser.close()


async def paint() -> None:
    """The largest paint of a first load, nothing in the browser's cache, with a million stored requests."""
    async with serving(is_full=True) as server, browsing(server) as (browser, page):
        kept = await page.context.storage_state()
        for place in ("overview", "requests", "dead", "rules"):
            took: list[float] = []
            for _ in range(LOADS):
                context = await browser.new_context(viewport={"width": 1280, "height": 800}, storage_state=kept)
                other = await context.new_page()
                await other.add_init_script(PAINTS)
                await visit(other, server, place)
                await other.wait_for_timeout(1_500)
                took.append(await other.evaluate("window.largest"))
                await context.close()
            tell(f"largest paint of #/{place}", f"{statistics.median(took):.0f} ms", f"up to {max(took):.0f}")


async def frames() -> None:
    """Frames of the list of requests while a hundred come in a second."""
    async with serving() as server, browsing(server) as (_, page):
        await visit(page, server, "requests")
        await page.evaluate(FRAMES)
        start = time.monotonic()
        for number in range(FRAMES_SECONDS * PER_SECOND):
            await asyncio.sleep(max(0.0, start + number / PER_SECOND - time.monotonic()))
            await server.hook("orders", {"number": number})
        gaps: list[float] = await page.evaluate("window.gaps")
        long: list[float] = await page.evaluate("window.long")
        rate = FRAMES_SECONDS * PER_SECOND / (time.monotonic() - start)
        slow = sum(gap > 50 for gap in gaps)
        tell(
            f"frames over 50 ms at {rate:.0f} requests a second", f"{slow} of {len(gaps)}", f"up to {max(gaps):.0f} ms"
        )
        tell("long tasks of the page", f"{len(long)}", f"up to {max(long, default=0):.0f} ms")


async def ingest() -> None:
    """The server's processor time for a request, with and without an open console, in turn."""
    async with serving() as server, browsing(server) as (_, page):
        await load(server, REQUESTS)
        used, ratios = Server(server.pid, server.port), list[float]()
        for number in range(ROUNDS):
            cost: dict[bool, float] = {}
            for is_open in (number % 2 == 0, number % 2 == 1):
                await page.goto(f"{server.url}/console/#/requests" if is_open else "about:blank")
                await asyncio.sleep(3)
                before = used.cpu_seconds()
                await load(server, REQUESTS)
                cost[is_open] = used.cpu_seconds() - before
            ratios.append(cost[True] / cost[False] - 1)
            micro = cost[False] / REQUESTS * 1e6
            print(f"  {micro:.0f} us a request, {ratios[-1]:+.1%} with the console open", flush=True)  # noqa: T201
        spread = statistics.stdev(ratios) / ROUNDS**0.5
        tell("an open console's cost to a request", f"{statistics.median(ratios):+.1%}", f"standard error {spread:.1%}")


async def build() -> None:
    """What the first build adds, libraries from npm included, and the second."""
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(build_hook.HERE, Path(place) / "console", ignore=shutil.ignore_patterns("node_modules", "dist"))
        for which in ("first", "second"):
            start = time.monotonic()
            subprocess.run([sys.executable, Path(place) / "console" / "build_hook.py"], check=True)  # noqa: ASYNC221
            tell(f"the {which} build", f"{time.monotonic() - start:.1f} s", "")


async def load(server: ServerProcess, count: int) -> None:
    """Send so many requests, some at once."""
    numbers = iter(range(count))

    async def one(http: httpx.AsyncClient) -> None:
        for number in numbers:
            answer = await http.post("/api/webhooks/orders", content=json.dumps({"number": number}))
            assert answer.is_success, answer.text

    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=60) as http:
        http.headers["content-type"] = "application/json"
        await asyncio.gather(*(one(http) for _ in range(AT_ONCE)))
    await asyncio.sleep(SETTLING)


def tell(what: str, figure: str, more: str) -> None:
    """Print a figure."""
    print(f"{what:50} {figure:>12}   {more}", flush=True)  # noqa: T201


BUDGETS: dict[str, Callable[[], Awaitable[None]]] = {"paint": paint, "frames": frames, "ingest": ingest, "build": build}


async def main(*names: str) -> None:
    """Measure those that are named, or all."""
    build_hook.build()
    for name in names or BUDGETS:
        await BUDGETS[name]()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
