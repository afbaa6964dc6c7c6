"""The server as a process: what it says when it can't start, and what its log never says."""

import os
import resource
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import structlog

from bpm.app import App
from bpm.cli.exits import ExitStatus
from bpm.errors import Misconfigured
from bpm.jobs.worker_lock import WorkerLock
from bpm.server import configure_logs
from bpm.settings import Settings
from bpm.supervisor import bind, close_all
from bpm.testing import ServerProcess, running_app

PASSWORD = "Correct-horse-battery-9"


def refused(
    data_dir: Path, *, status: int = 1, address_space: int = resource.RLIM_INFINITY, **environment: str
) -> tuple[str, str]:
    """Start a server that can't start; return what it printed and said on standard error."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BPM_")}
    ended = subprocess.run(
        [sys.executable, "-m", "bpm.cli", "serve"],
        env={**kept, "BPM_DATA_DIR": str(data_dir), "BPM_PORT": "0", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (address_space, resource.RLIM_INFINITY)),
    )
    assert ended.returncode == status, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stdout, ended.stderr


def test_a_port_in_use_is_told_before_anything_is_made(tmp_path: Path) -> None:
    """Where another program listens, the server ends with the reason; the first password is for the next start."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        printed, said = refused(tmp_path, BPM_PORT=str(port))
    reason = f"127.0.0.1 port {port} (Address already in use)"
    assert said == f"bpm: can't listen on {reason}; set BPM_HOST and BPM_PORT to what is free\n"
    assert printed == ""
    assert not (tmp_path / "bpm.db").exists()


@pytest.mark.parametrize("megabytes", [120, 200])
def test_too_little_memory_is_told_in_a_sentence(tmp_path: Path, megabytes: int) -> None:
    """Whether the parts can't be loaded or no thread can be started; whoever starts it may try again (status 75)."""
    _, said = refused(tmp_path, status=ExitStatus.TOO_LITTLE, address_space=megabytes << 20)
    (line,) = (line for line in said.splitlines() if line.startswith("bpm: "))
    assert line.startswith("bpm: the machine gives this process too little (")


def test_a_host_that_is_not_known_is_told(tmp_path: Path) -> None:
    """A name without an address is no traceback, either."""
    _, said = refused(tmp_path, BPM_HOST="nowhere.invalid")
    assert said.startswith("bpm: can't listen on nowhere.invalid port 0 (")


def test_the_first_password_is_shown_where_a_later_part_fails(tmp_path: Path) -> None:
    """The administrator is there by then, and no other start would say the password."""
    lock = WorkerLock(tmp_path / "worker.lock")
    lock.take()
    try:
        printed, said = refused(tmp_path)
    finally:
        lock.release()
    assert "runs the jobs of" in said
    assert printed.startswith("First administrator: admin\nOne-time shown password: ")


def test_every_address_of_the_host_is_taken() -> None:
    """A name with several addresses is answered at each of them, before anybody listens."""
    bound = bind(Settings(host="localhost", port=0))
    try:
        assert {each.family for each in bound} <= {socket.AF_INET, socket.AF_INET6}
        assert len(bound) == len(set(socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)))
    finally:
        close_all(bound)


@pytest.mark.anyio
async def test_where_the_database_is_is_told(tmp_path: Path) -> None:
    """A file that is not in the data folder is named when the server starts."""
    async with ServerProcess(BPM_DATABASE_URL=f"sqlite:///{tmp_path}/elsewhere.db") as server:
        assert f" {tmp_path}/elsewhere.db, data in {server.data_dir})" in server.log


def test_a_password_that_is_too_short_is_told(tmp_path: Path) -> None:
    """A setting that is found wrong while starting is one sentence, like those found before."""
    _, said = refused(tmp_path, BPM_ADMIN_PASSWORD="short")
    assert said.splitlines()[-1] == "bpm: BPM_ADMIN_PASSWORD must have between 12 and 1024 characters"


