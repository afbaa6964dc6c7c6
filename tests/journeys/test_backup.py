"""A backup under load, a kill, a restore elsewhere: nothing that was acknowledged before the mark is lost."""

import asyncio
import os
import sqlite3
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from bpm.testing import ServerProcess
from tests.journeys.flood import ENVIRONMENT, Flood, prepare

pytestmark = [pytest.mark.anyio, pytest.mark.embedded]

MOST = 100_000
SOME = 200


async def bpm(environment: Mapping[str, str], *words: str) -> str:
    """Run a command as an operator does, and return what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bpm.cli", *words,
        env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    return printed.decode()


async def test_nothing_up_to_the_mark_is_lost(tmp_path: Path) -> None:
    """The server is killed while the provider posts on; on the other machine everything before the backup is there."""
    other = ServerProcess(**ENVIRONMENT)
    async with ServerProcess(**ENVIRONMENT) as lost:
        await prepare(lost)
        flood = Flood([lost.url], MOST)
        async with flood.flowing():
            await flood.reached(SOME / MOST)
            before = set(flood.acknowledged)
            await bpm(lost.environment, "db", "backup", str(tmp_path / "backup"))
            assert len(flood.acknowledged) > len(before), "nobody had to wait for it"
            await lost.kill()
            await bpm(other.environment, "db", "restore", str(tmp_path / "backup"))
            (other.data_dir / "secret.key").write_bytes((lost.data_dir / "secret.key").read_bytes())
            async with other:
                flood.go_to(other.url)
                await flood.end()
                await other.settled()
                assert before <= set(entries(other))
                assert max(Counter(entries(other)).values()) == 1


def entries(server: ServerProcess) -> list[str]:
    """Return the references that were entered, from the server's file."""
    with closing(sqlite3.connect(server.data_dir / "bpm.db")) as connection:
        return [reference for (reference,) in connection.execute("SELECT reference FROM ledger_entry")]
