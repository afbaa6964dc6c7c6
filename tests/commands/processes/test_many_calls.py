"""Calls of processes beyond what a transaction has room for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bpm.testing import RunningApp, running_app
from tests.commands.playing import deploy, instances, start

pytestmark = pytest.mark.anyio

SLOW = 25
"""How many inputs of several milliseconds a call is given, so that a transaction has no time for it."""
CALLS = 200
COUNTED = """CREATE TABLE counted (kind TEXT);
CREATE TRIGGER count_waits AFTER INSERT ON process_wait BEGIN INSERT INTO counted VALUES (new.kind); END"""


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as running:
        yield running


@pytest.mark.embedded
async def test_a_called_process_is_not_begun_where_it_would_only_pause(app: RunningApp) -> None:
    """It is begun by a worker that has room for it, with many others."""
    for statement in COUNTED.split(";\n"):
        await app.app.database.write(lambda tx, sql=statement: tx.connection.execute(text(sql)))
    await deploy(app, "start s; end e\ns -> e", "c")
    await deploy(app, "start s; call t many parallel over items as i: c; end e\ns -> t -> e")
    await start(app, items=list(range(CALLS)))
    await instances(app, "p", 1)
    counted = await app.app.database.read(
        lambda tx: dict(tx.connection.execute(text("SELECT kind, count(*) FROM counted GROUP BY kind")).all())
    )
    assert counted["calling"] > 0
    assert counted.get("pause", 0) < CALLS // 10


async def test_a_call_is_made_however_long_its_mapping_takes(app: RunningApp) -> None:
    """It is put off for want of time, and made when it is its turn."""
    await deploy(app, "start s; end e\ns -> e", "c")
    mapping = "; ".join(f"t << v{number} = sum(for i in 1..5000 return i)" for number in range(SLOW))
    await deploy(app, f"start s; call t: c; end e\n{mapping}\ns -> t -> e")
    await start(app)
    await instances(app, "p", 1)
