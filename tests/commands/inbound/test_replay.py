"""Driving captured requests again, one or many, and giving them up."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import delete

from bpm import testing
from bpm.bus.tables import KEYS
from bpm.testing import RunningApp, running_app
from tests.router import probes
from tests.router.conftest import PROBES, noting, rows, runs, stored, until

pytestmark = pytest.mark.anyio

ONCE = {"attempts": 1, "backoffSeconds": [0.0]}
LATE = {"attempts": 3, "backoffSeconds": [3600.0], "jitter": 0.0}
WHOLE = "GetInboundRequestByIdQuery"


@pytest.fixture(scope="session")
async def app(anyio_backend: str) -> AsyncIterator[RunningApp]:
    """The whole application with the probes; each test has rules of its own."""
    async with running_app(command_packages=(PROBES,), sync_limit_seconds=2) as running:
        yield running


async def replay(app: RunningApp, request: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return await app.cmd("ReplayInboundRequestCommand", requestId=request["requestId"], **fields)


async def refused(app: RunningApp, name: str, **fields: Any) -> tuple[int, str]:
    reply = await app.send(name, fields)
    return reply.status, "; ".join(reply.errors)


async def stumbling(app: RunningApp, key: str, times: int, **fields: Any) -> dict[str, Any]:
    """Create a rule whose command fails so many times, and send it a request."""
    parameters = {"event": key, "times": times}
    rule = await app.rule(key, commandName="StumbleCommand", parameters=parameters, **{"retry": ONCE, **fields})
    await app.hook(key, {"n": 1})
    return rule


async def test_a_dead_request_is_executed_again(app: RunningApp) -> None:
    """A replay goes on counting attempts, says who asked, and its history shows every attempt."""
    await stumbling(app, "dead-again", 1)
    (dead,) = await until(app, "dead-again", "dead")
    answer = await replay(app, dead)
    assert (answer["replayed"], answer["state"], answer["attempt"], answer["replayCount"]) == (True, "pending", 1, 1)
    (done,) = await until(app, "dead-again", "done")
    assert (done["attempt"], done["replayCount"], done["replayedBy"], done["errors"]) == (2, 1, "admin", None)
    assert await runs(app, "dead-again") == 1
    first, second = (await app.cmd(WHOLE, requestId=done["requestId"]))["attempts"]
    assert (first["number"], first["replay"], first["outcome"]) == (1, 0, "dead")
    assert first["errors"] == ["try 1 of dead-again failed"]
    assert (second["number"], second["replay"], second["replayedBy"], second["outcome"]) == (2, 1, "admin", "done")
    assert second["worker"]
    assert second["startedAt"] <= second["endedAt"]


async def test_a_replay_has_all_attempts_of_its_rule(app: RunningApp) -> None:
    """The policy begins anew: with two attempts a request that died after two gets two more."""
    retry = {"attempts": 2, "backoffSeconds": [0.01], "jitter": 0.0}
    await stumbling(app, "anew", 3, retry=retry)
    (dead,) = await until(app, "anew", "dead")
    await replay(app, dead)
    (done,) = await until(app, "anew", "done")
    outcomes = [entry["outcome"] for entry in (await app.cmd(WHOLE, requestId=done["requestId"]))["attempts"]]
    assert (done["attempt"], outcomes) == (4, ["failed", "dead", "failed", "done"])


async def test_the_rule_as_it_is_now_decides(app: RunningApp) -> None:
    """After the rule was mended a dead request is executed by the new one."""
    rule = await app.rule("mended", commandName="NoteCommand", parameters={"event": "{{payload.none}}"}, retry=ONCE)
    await app.hook("mended", {})
    (dead,) = await until(app, "mended", "dead")
    usual = {"description": "d", "isEnabled": True, "path": "mended", "action": "POST", "executionType": 0}
    mended = {**usual, "commandName": "NoteCommand", "parameters": {"event": "mended"}}
    await app.cmd("UpdateWebHookConfigCommand", id=rule["id"], **mended)
    await replay(app, dead)
    await until(app, "mended", "done")
    assert await runs(app, "mended") == 1


async def test_what_succeeded_is_done_again_only_on_purpose(app: RunningApp) -> None:
    """Without force a request that was executed is refused with the sentence that says so; with force it is done."""
    await noting(app, "twice")
    await app.hook("twice", {})
    (done,) = await until(app, "twice", "done")
    status, said = await refused(app, "ReplayInboundRequestCommand", requestId=done["requestId"])
    assert (status, "set force to true" in said) == (409, True)
    assert await runs(app, "twice") == 1
    await replay(app, done, force=True)
    await testing.until(lambda: runs(app, "twice"), lambda count: count == 2)
    (kept,) = await until(app, "twice", "done")
    numbers = [entry["outcome"] for entry in (await app.cmd(WHOLE, requestId=kept["requestId"]))["attempts"]]
    assert (kept["attempt"], numbers) == (2, ["done", "done"])


async def test_a_forced_replay_repeats_the_commands_of_a_script(app: RunningApp) -> None:
    """What a script sends is sent again, although its keys are remembered for attempts of the same run."""
    code = 'send("NoteCommand", {"event": "scripted"})'
    await app.rule("scripted", executionType=2, executionCode=code)
    await app.hook("scripted", {})
    (done,) = await until(app, "scripted", "done")
    await replay(app, done, force=True)
    assert await testing.until(lambda: runs(app, "scripted"), lambda count: count > 1) == 2


async def test_never_two_at_once(app: RunningApp) -> None:
    """A request that waits or runs is not driven again, and of many replays at the same time one counts."""
    await stumbling(app, "crowd", 1)
    (dead,) = await until(app, "crowd", "dead")
    replies = await asyncio.gather(
        *(app.send("ReplayInboundRequestCommand", {"requestId": dead["requestId"]}) for _ in range(8))
    )
    assert sorted(reply.status for reply in replies) == [200, *[409] * 7]
    await until(app, "crowd", "done")
    assert (probes.tries["crowd"], await runs(app, "crowd")) == (2, 1)
    await app.rule("running", commandName="DawdleCommand", parameters={"event": "running", "seconds": 0.3})
    answer = await app.hook("running", {})
    status, said = await refused(app, "ReplayInboundRequestCommand", requestId=answer.data["requestId"])
    assert (status, "about to be executed" in said) == (409, True)


async def test_one_between_two_attempts_is_brought_forward(app: RunningApp) -> None:
    """A request whose next attempt is due in an hour is tried at once, and then no more in an hour."""
    await stumbling(app, "forward", 1, retry=LATE)
    (failed,) = await until(app, "forward", "failed")
    await replay(app, failed)
    (done,) = await until(app, "forward", "done")
    assert (done["attempt"], probes.tries["forward"]) == (2, 2)
    waiting = await app.app.database.read(app.app.jobs.waiting)
    assert waiting == 0


async def test_a_failed_sync_request_is_executed_by_a_worker(app: RunningApp) -> None:
    """What its caller saw fail can be driven again."""
    await stumbling(app, "sync-again", 1, responseMode="sync")
    (failed,) = await until(app, "sync-again", "failed")
    await replay(app, failed)
    (done,) = await until(app, "sync-again", "done")
    assert [a["outcome"] for a in (await app.cmd(WHOLE, requestId=done["requestId"]))["attempts"]] == ["failed", "done"]


async def test_a_failed_sync_request_that_came_again_is_not_executed_twice(app: RunningApp) -> None:
    """When the caller tried again with the same id and succeeded, the first request stays failed."""
    fields = {"responseMode": "sync", "deduplication": "body:n"}
    await stumbling(app, "came-again", 1, **fields)
    assert (await app.hook("came-again", {"n": 1})).status == 200
    failed = next(kept for kept in await stored(app, "came-again") if kept["state"] == "failed")
    status, said = await refused(app, "ReplayInboundRequestCommand", requestId=failed["requestId"])
    assert (status, "came with the same id" in said) == (409, True)
    assert await runs(app, "came-again") == 1


async def test_a_duplicate_is_not_driven_again(app: RunningApp) -> None:
    """A repetition is refused with the id of the request that it repeats."""
    await noting(app, "repeats", deduplication="body:n")
    first = await app.hook("repeats", {"n": 1})
    await app.hook("repeats", {"n": 1})
    found = await until(app, "repeats", "done", "duplicate")
    duplicate = next(kept for kept in found if kept["state"] == "duplicate")
    status, said = await refused(app, "ReplayInboundRequestCommand", requestId=duplicate["requestId"])
    assert (status, first.data["requestId"] in said) == (409, True)


async def test_a_quarantined_request_is_executed_when_the_rule_is_active(app: RunningApp) -> None:
    """What a disabled rule refused is judged again: still refused before, executed after it was activated."""
    rule = await noting(app, "sleeping", isEnabled=False)
    await app.hook("sleeping", {})
    (kept,) = await until(app, "sleeping", "quarantined")
    still = await replay(app, kept)
    assert (still["replayed"], still["state"], still["verdict"]) == (False, "quarantined", "disabled")
    await app.cmd("ActivateWebHookConfigCommand", id=rule["id"])
    assert (await replay(app, kept))["replayed"]
    (done,) = await until(app, "sleeping", "done")
    assert (done["verdict"], done["attempt"], await runs(app, "sleeping")) == ("passed", 1, 1)


async def test_a_request_for_no_rule_finds_the_one_made_since(app: RunningApp) -> None:
    """A request to an unknown path belongs, driven again, to the rule that answers there by now."""
    unknown = await app.request("POST", "/api/webhooks/since/7", {"n": 1}, {"x-kind": "a"})
    assert unknown.status == 404
    (kept,) = [request for request in await app.requests(verdict="unknown") if request["path"] == "since/7"]
    rule = await noting(app, "since", path="since/{n}", parameters={"event": "since", "text": "{{path.n}}"})
    assert (await replay(app, kept))["replayed"]
    (done,) = await until(app, "since", "done")
    assert (done["configId"], done["configKey"], done["requestId"]) == (rule["id"], "since", kept["requestId"])
    (event,) = (await app.cmd("GetEventListQuery", event="since"))["items"]
    assert event["data"] == {"text": "7"}


async def test_a_wrong_signature_stays_out(app: RunningApp) -> None:
    """A request that does not verify is not executed by a replay either; the new cause is told and kept."""
    await noting(app, "signed", path="signed", isEnabled=False, signature={"scheme": "github", "secret": "s-of-eight"})
    await app.hook("signed", {}, {"x-hub-signature-256": "sha256=" + "0" * 64})
    (kept,) = await until(app, "signed", "quarantined")
    await app.cmd("ActivateWebHookConfigCommand", id=kept["configId"])
    still = await replay(app, kept)
    assert (still["replayed"], still["state"], still["verdict"]) == (False, "quarantined", "signature")
    assert still["errors"]
    (kept,) = await until(app, "signed", "quarantined")
    assert (kept["verdict"], kept["errors"], await runs(app, "signed")) == ("signature", still["errors"], 0)


async def test_a_credential_is_verified_again(app: RunningApp) -> None:
    """A request that carried the secret itself is verified by what was sealed of it, and nobody is shown that."""
    await noting(app, "bearer", isEnabled=False, signature={"scheme": "bearer", "secret": "s-of-eight"})
    await app.hook("bearer", {}, {"authorization": "Bearer s-of-eight"})
    await app.hook("bearer", {}, {"authorization": "Bearer wrong"})
    found = await until(app, "bearer", "quarantined", "quarantined")
    right, wrong = sorted(found, key=lambda request: request["receivedAt"])
    await app.cmd("ActivateWebHookConfigCommand", id=right["configId"])
    assert [(await replay(app, kept))["replayed"] for kept in (wrong, right)] == [False, True]
    shown = await app.cmd("GetInboundRequestByIdQuery", requestId=right["requestId"])
    assert shown["headers"]["authorization"] == "***"


async def test_too_many_are_let_in_later(app: RunningApp) -> None:
    """The rate that refused a request is not held against its replay."""
    await noting(app, "rated", rateLimit="1/hour")
    await app.hook("rated", {})
    await app.hook("rated", {})
    found = await until(app, "rated", "done", "rejected")
    late = next(kept for kept in found if kept["state"] == "rejected")
    assert (await replay(app, late))["replayed"]
    await until(app, "rated", "done", "done")


async def test_a_body_that_was_not_kept_can_not_be_executed(app: RunningApp) -> None:
    """A request over the size limit is refused with that sentence."""
    await noting(app, "large", maxBodyBytes=10)
    await app.hook("large", {"text": "x" * 50})
    (kept,) = await until(app, "large", "rejected")
    status, said = await refused(app, "ReplayInboundRequestCommand", requestId=kept["requestId"])
    assert (status, "body of the request is not kept" in said) == (409, True)


async def test_a_redriven_request_that_came_again_is_a_duplicate(app: RunningApp) -> None:
    """What was quarantined and came again since, with the same id, is not executed twice."""
    rule = await noting(app, "redriven", isEnabled=False, deduplication="body:n")
    await app.hook("redriven", {"n": 1})
    (kept,) = await until(app, "redriven", "quarantined")
    await app.cmd("ActivateWebHookConfigCommand", id=rule["id"])
    await app.hook("redriven", {"n": 1})
    await until(app, "redriven", "quarantined", "done")
    found = await replay(app, kept)
    assert (found["replayed"], found["state"]) == (False, "duplicate")
    assert await runs(app, "redriven") == 1
    await app.hook("redriven", {"n": 2})


async def test_a_redriven_request_owns_its_id(app: RunningApp) -> None:
    """After a quarantined request was executed, a repetition by its provider is a duplicate of it."""
    rule = await noting(app, "owner", isEnabled=False, deduplication="body:n")
    await app.hook("owner", {"n": 1})
    (kept,) = await until(app, "owner", "quarantined")
    await app.cmd("ActivateWebHookConfigCommand", id=rule["id"])
    await replay(app, kept)
    await until(app, "owner", "done")
    again = await app.hook("owner", {"n": 1})
    assert again.data["requestId"] == kept["requestId"]
    assert await runs(app, "owner") == 1


async def test_without_a_rule_there_is_nothing_to_execute(app: RunningApp) -> None:
    """A request whose rule was deleted is dead at once, and its replay says what is missing."""
    rule = await app.rule("gone", commandName="DawdleCommand", parameters={"event": "g", "seconds": 9}, retry=ONCE)
    await app.cmd("DeactivateWebHookConfigCommand", id=rule["id"])
    await stumbling(app, "gone-2", 1)
    (dead,) = await until(app, "gone-2", "dead")
    await app.cmd("DeleteWebHookConfigCommand", id=dead["configId"])
    status, said = await refused(app, "ReplayInboundRequestCommand", requestId=dead["requestId"])
    assert (status, "the configuration was deleted" in said) == (409, True)


async def test_many_are_previewed_and_driven_again(app: RunningApp) -> None:
    """A bulk is counted first, then driven again, the oldest first; what can't be is told with its reason."""
    await app.rule("bulk", commandName="StumbleCommand", parameters={"event": "bulk", "times": 120}, retry=ONCE)
    await asyncio.gather(*(app.hook("bulk", {"n": n}) for n in range(120)))
    await until(app, "bulk", *["dead"] * 120, seconds=20)
    wanted: dict[str, Any] = {"state": "dead", "configKey": "bulk"}
    preview = await app.cmd("ReplayInboundRequestsCommand", preview=True, **wanted)
    assert (preview["matched"], preview["replayed"], len(preview["sample"])) == (120, 0, 10)
    assert preview["remaining"] == 120
    some = await app.cmd("ReplayInboundRequestsCommand", limit=70, **wanted)
    assert (some["matched"], some["replayed"], some["skipped"], some["remaining"]) == (120, 70, 0, 50)
    rest = await app.cmd("ReplayInboundRequestsCommand", **wanted)
    assert (rest["matched"], rest["replayed"], rest["remaining"]) == (50, 50, 0)
    await until(app, "bulk", *["done"] * 120, seconds=20)
    assert (probes.tries["bulk"], await runs(app, "bulk")) == (240, 120)


