"""`bpm serve --processes 2`: two processes answer on one socket, and one that dies is replaced."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bpm.testing import ServerProcess, until
from tests.journeys.children import answering_children
from tests.journeys.flood import ENVIRONMENT, Flood, everything_done, prepare

pytestmark = pytest.mark.anyio

REQUESTS = 1_000


class TwoProcesses(ServerProcess):
    """A server of two processes."""

    options = ("--processes", "2")

    @property
    def children(self) -> set[int]:
        """The ids of the processes that answer."""
        return answering_children(self.pid)

    def connections(self, child: int) -> int:
        """How many clients one of them answers now."""
        files = psutil.Process(child).net_connections("tcp")
        return sum(1 for each in files if each.status == "ESTABLISHED" and each.laddr.port == self.port)


@pytest.fixture
async def server(postgres_url: str):
    """Two processes on one PostgreSQL, both started."""
    async with TwoProcesses(**ENVIRONMENT, BPM_DATABASE_URL=postgres_url) as server:
        await until(lambda: server.log.count("BPM Bus listens") == 2)
        yield server


async def test_one_that_is_killed_is_replaced_and_nothing_is_lost(server: TwoProcesses) -> None:
    """In the middle of a flood one process is killed; the other goes on, and both do everything exactly once."""
    await prepare(server)
    before = server.children
    killed = min(before)
    async with Flood([server.url], REQUESTS).flowing() as flood:
        await flood.reached(0.3)
        os.kill(killed, signal.SIGKILL)
    await everything_done(server, REQUESTS)
    await until(lambda: len(server.children - {killed}) == 2)
    assert "a server process has ended and is started again" in server.log


async def test_both_answer(server: TwoProcesses) -> None:
    """Each of them takes a part of the connections."""
    await prepare(server)
    async with Flood([server.url], REQUESTS).flowing() as flood:
        await flood.reached(0.5)
        assert all(map(server.connections, server.children))
    await everything_done(server, REQUESTS)


async def test_told_to_stop_they_drain(server: TwoProcesses) -> None:
    """SIGTERM ends all of them with status 0."""
    children = server.children
    assert await server.stop() == 0
    assert not any(map(psutil.pid_exists, children))


async def test_told_to_stop_while_one_begins_they_drain(server: TwoProcesses) -> None:
    """One that has only just been started, and hears no signals yet, is no failure."""
    before = server.children
    os.kill(min(before), signal.SIGKILL)
    await until(lambda: len(server.children - before) == 1)
    assert await server.stop() == 0


async def test_without_their_parent_they_end(server: TwoProcesses) -> None:
    """Killed, it can tell them nothing; they drain all the same, and leave the port free."""
    children = server.children
    os.kill(server.pid, signal.SIGKILL)
    await until(lambda: not any(map(psutil.pid_exists, children)))
    assert "Traceback" not in server.log


def test_the_embedded_database_takes_one(tmp_path: Path) -> None:
    """On SQLite it is refused with the reason, before anything is made."""
    ended = subprocess.run(
        [sys.executable, "-m", "bpm.cli", "serve", "--processes", "2"],
        env={**os.environ, "BPM_DATA_DIR": str(tmp_path), "BPM_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "bpm: --processes: several processes need PostgreSQL" in ended.stderr
    assert not list(tmp_path.iterdir())
