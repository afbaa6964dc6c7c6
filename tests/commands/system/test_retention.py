"""Retention, in the whole application: what is old goes, what may still be needed stays."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bpm.app import App
from bpm.settings import RetentionSettings
from bpm.store import utc_now
from bpm.store.retention import Retention
from bpm.store.retention.tables import take_lease
from bpm.testing import RunningApp, running_app, until
from router.attempts.tables import ATTEMPTS
from router.tables.requests import INBOUND
from tests.crowd import fill

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


@pytest.fixture
async def server() -> AsyncIterator[RunningApp]:
    async with running_app() as server:
        yield server


async def keep(server: RunningApp, name: str, age: timedelta, **changes: Any) -> None:
    """Store a request of an age."""
    at = utc_now() - age
    row: dict[str, Any] = {
        "request_id": name,
        "state": "done",
        "cause": None,
        "received_at": at,
        "completed_at": at,
        **changes,
    }
    await fill(server.app.database, 1, **row)


async def left(app: App) -> dict[str, Any]:
    rows = await app.database.read(lambda tx: tx.connection.execute(select(INBOUND)).all())
    return {row.request_id: row for row in rows}


async def test_bodies_go_first_then_results_then_rows(server: RunningApp) -> None:
    """A request loses its body and result after 30 days and is gone after 90; a young one keeps everything."""
    for name, days in (("young", 29), ("old", 31), ("ancient", 91)):
        await keep(server, name, days * DAY)
    found = await server.cmd("PruneStoredDataCommand")
    assert {name: count for name, count in found["pruned"].items() if count} == {
        "requests": 1,
        "bodies of requests": 1,
        "results of requests": 1,
    }
    rows = await left(server.app)
    assert {name: (bool(row.body), row.result is not None) for name, row in rows.items()} == {
        "young": (True, True),
        "old": (False, False),
    }
    shown = await server.cmd("GetInboundRequestByIdQuery", requestId="old")
    assert (shown["body"], shown["bodyPruned"]) == ("", True)


async def test_what_is_open_or_may_be_driven_again_stays_longer(server: RunningApp) -> None:
    """Nothing that waits is ever pruned; quarantined and dead requests have limits of their own."""
    soon = utc_now() + DAY
    open_states: dict[str, dict[str, Any]] = {
        "pending": {"state": "pending", "completed_at": None, "next_attempt_at": soon},
        "retried": {"state": "failed", "completed_at": None, "next_attempt_at": soon},
    }
    for name, changes in open_states.items():
        await keep(server, name, 1_000 * DAY, **changes)
    await keep(server, "finished late", 1_000 * DAY, completed_at=utc_now())
    await keep(server, "failed for its caller", 91 * DAY, state="failed")
    await keep(server, "dead", 179 * DAY, state="dead")
    await keep(server, "dead long ago", 181 * DAY, state="dead")
    await keep(server, "quarantined", 29 * DAY, state="quarantined", cause="unknown")
    await keep(server, "quarantined long ago", 31 * DAY, state="quarantined", cause="unknown")
    await server.cmd("PruneStoredDataCommand")
    rows = await left(server.app)
    assert set(rows) == {"pending", "retried", "finished late", "dead", "quarantined"}
    assert all(row.body for row in rows.values())


async def test_a_preview_counts_and_nothing_goes(server: RunningApp) -> None:
    """A preview tells what the same command would let go of, and the system status what went."""
    await fill(server.app.database, 250, start=utc_now() - 100 * DAY, state="done", cause=None)
    preview = await server.cmd("PruneStoredDataCommand", preview=True)
    assert (preview["pruned"]["requests"], len(await left(server.app))) == (250, 250)
    found = await server.cmd("PruneStoredDataCommand")
    assert (found["pruned"]["requests"], found["complete"], len(await left(server.app))) == (250, True, 0)
    (mark,) = [m for m in (await server.cmd("GetSystemStatusQuery"))["retention"] if m["name"] == "requests"]
    assert (mark["pruned"], mark["lastPruned"]) == (250, 250)


async def test_attempts_go_with_their_request(server: RunningApp) -> None:
    """The history of a pruned request is pruned with it, and no other's."""
    now = utc_now()
    for name, age in (("old", 91 * DAY), ("young", DAY)):
        await keep(server, name, age)
        row: dict[str, Any] = {"request_id": name, "number": 1, "started_at": now, "ended_at": now, "outcome": "done"}
        await server.app.database.append((ATTEMPTS, row))
    await server.cmd("PruneStoredDataCommand")
    kept = await server.app.database.read(
        lambda tx: tx.connection.execute(select(ATTEMPTS.c.request_id)).scalars().all()
    )
    assert kept == ["young"]