async def test_a_forced_bulk_that_was_broken_off_drives_none_twice(app: RunningApp) -> None:
    """Sent again under its key it goes on: what was driven again before counts, and is not done once more."""
    await noting(app, "forced")
    await asyncio.gather(*(app.hook("forced", {"n": n}) for n in range(60)))
    await until(app, "forced", *["done"] * 60, seconds=60)
    wanted: dict[str, Any] = {"state": "done", "configKey": "forced", "force": True}
    key = {"Idempotency-Key": "forced-bulk"}
    begun = await app.send("ReplayInboundRequestsCommand", {**wanted, "limit": 25}, headers=key)
    assert begun.data["replayed"] == 25
    await until(app, "forced", *["done"] * 60, seconds=60)
    await _forget_answer(app, "forced-bulk")
    again = await app.send("ReplayInboundRequestsCommand", {**wanted, "limit": 60}, headers=key)
    assert (again.data["matched"], again.data["replayed"], again.data["skipped"]) == (60, 60, 0)
    found = await until(app, "forced", *["done"] * 60, seconds=60)
    assert {kept["replayCount"] for kept in found} == {1}
    assert await runs(app, "forced") == 120


async def _forget_answer(app: RunningApp, key: str) -> None:
    """Leave the database as a server does that ended before the answer was kept, some time ago."""
    gone = delete(KEYS).where(KEYS.c.key == key)
    assert await app.app.database.write(lambda tx: tx.connection.execute(gone).rowcount) == 1


