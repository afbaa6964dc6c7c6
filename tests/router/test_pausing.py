"""Paused rules keep what they accept, and execute it in its order when they go on; switched-off ones keep it, too."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

import bpm.jobs.reconciler
import router.pausing
from bpm.testing import RunningApp, running_app
from tests.router.conftest import PROBES, noting, runs, stored, until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def app(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningApp]:
    """An application that looks for forgotten work all the time."""
    monkeypatch.setattr(bpm.jobs.reconciler, "SECONDS", 0.1)
    async with running_app(command_packages=(PROBES,), worker_concurrency=2) as running:
        yield running


async def pause(app: RunningApp, rule: dict[str, Any]) -> dict[str, Any]:
    return await app.cmd("PauseWebHookConfigCommand", id=rule["id"])


async def resume(app: RunningApp, rule: dict[str, Any]) -> dict[str, Any]:
    return await app.cmd("ResumeWebHookConfigCommand", id=rule["id"])


async def test_what_comes_is_accepted_kept_and_executed(app: RunningApp) -> None:
    """Requests are answered as ever and wait, also while forgotten work is looked for; then all are executed."""
    rule = await noting(app, "held")
    shown = await pause(app, rule)
    assert shown["isPaused"]
    for n in range(12):
        answer = await app.hook("held", {"n": n})
        assert (answer.status, answer.message) == (200, "Accepted")
    await asyncio.sleep(0.5)
    await until(app, "held", *["pending"] * 12)
    view = await app.cmd("GetWebHookConfigByIdQuery", id=rule["id"])
    assert (view["isPaused"], view["pausedAt"]) == (True, shown["pausedAt"])
    assert not (await resume(app, rule))["isPaused"]
    await until(app, "held", *["done"] * 12)
    assert await runs(app, "held") == 12
    assert not (await app.cmd("GetWebHookConfigByIdQuery", id=rule["id"]))["isPaused"]
    await app.hook("held", {"n": 12})
    await until(app, "held", *["done"] * 13)
    history = await app.cmd("GetWebHookConfigHistoryQuery", id=rule["id"], sortBy="revision", sortDirection="asc")
    assert [entry["change"] for entry in history["items"]] == ["created", "paused", "resumed"]


async def test_a_lane_keeps_its_order(app: RunningApp) -> None:
    """What was kept in a lane one wide is executed in the order in which it came."""
    text = {"event": "held-lane", "text": "{{string(payload.n)}}"}
    rule = await noting(app, "held-lane", lane={}, parameters=text)
    await pause(app, rule)
    for n in range(8):
        await app.hook("held-lane", {"n": n})
    await asyncio.sleep(0.3)
    await until(app, "held-lane", *["pending"] * 8)
    await resume(app, rule)
    await until(app, "held-lane", *["done"] * 8)
    events = (await app.cmd("GetEventListQuery", event="held-lane", sortBy="createdAt", sortDirection="asc"))["items"]
    assert [event["data"]["text"] for event in events] == [str(n) for n in range(8)]


async def test_nobody_waits_for_a_sync_rule_that_is_paused(app: RunningApp) -> None:
    """Its requests are answered 202 and executed later; a repetition is known, and no result is made up."""
    response = {"body": {"said": "{{result.reply}}"}}
    rule = await noting(app, "held-sync", responseMode="sync", deduplication="body:n", response=response)
    await pause(app, rule)
    answers = [await app.hook("held-sync", {"n": 1}) for _ in range(2)]
    assert [(answer.status, answer.message) for answer in answers] == [(202, "Accepted")] * 2
    assert answers[0].data == answers[1].data
    await resume(app, rule)
    await until(app, "held-sync", "done", "duplicate")
    assert await runs(app, "held-sync") == 1


async def test_a_paused_rule_judges_as_ever(app: RunningApp) -> None:
    """What does not verify is refused, and what was changed meanwhile is executed as the rule is then."""
    rule = await noting(app, "held-signed", signature={"scheme": "bearer", "secret": "a-secret-of-a-provider"})
    await pause(app, rule)
    assert (await app.hook("held-signed", {})).status == 401
    fields = {"description": "d", "isEnabled": True, "path": "held-signed", "action": "POST", "executionType": 0}
    note = {"commandName": "NoteCommand", "parameters": {"event": "held-later"}}
    assert (await app.hook("held-signed", {}, {"authorization": "Bearer a-secret-of-a-provider"})).status == 200
    updated = await app.cmd("UpdateWebHookConfigCommand", id=rule["id"], **fields, **note)
    assert updated["isPaused"]
    await resume(app, rule)
    await until(app, "held-signed", "done", "rejected")
    assert await runs(app, "held-later") == 1


async def test_what_was_accepted_before_a_rule_expired_is_executed(app: RunningApp) -> None:
    """An expiry is about what comes; what comes after it is kept in quarantine."""
    rule = await noting(app, "held-over")
    await pause(app, rule)
    assert (await app.hook("held-over", {})).ok
    fields = {"description": "d", "isEnabled": True, "path": "held-over", "action": "POST", "executionType": 0}
    note = {"commandName": "NoteCommand", "parameters": {"event": "held-over"}, "expiresAt": "2020-01-01T00:00:00Z"}
    await app.cmd("UpdateWebHookConfigCommand", id=rule["id"], **fields, **note)
    assert (await app.hook("held-over", {})).status == 404
    await resume(app, rule)
    await until(app, "held-over", "done", "quarantined")
    assert await runs(app, "held-over") == 1


async def test_a_paused_rule_holds_so_much(app: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its bound it accepts nothing and says so, with a time for another try; nothing accepted is lost."""
    monkeypatch.setattr(router.pausing, "MAX_REQUESTS", 5)
    monkeypatch.setattr(router.pausing, "COUNTED_SECONDS", 0.0)
    rule = await noting(app, "held-full")
    await pause(app, rule)
    answers = [await app.hook("held-full", {"n": n}) for n in range(8)]
    assert [answer.status for answer in answers] == [200] * 5 + [503] * 3
    assert (answers[-1].headers["retry-after"], "paused" in answers[-1].errors[0]) == ("60", True)
    await resume(app, rule)
    await until(app, "held-full", *["done"] * 5)


