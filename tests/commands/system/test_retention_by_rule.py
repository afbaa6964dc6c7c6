"""Retention by rule: its requests go sooner, and none before its repetitions may be executed anew."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, text, update

from bpm.settings import RetentionSettings
from bpm.store import Transaction, utc_now
from bpm.testing import Clock, RunningApp, running_app
from commands.code.tables import RUNS
from router.attempts.tables import ATTEMPTS
from router.retention import POLICIES
from router.tables.requests import INBOUND
from router.tables.rule_retention import rule_retentions
from tests.commands.system.test_retention import DAY, keep, left
from tests.crowd import fill
from tests.router.conftest import PROBES, noting, runs, stored
from tests.router.probes import tries

pytestmark = pytest.mark.anyio

MONTH = 30 * 86_400
STUMBLING: dict[str, Any] = {"commandName": "StumbleCommand", "parameters": {"event": "kept", "times": 0}}


@pytest.fixture
async def server() -> AsyncIterator[RunningApp]:
    async with running_app(command_packages=(PROBES,)) as server:
        yield server


async def days_kept(server: RunningApp) -> dict[int, int]:
    return {row.config_id: row.days for row in await server.app.database.read(rule_retentions)}


async def test_what_has_ended_goes_and_what_waits_stays(server: RunningApp) -> None:
    """After its days nothing of the rule is left but what still waits; other rules' and nobody's requests stay."""
    rule = await noting(server, "brief", retentionDays=10)
    other = await noting(server, "usual")
    states = ("done", "rejected", "duplicate", "dead", "quarantined", "failed", "pending")
    for state in states:
        open_ = {"completed_at": None, "next_attempt_at": utc_now() + DAY} if state == "pending" else {}
        await keep(server, f"old {state}", 11 * DAY, state=state, config_id=rule["id"], **open_)
    retried = {"state": "failed", "completed_at": None, "next_attempt_at": utc_now() + DAY}
    await keep(server, "retried", 11 * DAY, config_id=rule["id"], **retried)
    await keep(server, "young", 9 * DAY, config_id=rule["id"])
    await keep(server, "finished late", 11 * DAY, config_id=rule["id"], completed_at=utc_now() - DAY)
    await keep(server, "of another rule", 11 * DAY, config_id=other["id"])
    await keep(server, "of a provider", 11 * DAY, config_id=None, provider="mono")
    await keep(server, "of nobody", 11 * DAY, config_id=None, state="quarantined", cause="unknown")
    attempt: dict[str, Any] = {"number": 1, "started_at": utc_now(), "ended_at": utc_now(), "outcome": "done"}
    for name in ("old done", "young"):
        await server.app.database.append((ATTEMPTS, {"request_id": name, **attempt}))
    preview = await server.cmd("PruneStoredDataCommand", preview=True)
    pruned = await server.cmd("PruneStoredDataCommand")
    assert preview["pruned"]["requests by their rule"] == pruned["pruned"]["requests by their rule"] == 6
    assert set(await left(server.app)) == {
        *("old pending", "retried", "young", "finished late", "of another rule", "of a provider", "of nobody"),
    }
    kept = await server.app.database.read(
        lambda tx: tx.connection.execute(select(ATTEMPTS.c.request_id)).scalars().all()
    )
    assert kept == ["young"]


async def test_runs_of_its_scripts_go_with_them(server: RunningApp) -> None:
    """What a script was given is kept no longer than the request that it came in with."""
    await server.rule("scripted", executionType=2, executionCode="return payload.total", retentionDays=2)
    lasting = await server.rule("lasting", executionType=2, executionCode="return payload.total")
    for key in ("scripted", "lasting"):
        await server.hook(key, {"total": 5})
    await server.settled()
    aged = update(RUNS).values(created_at=utc_now() - 3 * DAY)
    await server.app.database.write(lambda tx: tx.connection.execute(aged))
    await server.cmd("PruneStoredDataCommand")
    rules = await server.app.database.read(lambda tx: tx.connection.execute(select(RUNS.c.rule)).scalars().all())
    assert rules == [f"{lasting['id']}:1"]


@pytest.mark.parametrize("mode", ["async", "sync"])
async def test_a_repetition_is_known_for_its_whole_window(mode: str) -> None:
    """A request's contents go after the rule's days, its row no sooner than its id is forgotten."""
    clock = Clock()
    settings: dict[str, Any] = {"command_packages": (PROBES,), "access_token_seconds": MONTH}
    async with running_app(clock=clock, **settings) as server:
        await noting(server, "private", deduplication="body:id", responseMode=mode, retentionDays=1)
        assert (await server.hook("private", {"id": 1})).status == 200
        await server.settled()
        for since, whole, executed in ((timedelta(hours=23), True, 1), (2 * DAY, False, 1), (5 * DAY, None, 2)):
            clock.advance(since)
            await server.cmd("PruneStoredDataCommand")
            rows = [row for row in (await left(server.app)).values() if row.dedupe_key is not None]
            assert [(bool(row.body), row.result is not None) for row in rows] == (
                [(whole, whole)] if whole is not None else []
            )
            assert (await server.hook("private", {"id": 1})).status == 200
            await server.settled()
            assert await runs(server, "private") == executed, since


async def test_a_given_up_request_without_its_contents_is_executed_when_it_comes_again() -> None:
    """What never had an effect is not taken for a repetition once there is nothing left to execute it by."""
    clock = Clock()
    async with running_app(clock=clock, command_packages=(PROBES,), access_token_seconds=MONTH) as server:
        fields = {"commandName": "StumbleCommand", "parameters": {"event": "given-up", "times": 1}}
        once = {"attempts": 1}
        await server.rule("given-up", **fields, deduplication="body:id", retentionDays=1, retry=once)
        for expected in (0, 1):
            assert (await server.hook("given-up", {"id": 1})).status == 200
            await server.settled()
            assert await runs(server, "given-up") == expected
            clock.advance(2 * DAY)
            await server.cmd("PruneStoredDataCommand")
        assert [each["state"] for each in await stored(server, "given-up")] == ["dead", "done"]


async def test_the_installation_forgets_no_id_too_soon_either() -> None:
    """Neither few days of the installation nor a full database make a repetition execute anew."""
    clock = Clock()
    few = RetentionSettings(rows_days=1, bodies_days=1, dead_days=1, max_database_mb=1)
    settings: dict[str, Any] = {"command_packages": (PROBES,), "access_token_seconds": MONTH, "retention": few}
    async with running_app(clock=clock, **settings) as server:
        await server.rule("kept", **STUMBLING, deduplication="body:id")
        await server.hook("kept", {"id": 1})
        await server.settled()
        await fill(server.app.database, 300, start=clock() - 3 * DAY, state="done", cause=None, body=b"x" * 10_000)
        clock.advance(2 * DAY)
        await server.cmd("PruneStoredDataCommand")
        assert [bool(row.body) for row in (await left(server.app)).values()] == [False]
        await server.hook("kept", {"id": 1})
        await server.settled()
        assert tries["kept"] == 1


async def test_a_rule_says_so_and_can_take_it_back(server: RunningApp) -> None:
    """Views show the days; a change counts for what is there already, and leaving them out is as before."""
    made = await noting(server, "changing", retentionDays=60)
    assert made["retentionDays"] == 60
    await keep(server, "of the rule", 20 * DAY, config_id=made["id"])
    await server.cmd("PruneStoredDataCommand")
    assert set(await left(server.app)) == {"of the rule"}
    wanted = {name: made[name] for name in ("description", "isEnabled", "path", "action", "executionType")}
    wanted |= {"commandName": "NoteCommand", "parameters": {"event": "x"}, "id": made["id"]}
    await server.cmd("UpdateWebHookConfigCommand", **wanted)
    assert await days_kept(server) == {}
    await server.cmd("UpdateWebHookConfigCommand", **wanted, retentionDays=15)
    assert await days_kept(server) == {made["id"]: 15}
    await server.cmd("PruneStoredDataCommand")
    assert await left(server.app) == {}


async def test_longer_than_the_installation_is_refused(server: RunningApp) -> None:
    """No rule keeps requests longer than the installation does; a sentence says how long that is."""
    fields: dict[str, Any] = {"description": "x", "isEnabled": True, "path": "long", "action": "POST"}
    fields |= {"key": "long", "executionType": 0, "commandName": "NoteCommand", "parameters": {"event": "x"}}
    for days, sentence in ((91, "at most 90"), (0, "greater than or equal to 1"), ("1", "integer"), (1.5, "integer")):
        reply = await server.send("CreateWebHookConfigCommand", {**fields, "retentionDays": days})
        assert (reply.status, reply.errors[0].startswith("retentionDays: ")) == (422, True), reply.errors
        assert sentence in reply.errors[0]


async def test_a_deleted_rule_is_kept_to(server: RunningApp) -> None:
    """What a rule promised holds after it is deleted, also where another has its key; then nothing is left of it."""
    rule = await noting(server, "gone", retentionDays=10)
    await keep(server, "of the rule", 9 * DAY, config_id=rule["id"])
    await server.cmd("DeleteWebHookConfigCommand", id=rule["id"])
    again = await noting(server, "gone")
    await keep(server, "of the next", 11 * DAY, config_id=again["id"])
    await server.cmd("PruneStoredDataCommand")
    assert await days_kept(server) == {rule["id"]: 10}
    aged = update(INBOUND).where(INBOUND.c.request_id == "of the rule")
    long_ago = utc_now() - 11 * DAY
    await server.app.database.write(
        lambda tx: tx.connection.execute(aged.values(received_at=long_ago, completed_at=long_ago))
    )
    for _ in range(2):
        await server.cmd("PruneStoredDataCommand")
    assert (set(await left(server.app)), await days_kept(server)) == ({"of the next"}, {})


async def test_each_rule_is_looked_up_in_an_index(server: RunningApp) -> None:
    """What a rule has to let go of is found without a look at other rules' requests, emptied ones included."""
    rule = await noting(server, "few", retentionDays=2)
    await fill(server.app.database, 10_000, start=utc_now() - 4 * DAY, state="done", cause=None)
    await fill(server.app.database, 10, start=utc_now() - 9 * DAY, state="done", cause=None, config_id=rule["id"])
    await server.app.database.write(lambda tx: tx.connection.exec_driver_sql("ANALYZE"))
    policies = [policy for policy in POLICIES if policy.name.endswith("by their rule")]
    for policy in policies:
        plan = await server.app.database.read(partial(_plan, server, policy))
        assert "ix_inbound_request_config" in plan, plan
        assert "Seq Scan" not in plan
        assert "TEMP B-TREE" not in plan
    assert len(policies) == 2
    await server.cmd("PruneStoredDataCommand")
    (kept,) = await server.app.database.read(rule_retentions)
    assert kept.emptied_until is not None
    assert utc_now() - kept.emptied_until < 2 * DAY + timedelta(minutes=5)


def _plan(server: RunningApp, policy: Any, tx: Transaction) -> str:
    """Return how the database finds what a policy lets go of."""
    (share,) = policy.shares(tx, server.app.settings.retention, utc_now())
    chosen = select(policy.key, policy.moment).where(*policy._where(share)).order_by(policy.moment).limit(100)
    written = chosen.compile(tx.connection, compile_kwargs={"literal_binds": True})
    how = "EXPLAIN QUERY PLAN" if tx.connection.dialect.name == "sqlite" else "EXPLAIN"
    return "\n".join(str(row[-1]) for row in tx.connection.execute(text(f"{how} {written}".replace(":", "\\:"))))