async def test_a_bulk_by_ids_tells_what_it_left_out(app: RunningApp) -> None:
    """Of named requests those that can't be driven again are told, one by one."""
    await stumbling(app, "named", 1)
    await until(app, "named", "dead")
    await app.hook("named", {})
    found = await until(app, "named", "dead", "done")
    ids = [kept["requestId"] for kept in found]
    done = await app.cmd("ReplayInboundRequestsCommand", requestIds=[*ids, "unknown"])
    assert (done["matched"], done["replayed"], done["skipped"]) == (2, 1, 1)
    assert "set force to true" in done["notReplayed"][0]["errors"][0]


@pytest.mark.parametrize(
    ("fields", "says"),
    [({}, "state: is required unless"), ({"state": "done"}, "force: must be true"), ({"state": "pending"}, "state")],
)
async def test_a_bulk_must_be_chosen(app: RunningApp, fields: dict[str, Any], says: str) -> None:
    """Nothing is driven again by leaving a filter out."""
    status, said = await refused(app, "ReplayInboundRequestsCommand", **fields)
    assert (status, says in said) == (422, True)


async def test_a_discarded_request_is_over(app: RunningApp) -> None:
    """It is dead with the verdict `discarded`, says who and why, and is not driven again."""
    await stumbling(app, "over", 1)
    (dead,) = await until(app, "over", "dead")
    shown = await app.cmd("DiscardInboundRequestCommand", requestId=dead["requestId"], reason="a test order")
    assert (shown["state"], shown["verdict"]) == ("dead", "discarded")
    assert shown["errors"] == ["discarded by admin: a test order", "try 1 of over failed"]
    for name, fields in (("ReplayInboundRequestCommand", {}), ("DiscardInboundRequestCommand", {"reason": "x"})):
        status, said = await refused(app, name, requestId=dead["requestId"], **fields)
        assert (status, "discarded" in said) == (409, True)
    assert [kept["requestId"] for kept in await app.requests(verdict="discarded", configKey="over")]