@pytest.mark.anyio
async def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """A revision that this version does not know is told, and what to do about it."""
    async with running_app(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "bpm.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    _, said = refused(tmp_path, BPM_ADMIN_PASSWORD=PASSWORD)
    assert "the database is at revision 9999, which this version does not know" in said


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """Anything else in the database's place is named with its path."""
    (tmp_path / "bpm.db").write_bytes(b"no database at all " * 100)
    _, said = refused(tmp_path, BPM_ADMIN_PASSWORD=PASSWORD, BPM_SECRET_KEY="k" * 32)
    assert said == f"bpm: {tmp_path / 'bpm.db'} can't be used as the database: file is not a database\n"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_trace_shows_local_variables(log_format: str, capfd: pytest.CaptureFixture[str]) -> None:
    """An unexpected error is logged with its trace, but not with the values that stood around it."""
    configure_logs(Settings.model_validate({"log_format": log_format}))
    try:
        fail(password="canary" + "-in-a-variable")
    except RuntimeError as error:
        structlog.get_logger("test").error("failed", exc_info=error)
    finally:
        structlog.reset_defaults()
    logged = capfd.readouterr().err
    assert "RuntimeError" in logged
    assert "canary-in-a-variable" not in logged


def fail(password: str) -> None:
    """Fail beside a secret."""
    raise RuntimeError("no")


@pytest.mark.anyio
async def test_a_lost_key_is_not_replaced_beside_a_database(tmp_path: Path) -> None:
    """Without the key the sealed secrets are lost; the server says so instead of making a new one."""
    async with running_app(tmp_path):
        pass
    (tmp_path / "secret.key").unlink()
    with pytest.raises(Misconfigured, match=r"secret.key is missing.*restore it from a backup"):
        App(Settings(data_dir=tmp_path))
    assert not (tmp_path / "secret.key").exists()


@pytest.mark.anyio
async def test_a_second_server_on_a_folder_is_refused(tmp_path: Path) -> None:
    """Two workers would run the same jobs; a process without one may join."""
    async with running_app(tmp_path) as first:
        second = App(first.app.settings)
        with pytest.raises(Misconfigured, match="runs the jobs"):
            await second.start()
        await second.stop()
        async with running_app(tmp_path, worker=False) as third:
            assert (await third.cmd("PingQuery"))["pong"] is True


@pytest.mark.anyio
async def test_the_address_on_which_it_listens_is_told() -> None:
    """Beside the one that others call, which says nothing about where the socket is."""
    async with ServerProcess(BPM_PUBLIC_URL="https://hooks.example.com") as server:
        assert f"listens on {server.url}, for others https://hooks.example.com" in server.log


@pytest.mark.anyio
async def test_a_password_in_the_settings_that_comes_late_is_told() -> None:
    """It sets the first administrator's alone; the log says so instead of keeping silent."""
    async with ServerProcess() as server:
        assert "BPM_ADMIN_PASSWORD" not in server.log
        await server.stop()
        await server.start()
        assert "BPM_ADMIN_PASSWORD is not looked at" in server.log
        assert "reset-password" in server.log


CIRCLES = """
import gc, weakref
from bpm.server import freeze_startup_objects

class Circle:
    def __init__(self):
        self.itself = self

def leave(count):
    for _ in range(count):
        circle = []
        circle.append(circle)

gc.collect()
gc.disable()  # as `bpm serve` loads the server
freeze_startup_objects()
in_flight = [Circle() for _ in range(10)]
kept = [weakref.ref(circle) for circle in in_flight]
leave(2_500_000)
in_flight.clear()
leave(1_500_000)
print(sum(ref() is not None for ref in kept))
"""


def test_what_was_in_flight_for_long_is_collected() -> None:
    """Circles that outlived several collections go as well: they stayed for as long as the process."""
    ended = subprocess.run([sys.executable, "-c", CIRCLES], capture_output=True, text=True, check=True)
    assert ended.stdout == "0\n"
