"""The image: built from `deploy/Dockerfile` by a tool without an engine, it serves as the account that it names.

No image comes from a registry: its base is put together from Debian's packages, with the interpreter that Debian has.
The packages of the lock are fetched before, so that the build itself needs no network.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from bpm.testing.client import ADMINISTRATOR, PASSWORD, ServerClient
from bpm.testing.process import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(3600)]

ROOT = Path(__file__).parents[2]
TOOLS = ("buildah", "mmdebstrap")
IMAGE, BASE = "localhost/bpm-bus", "localhost/base"
ACCOUNT = 10001
SUITE = "bookworm"
PACKAGES = "python3,python3-venv,python-is-python3"
SECONDS = 900
"""How long a step may take on a machine that does other things as well."""


class Builder:
    """Runs `buildah` with a store of its own; its containers share this machine's network."""

    def __init__(self, folder: Path) -> None:
        """Take where everything lies."""
        self.folder = folder
        self._store = ("--root", str(folder / "store"), "--runroot", str(folder / "run"))
        self._environment = {**os.environ, "BUILDAH_ISOLATION": "chroot"}

    def words(self, *words: str) -> list[str]:
        """Return a command."""
        return ["buildah", *self._store, *words]

    def __call__(self, *words: str) -> str:
        """Run a command and return what it prints; raises `CalledProcessError`."""
        done = subprocess.run(
            self.words(*words),
            cwd=ROOT,
            env=self._environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=SECONDS,
        )
        return done.stdout.strip()

    def make_base(self) -> None:
        """Make an image of Debian with Python, as a registry would have one, and see that containers run here."""
        tree = self.folder / "base.tar"
        options = ("--variant=minbase", "--dpkgopt=force-unsafe-io", f"--include={PACKAGES}")
        fetched(["mmdebstrap", "--quiet", *options, SUITE, str(tree)], "Debian's packages")
        empty = self("from", "scratch")
        self("add", "--quiet", empty, str(tree), "/")
        self("commit", "--quiet", "--rm", empty, BASE)
        self("run", self("from", "--pull-never", BASE), "--", "true")

    def make_image(self) -> None:
        """Build the image from its file, with what was fetched for it."""
        wheels, lock = self.folder / "wheels", ROOT / ".lock" / "run.txt"
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--no-deps"]
        fetched([*pip, "--requirement", str(lock), "--dest", str(wheels)], "the packages of the lock")
        there = {"BASE": BASE, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
        self(
            "build",
            "--quiet",
            "--pull-never",
            "--network=none",
            "--format=docker",  # OCI's has no health check
            f"--volume={wheels}:/wheels:ro",
            *(f"--build-arg={name}={value}" for name, value in there.items()),
            f"--ignorefile={ROOT / 'deploy' / 'Dockerfile.dockerignore'}",
            f"--file={ROOT / 'deploy' / 'Dockerfile'}",
            f"--tag={IMAGE}",
            str(ROOT),
        )


class Container(ServerClient):
    """The image, running what it runs by itself, with its data in a volume of its own."""

    def __init__(self, builder: Builder) -> None:
        """Choose a port."""
        self._builder = builder
        self.port = free_port()
        self.name = builder("from", "--pull-never", IMAGE)
        super().__init__(httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=60, trust_env=False))

    def run(self, *words: str) -> list[str]:
        """Return the command that runs something in the container as the image's account."""
        return self._builder.words("run", self.name, "--", *words)

    async def start(self) -> asyncio.subprocess.Process:
        """Start it as the image says, and wait until it is ready."""
        own = {"PORT": str(self.port), "HOST": "127.0.0.1", "ADMIN_USERNAME": ADMINISTRATOR, "ADMIN_PASSWORD": PASSWORD}
        self._builder("config", *(f"--env=BPM_{name}={value}" for name, value in own.items()), self.name)
        process = await asyncio.create_subprocess_exec(
            *self.run("bpm", "serve"), env={**os.environ, "BUILDAH_ISOLATION": "chroot"}
        )
        async with asyncio.timeout(SECONDS):
            while not await self._is_ready():
                assert process.returncode is None
                await asyncio.sleep(0.1)
        return process

    async def _is_ready(self) -> bool:
        try:
            return (await self.request("GET", "/readyz")).ok
        except httpx.TransportError:
            return False


def fetched(command: list[str], what: str) -> None:
    """Fetch something from outside, or skip where that can't be had."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode != 0:
        pytest.skip(f"{what} can't be had here: {done.stderr[-300:]}")


@pytest.fixture(scope="module")
def builder() -> Iterator[Builder]:
    """A builder with the image, thrown away with all that it made."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"the image is built by root with {' and '.join(TOOLS)} (make builder)")
    with tempfile.TemporaryDirectory(prefix="bpm-image-", ignore_cleanup_errors=True) as folder:
        builder = Builder(Path(folder))
        try:
            builder.make_base()
        except subprocess.CalledProcessError as refused:
            pytest.skip(f"containers don't run here: {' '.join(refused.cmd)} ended with {refused.returncode}")
        builder.make_image()
        yield builder
        builder("rm", "--all")


def server_in(process: asyncio.subprocess.Process) -> psutil.Process:
    """Return the product's process below the one that runs the container."""
    below = psutil.Process(process.pid).children(recursive=True)
    return next(each for each in below if each.cmdline() == ["/opt/bpm/bin/python", "/opt/bpm/bin/bpm", "serve"])


async def test_the_image_serves_as_its_account_and_ends_in_order(builder: Builder) -> None:
    """It takes a request, a script answers, everything it writes is in its folder; told to stop, it drains."""
    container = Container(builder)
    process = await container.start()
    server = server_in(process)
    assert set(server.uids()) == {ACCOUNT}
    await container.login()
    await container.rule(
        "greet", executionType=2, responseMode="sync", executionCode='reply(200, "hi " + payload["name"])'
    )
    assert (await container.hook("greet", {"name": "Ada"})).body == "hi Ada"
    assert (await container.request("GET", "/console/")).ok
    (kept,) = await container.requests(configKey="greet")
    assert kept["configKey"] == "greet", kept
    server.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), SECONDS) == 0
    await container.http.aclose()


def test_the_account_of_the_image_changes_nothing_of_the_product(builder: Builder) -> None:
    """It may write to its data and nowhere else where the product lies."""
    container = builder("from", "--pull-never", IMAGE)
    tried = "for place in /opt/bpm /opt/bpm/bin/bpm /usr /etc; do test -w $place && echo $place; done; test -w /data"
    assert builder("run", container, "--", "sh", "-c", tried) == ""
