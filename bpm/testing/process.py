"""Real servers and workers in child processes, to be stopped, killed and started again."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import httpx

from bpm.settings import Settings
from bpm.testing.client import ADMINISTRATOR, PASSWORD, TOKEN_SECONDS, ServerClient
from bpm.testing.folder import fill_folder

COMMAND = (sys.executable, "-m", "bpm.cli")
START_SECONDS = 120.0
PORTS = range(20_000, 32_000)
"""Below those that Linux gives to connections (`ip_local_port_range`)."""
STOP_SECONDS = 60.0
KILLED = -signal.SIGKILL
WORKING = "BPM Bus works"
"""What a worker prints when it has started."""


class ServerDidNotStart(Exception):
    """The process ended, or did not become ready in time; the text is the end of its log."""


class BpmProcess(ABC):
    """A `bpm` command that goes on until it is told to stop; changes of `environment` count from the next start on."""

    subcommand: ClassVar[str]
    options: ClassVar[tuple[str, ...]] = ()

    def __init__(self, log_path: Path, environment: Mapping[str, str]) -> None:
        """Take the file of its log; `environment` is added to this process's, without its `BPM_…`."""
        self._log_path = log_path
        self._process: asyncio.subprocess.Process | None = None
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BPM_")}
        self.environment = {**inherited, **environment}

    @property
    def log(self) -> str:
        """What the process has printed so far, over all its starts."""
        return self._log_path.read_text(errors="replace") if self._log_path.exists() else ""

    @property
    def pid(self) -> int:
        """The process's id; raises `RuntimeError` before the first start."""
        return self._running().pid

    async def start(self) -> None:
        """Start the process and wait until it is ready; raises `ServerDidNotStart`."""
        with self._log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *COMMAND,
                self.subcommand,
                *self.options,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while self._process.returncode is None and time.monotonic() < deadline:
            if await self._is_ready():
                return
            await asyncio.sleep(0.05)
        await self.kill()
        raise ServerDidNotStart(self.log[-2000:])

    async def stop(self) -> int:
        """Tell the process to stop (SIGTERM) and return its exit status; it is killed when it takes too long."""
        process = self._running()
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            return await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            return await self.kill()

    async def kill(self) -> int:
        """End the process and its children at once (SIGKILL to the process group)."""
        process = self._running()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it ended just now
                os.killpg(process.pid, signal.SIGKILL)
        return await process.wait()

    async def __aenter__(self) -> Self:
        """Start."""
        try:
            await self.start()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process, whatever happened."""
        await self._end()

    @abstractmethod
    async def _is_ready(self) -> bool:
        """Tell whether a process that was just started does its work."""

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("the process was not started")
        return self._process

    async def _end(self) -> None:
        if self._process is not None:
            await self.kill()


class ServerProcess(BpmProcess, ServerClient):
    """`bpm serve` on a free port of 127.0.0.1, with a data folder that outlives its restarts.

        async with ServerProcess(BPM_COMMAND_PACKAGES="orders") as server:
            await server.cmd("PingQuery")

    Entering starts it and signs in; leaving ends it and throws the folder away.
    """

    subcommand = "serve"

    def __init__(self, **environment: str) -> None:
        """Choose a port and a folder."""
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="bpm-")
        own = {
            "BPM_PORT": str(self.port),
            "BPM_DATA_DIR": str(self.data_dir),
            "BPM_ADMIN_USERNAME": ADMINISTRATOR,
            "BPM_ADMIN_PASSWORD": PASSWORD,
            "BPM_ACCESS_TOKEN_SECONDS": str(TOKEN_SECONDS),
        }
        BpmProcess.__init__(self, Path(self._folder.name) / "server.log", own | environment)
        ServerClient.__init__(self, httpx.AsyncClient(base_url=self.url, timeout=60, trust_env=False))

    @property
    def url(self) -> str:
        """The server's address without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def data_dir(self) -> Path:
        """The data folder."""
        return Path(self._folder.name) / "data"

    async def start(self) -> None:
        """See `BpmProcess.start`."""
        if self.environment["BPM_DATA_DIR"] == str(self.data_dir):
            names = ("database_url", "secret_key")
            given: dict[str, Any] = {name: self.environment.get(f"BPM_{name.upper()}") for name in names}
            await fill_folder(Settings(data_dir=self.data_dir, **given))
        await super().start()

    async def __aenter__(self) -> Self:
        """Start the server and sign in."""
        await super().__aenter__()
        try:
            await self.login()
        except BaseException:
            await self._end()
            raise
        return self

    async def _is_ready(self) -> bool:
        try:
            return (await self.request("GET", "/readyz")).ok
        except httpx.TransportError:
            return False

    async def _end(self) -> None:
        await super()._end()
        await self.http.aclose()
        self._folder.cleanup()


class WorkerProcess(BpmProcess):
    """`bpm worker` beside a server that runs with `BPM_WORKER="false"`; end it before the server."""

    subcommand = "worker"

    def __init__(self, server: ServerProcess, name: str = "worker", **environment: str) -> None:
        """Work on the server's database and data folder; `name` tells several workers' logs apart."""
        super().__init__(server.data_dir.parent / f"{name}.log", {**server.environment, **environment})
        self._starts = 0

    async def start(self) -> None:
        """See `BpmProcess.start`."""
        self._starts = self.log.count(WORKING) + 1
        await super().start()

    async def _is_ready(self) -> bool:
        return self.log.count(WORKING) >= self._starts


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on, and that the system gives to no connection meanwhile."""
    while True:
        port = secrets.choice(PORTS)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
