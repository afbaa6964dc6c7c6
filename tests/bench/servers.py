"""Starts each server as a real child process, waits until it answers, and stops it by its pid."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bpm.testing.process import free_port

START_SECONDS = 30
STOP_SECONDS = 20
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class ServerError(Exception):
    """A server did not start, or did not answer as it must."""


@dataclass(frozen=True)
class Server:
    """A running server on 127.0.0.1, and the workers that do its work."""

    pid: int
    port: int
    workers: tuple[int, ...] = ()

    @property
    def url(self) -> str:
        """Its address without a path."""
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """User and system time so far, of the processes and their descendants."""
        return sum(map(_cpu_seconds, (self.pid, *self.workers)))

    def signal_workers(self, number: int) -> None:
        """Send each worker a signal."""
        for pid in self.workers:
            os.kill(pid, number)


@contextmanager
def running_app(app: str, folder: Path) -> Generator[Server]:
    """Run an ASGI app, named `module:attribute`, with BENCH_FOLDER set, as `bpm serve` runs ours."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", app, "--host", "127.0.0.1", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    with running(command, port, "/", folder, {"BENCH_FOLDER": str(folder)}) as server:
        yield server


@contextmanager
def running(command: list[str], port: int, ready: str, folder: Path, env: Mapping[str, str]) -> Generator[Server]:
    """Run a command that serves on the port, from the moment its `ready` path answers.

    Creates the folder, for the server's data and log. Raises ServerError with the end of the log when the
    server does not come up.
    """
    folder.mkdir(exist_ok=True)
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **env}, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{port}{ready}", log)
        yield Server(process.pid, port)
    finally:
        stop(process)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(url):
            return
        time.sleep(0.05)
    raise ServerError(f"{process.args} did not become ready: {log.read_text(errors='replace')[-600:]}")


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code < 500
    except httpx.TransportError:
        return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process in order, or at once when it takes too long."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _cpu_seconds(pid: int) -> float:
    try:
        # proc(5): `)` ends field 2; 14 to 17 are utime, stime and the same of children already waited for
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        threads = list(Path(f"/proc/{pid}/task").glob("*/children"))
        children = [int(child) for thread in threads for child in thread.read_text().split()]
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS_A_SECOND + sum(map(_cpu_seconds, children))
