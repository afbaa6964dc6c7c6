"""Backups of PostgreSQL, by its own `pg_dump` and `pg_restore`."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, inspect, make_url, text

from bpm.errors import Misconfigured
from bpm.store.backup.files import FileFacts, Progress, new_file
from bpm.store.copy import TOKENS
from bpm.store.database import Database
from bpm.store.migrate import revision_of
from bpm.store.sync_runner import run_sync

DEBIAN_FOLDER = "/usr/lib/postgresql/{}/bin"
"""Where Debian keeps the tools of each version; elsewhere those of the PATH are taken."""


async def dump(database: Database, target: Path, progress: Progress) -> FileFacts:
    """Write all of a PostgreSQL database as it stands now into a new file; return what stands in it.

    The rows are counted in the same snapshot. Tokens of jobs are left out: a worker makes them anew from the rows.
    Raises `Misconfigured`; no file is left then.
    """
    return await run_sync(partial(_dump, database, target, progress), database.maintenance)


async def restore_dump(database: Database, source: Path, rows: Mapping[str, int], progress: Progress) -> None:
    """Put a dump into an empty database, whole or not at all, and count its rows; raises `Misconfigured`."""
    await run_sync(partial(_restore, database, source, rows, progress), database.maintenance)


def _dump(database: Database, target: Path, progress: Progress) -> FileFacts:
    with database.maintenance.connect() as connection, connection.begin():
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        snapshot: str = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
        facts = FileFacts(revision_of(connection), _key_id(connection), _rows(connection))
        progress("pg_dump", 0, 1)
        left_out = f"--exclude-table-data={TOKENS}*"
        with new_file(target):
            _run(database, "pg_dump", "--format=custom", f"--snapshot={snapshot}", left_out, f"--file={target}")
        progress("pg_dump", 1, 1)
    return facts


def _restore(database: Database, source: Path, rows: Mapping[str, int], progress: Progress) -> None:
    with database.maintenance.connect() as connection:
        present = inspect(connection).get_table_names()
        if present:
            raise Misconfigured(
                f"the database has tables already ({', '.join(sorted(present)[:3])} …); make an empty one with "
                "`createdb` and name it in BPM_DATABASE_URL"
            )
    progress("pg_restore", 0, 1)
    _run(database, "pg_restore", "--single-transaction", "--exit-on-error", str(source))
    progress("pg_restore", 1, 1)
    with database.maintenance.connect() as connection:
        if _rows(connection) != rows:
            raise Misconfigured("the database that was restored has other rows than its backup; drop it and try again")


def _rows(connection: Connection) -> dict[str, int]:
    names = sorted(name for name in inspect(connection).get_table_names() if not name.startswith(TOKENS))
    counted = 'SELECT count(*) FROM "{}"'
    return {name: connection.exec_driver_sql(counted.format(name)).scalar_one() for name in names}


def _key_id(connection: Connection) -> str | None:
    if not inspect(connection).has_table("installation_mark"):
        return None
    return connection.execute(text("SELECT value FROM installation_mark WHERE name = 'key_id'")).scalar()


def _run(database: Database, tool: str, *words: str) -> None:
    """Run one of PostgreSQL's tools on a database; the password is in no list of processes."""
    version = _server_version(database)
    path = shutil.which(tool, path=DEBIAN_FOLDER.format(version)) or shutil.which(tool)
    if path is None:
        raise Misconfigured(f"{tool} is not installed; install the client tools of PostgreSQL {version}")
    url = make_url(database.dsn or "")
    place = url.set(password=None).render_as_string(hide_password=False)
    secret = {} if url.password is None else {"PGPASSWORD": str(url.password)}
    command = [path, "--no-owner", "--no-privileges", "--no-password", f"--dbname={place}", *words]
    done = subprocess.run(command, env={**os.environ, **secret}, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = done.stderr.strip() or f"status {done.returncode}"
        raise Misconfigured(f"{path}, which should be of the server's version ({version}), failed: {said}")


def _server_version(database: Database) -> int:
    """Return the server's major version: its own tools fit, older and newer ones may not."""
    with database.maintenance.connect() as connection:
        return int(connection.exec_driver_sql("SHOW server_version_num").scalar_one()) // 10_000