async def test_other_organisations_are_pruned_too(server: RunningApp) -> None:
    """Retention is the installation's: it knows no borders."""
    for organization in (1, 2, 7):
        await keep(server, f"of {organization}", 91 * DAY, organization_id=organization)
    await server.cmd("PruneStoredDataCommand")
    assert await left(server.app) == {}


async def test_zero_is_for_ever(tmp_path: Path) -> None:
    """A limit of 0 days keeps everything."""
    forever = RetentionSettings(bodies_days=0, results_days=0, rows_days=0, dead_days=0, quarantine_days=0)
    async with running_app(tmp_path, retention=forever) as server:
        await keep(server, "ancient", 3_000 * DAY)
        await server.cmd("PruneStoredDataCommand")
        assert (await left(server.app))["ancient"].body


async def test_only_one_process_prunes(server: RunningApp) -> None:
    """While another process prunes the command is refused; when it falls silent the next one goes on."""
    later = utc_now() + timedelta(seconds=60)
    await server.app.database.write(lambda tx: take_lease(tx, "another", later, 60))
    reply = await server.send("PruneStoredDataCommand", {})
    assert (reply.status, "another process" in reply.errors[0]) == (409, True)
    await server.app.database.write(lambda tx: take_lease(tx, "another", later - timedelta(days=1), 60))
    assert (await server.send("PruneStoredDataCommand", {})).ok


async def test_a_prune_from_the_future_keeps_nobody_waiting(server: RunningApp) -> None:
    """It was begun before the clock was set back, by a process that is no more."""
    tomorrow = utc_now() + DAY
    await server.app.database.write(lambda tx: take_lease(tx, "another", tomorrow, 60))
    assert (await server.send("PruneStoredDataCommand", {})).ok


@pytest.mark.embedded
async def test_the_largest_bodies_allowed_are_bounded(tmp_path: Path) -> None:
    """Above its size the database loses the oldest bodies first, and only as many as it takes."""
    async with running_app(tmp_path, retention=RetentionSettings(max_database_mb=6)) as server:
        await fill(server.app.database, 800, start=utc_now() - DAY, state="done", cause=None, body=b"x" * 10_000)
        await server.cmd("PruneStoredDataCommand")
        rows = sorted((await left(server.app)).values(), key=lambda row: row.received_at)
        pruned = [row.body_pruned for row in rows]
        assert len(rows) == 800
        assert pruned == sorted(pruned, reverse=True)
        assert 200 < Counter(pruned)[True] < 700


async def test_writes_go_on_while_it_prunes(server: RunningApp) -> None:
    """What is written while thousands of rows go waits for a batch at most, never for the whole."""
    await fill(server.app.database, 5_000, start=utc_now() - 100 * DAY, state="done", cause=None)
    pruning = asyncio.create_task(server.app.retention.run())
    written = 0
    while not pruning.done():
        await server.app.database.write(lambda tx: tx.connection.exec_driver_sql("SELECT 1").scalar())
        written += 1
        await asyncio.sleep(0.002)
    pruned = await pruning
    assert pruned is not None
    assert pruned["requests"] == 5_000
    assert written > 50  # one for each batch at least


async def test_the_schedule_goes_on_by_itself(server: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker prunes without being asked."""
    monkeypatch.setattr("bpm.store.retention.keeper.FIRST_SECONDS", 0.0)
    await keep(server, "ancient", 91 * DAY)
    app = server.app
    retention = Retention(app.database, app.settings.retention, utc_now, "me", app.retention.policies)
    retention.start()
    await until(lambda: left(app), lambda rows: not rows)
    await retention.stop()


async def test_nothing_goes_by_a_clock_that_was_set(server: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is a year ahead for a minute makes neither the audit log nor anything else old."""
    monkeypatch.setattr("bpm.store.retention.keeper.FIRST_SECONDS", 0.0)
    monkeypatch.setattr("bpm.store.retention.keeper.EVERY_SECONDS", 0.01)
    await keep(server, "young", DAY)
    app, ahead, asked = server.app, timedelta(0), 0

    def clock() -> datetime:
        nonlocal asked
        asked += 1
        return utc_now() + ahead

    retention = Retention(app.database, app.settings.retention, clock, "me", app.retention.policies)
    ahead = 370 * DAY
    retention.start()
    await until(lambda: _value(asked), lambda times: times > 5)
    await retention.stop()
    assert list(await left(app)) == ["young"]


async def _value(value: int) -> int:
    return value