async def test_one_that_waits_for_its_next_attempt_can_be_discarded(app: RunningApp) -> None:
    """Its job is taken back, and it is not tried again."""
    await stumbling(app, "waiting-over", 1, retry=LATE)
    (failed,) = await until(app, "waiting-over", "failed")
    await app.cmd("DiscardInboundRequestCommand", requestId=failed["requestId"], reason="no")
    (row,) = await rows(app, config_key="waiting-over")
    assert (row.state, row.next_attempt_at) == ("dead", None)
    assert await app.app.database.read(app.app.jobs.waiting) == 0


async def test_what_was_executed_can_not_be_discarded(app: RunningApp) -> None:
    """Its effect is there."""
    await noting(app, "kept")
    await app.hook("kept", {})
    (done,) = await until(app, "kept", "done")
    status, said = await refused(app, "DiscardInboundRequestCommand", requestId=done["requestId"], reason="x")
    assert (status, "done can't be discarded" in said) == (409, True)


async def test_a_dead_request_is_announced(app: RunningApp) -> None:
    """The event stands beside the death: which request, of which rule, after how many attempts, and why."""
    rule = await stumbling(app, "announced", 9, retry={"attempts": 2, "backoffSeconds": [0.0]})
    (dead,) = await until(app, "announced", "dead")
    events = (await app.cmd("GetEventListQuery", event="webhook.request.dead", pageSize=200))["items"]
    (event,) = [event for event in events if event["data"]["requestId"] == dead["requestId"]]
    assert (event["data"]["configId"], event["data"]["attempts"]) == (rule["id"], 2)
    assert event["data"]["errors"] == ["try 2 of announced failed"]
    assert event["correlationId"] == dead["requestId"]


async def test_only_who_may_write_drives_again(app: RunningApp) -> None:
    """The permission is inbound:write."""
    registry = app.app.registry
    for name in ("ReplayInboundRequestCommand", "ReplayInboundRequestsCommand", "DiscardInboundRequestCommand"):
        assert registry.find(name).message_type.permission == "inbound:write"
