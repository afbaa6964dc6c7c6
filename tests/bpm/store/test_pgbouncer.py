"""PostgreSQL behind PgBouncer: right with a session for each connection, refused with a sentence otherwise."""

import getpass
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bpm.errors import Misconfigured
from bpm.settings import Settings
from bpm.store import open_database
from bpm.testing.process import free_port
from tests.contracts.database import insert, words
from tests.ports import wait_for
from tests.postgres import Cluster

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="PgBouncer is not installed (make proxies)"),
]


@contextmanager
def pooler(url: str, mode: str, folder: Path) -> Generator[str]:
    """Run PgBouncer in front of a database and return the database's address through it."""
    parts = urlsplit(url)
    place, user = parse_qs(parts.query)["host"][0], parts.username or "postgres"
    port = free_port()
    owner = Path(place).owner()
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n* = host={place} user={user}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\npool_mode = {mode}\n"
    )
    command = ["pgbouncer", "-q", *(["-u", owner] if owner != getpass.getuser() else []), str(config)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_for(port)
        yield f"postgresql://{user}@127.0.0.1:{port}{parts.path}"
    finally:
        process.terminate()
        process.communicate(timeout=10)


async def test_a_session_for_each_connection_is_right(own_cluster: Cluster, tmp_path: Path) -> None:
    """It starts with PgBouncer's other settings as shipped, and the limits of its sessions hold."""
    with pooler(own_cluster.url, "session", tmp_path) as url:
        database = open_database(Settings(data_dir=tmp_path, database_url=url))
        await database.start()
        await database.write(insert("through"))
        assert "through" in await database.read(words)
        limit = await database.write(lambda tx: tx.connection.exec_driver_sql("SHOW lock_timeout").scalar_one())
        assert limit == "500ms"
        await database.stop()


@pytest.mark.parametrize("mode", ["transaction", "statement"])
async def test_another_session_for_each_transaction_is_refused(own_cluster: Cluster, tmp_path: Path, mode: str) -> None:
    """The server does not start, and says which setting to change."""
    with pooler(own_cluster.url, mode, tmp_path) as url, pytest.raises(Misconfigured, match="pool_mode=session"):
        await open_database(Settings(data_dir=tmp_path, database_url=url)).start()
