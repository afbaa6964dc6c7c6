"""The page as it is served: small, compressed, unchanging under its names, and nothing of it from elsewhere."""

import re
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from bpm.testing import RunningApp, running_app
from bpm.web.console import build_hook

pytestmark = pytest.mark.anyio

FIRST_LOAD = 80 * 1024
ASSET = re.compile(r'(?:src|href)="(assets/[^"]+)"')
IMPORTED = re.compile(r'(?:from|\bimport)"\./([^"]+)"')
"""What a script needs before it begins, not what it asks for later."""


async def get(app: RunningApp, path: str, encoding: str = "identity", method: str = "GET"):
    return await app.http.request(method, path, headers={"accept-encoding": encoding})


async def imported_by(app: RunningApp, paths: set[str]) -> set[str]:
    """Return all that these assets, and what they import, import."""
    found, waiting = set[str](), list(paths)
    while waiting:
        text = (await get(app, f"/console/{waiting.pop()}")).text
        new = {f"assets/{name}" for name in IMPORTED.findall(text)} - found
        found |= new
        waiting += new
    return found


async def test_the_first_load_is_small_and_never_sent_twice() -> None:
    """What is loaded at once is at most 80 KB compressed; assets are kept for ever, the page is not."""
    async with running_app() as app:
        page = await get(app, "/console/", "gzip")
        assert page.headers["cache-control"] == "no-cache"
        total, start = len(page.content), set(ASSET.findall(page.text))
        known = start | await imported_by(app, start)
        for path in known:
            plain, small = await get(app, f"/console/{path}"), await get(app, f"/console/{path}", "gzip, br")
            assert small.headers["content-encoding"] == "br"
            assert "immutable" in small.headers["cache-control"]
            assert small.headers["vary"] == "Accept-Encoding"
            assert small.content == plain.content  # the client has unpacked it
            total += int(small.headers["content-length"])
        assert len(known) > 3
        assert 10_000 < total <= FIRST_LOAD


async def test_what_the_start_needs_is_named_by_the_page() -> None:
    """So a browser asks for all of it at once, and not for what a script imports when the script is there."""
    async with running_app() as app:
        page = await get(app, "/console/")
        (start,) = re.findall(r'<script type="module" src="([^"]+)"', page.text)
        named = set(re.findall(r'<link rel="modulepreload" href="([^"]+)"', page.text))
        needed = await imported_by(app, {start})
        assert len(needed) > 3
        assert named == needed


async def test_nothing_inline_runs_and_nothing_comes_from_elsewhere() -> None:
    """The policy names our own address alone, and no file names another one to load from."""
    async with running_app() as app:
        page = await get(app, "/console/")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert not re.search(r"unsafe|https?:|\*", policy)
        assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|style=", page.text)
    styles = "".join(path.read_text() for path in (build_hook.DIST / "assets").glob("*.css"))
    assert "url(http" not in styles
    assert "@import" not in styles


@pytest.mark.parametrize("path", ["/", "/console"])
async def test_the_bare_address_leads_to_the_console(path: str) -> None:
    """Relative to where the browser is, so that a path which a proxy takes away stays."""
    async with running_app() as app:
        answer = await get(app, path)
        assert (answer.status_code, answer.headers["location"]) == (302, "console/")


@pytest.mark.parametrize("name", ["nothing.js", "..%2findex.html", "%2e%2e/index.html", "app.js.br", ".sources", ""])
async def test_there_is_nothing_but_the_assets(name: str) -> None:
    """No other file of the server, and no packed form under a name of its own."""
    async with running_app() as app:
        assert (await get(app, f"/console/assets/{name}")).status_code == 404


async def test_an_installation_without_the_console_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The address answers with a sentence, the rest works."""
    monkeypatch.setattr("bpm.web.console.routes.DIST", tmp_path)
    async with running_app() as app:
        answer = await get(app, "/console/")
        assert answer.status_code == 404
        assert "BPM_SKIP_UI" in answer.text


def test_a_wheel_has_the_console_and_none_of_its_sources(tmp_path: Path) -> None:
    """So it serves the same where there is no Node; the licences of what is in it are in it, too."""
    root = Path(__file__).parents[2]
    (made,) = WheelBuilder(str(root)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(made) as wheel:
        infos = {info.filename: info for info in wheel.infolist()}
        console = [name for name in infos if name.startswith("bpm/web/console/dist/")]
        built = {path for path in build_hook.DIST.rglob("*") if path.is_file()}
        assert {Path(name).name for name in console} == {path.name for path in built}
        for path in built:
            assert wheel.read(f"bpm/web/console/{path.relative_to(build_hook.HERE)}") == path.read_bytes()
    assert not [name for name in infos if name.endswith((".tsx", ".ts", "build_hook.py")) or "node_modules" in name]
    assert any(name.endswith("THIRD_PARTY_LICENSES") for name in console)
    assert sum(infos[name].compress_size for name in console) <= 1024 * 1024


def test_the_lock_names_no_registry() -> None:
    """Whoever builds takes the libraries from the registry that their npm is set to."""
    lock = (build_hook.APP / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert "integrity" in lock