async def test_a_pause_survives_a_deletion_and_a_second_wish(app: RunningApp) -> None:
    """What is paused twice or resumed unpaused is a conflict; requests of a deleted rule say so."""
    rule = await noting(app, "held-twice")
    await pause(app, rule)
    assert (await app.send("PauseWebHookConfigCommand", {"id": rule["id"]})).status == 409
    await app.hook("held-twice", {})
    await app.cmd("DeleteWebHookConfigCommand", id=rule["id"])
    (dead,) = await until(app, "held-twice", "dead")
    assert "deleted" in dead["errors"][0]
    other = await noting(app, "not-held")
    assert (await app.send("ResumeWebHookConfigCommand", {"id": other["id"]})).status == 409
    assert (await app.send("PauseWebHookConfigCommand", {"id": 10**6})).status == 404


async def test_a_switched_off_rule_keeps_what_its_provider_sends(app: RunningApp) -> None:
    """More than a stranger may leave is kept, when it is signed or no signature is asked for."""
    await noting(app, "off", isEnabled=False)
    await noting(app, "off-signed", isEnabled=False, signature={"scheme": "bearer", "secret": "a-secret-of-a-provider"})
    for n in range(130):
        assert (await app.hook("off", {"n": n})).status == 404
        await app.hook("off-signed", {"n": n})
    await app.hook("off-signed", {}, {"authorization": "Bearer a-secret-of-a-provider"})
    assert [len(await stored(app, key)) for key in ("off", "off-signed")] == [130, 101]
