"""A job that was claimed and then lost in this process is not left to the next start."""

from datetime import timedelta
from pathlib import Path

import pytest

from bpm.jobs import Job
from bpm.jobs.sqlite import TOKENS, SqliteTokens
from bpm.jobs.worker_lock import WorkerLock
from bpm.settings import Settings
from bpm.store import Transaction, open_database, utc_now

pytestmark = [pytest.mark.anyio, pytest.mark.embedded]

LOST, RUNNING = Job("inbound", "lost", 0, utc_now(), 1), Job("inbound", "running", 0, utc_now(), 1)


async def test_what_nobody_runs_is_taken_back(tmp_path: Path) -> None:
    """Not at the first look, at which it may be on its way; what runs in this process stays with it."""
    database = open_database(Settings(data_dir=tmp_path))
    await database.start()
    tokens = SqliteTokens(database, WorkerLock(tmp_path / "worker.lock"))
    await tokens.prepare()

    def claim(tx: Transaction) -> None:
        for job in (LOST, RUNNING):
            table, row = tokens.row(job, timedelta())
            tx.append(table, {**row, "status": "picked"})

    def states(tx: Transaction) -> dict[str, str]:
        return {row.dedupe_key: row.status for row in tx.connection.execute(TOKENS.select())}

    await database.write(claim)
    found: list[str] = []
    for _ in range(3):
        await tokens.prune({RUNNING.key})
        now = await database.read(states)
        assert now[RUNNING.key] == "picked"
        found.append(now[LOST.key])
    await database.stop()
    assert found == ["picked", "queued", "queued"]
