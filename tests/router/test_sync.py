"""Rules whose callers wait for the outcome, and the answers that rules prescribe."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from bpm.errors import Defect
from bpm.jobs import Job
from bpm.store import utc_now
from bpm.testing import RunningApp
from tests.router import probes
from tests.router.conftest import noting, runs, stored, until

pytestmark = pytest.mark.anyio

SIGNED = {"scheme": "bearer", "secret": "s-of-eight"}
SENT = {"Authorization": "Bearer s-of-eight"}
"""How a rule knows its sender, and what that one sends."""


async def test_the_outcome_is_answered(app: RunningApp) -> None:
    """Success is answered with the command's data and text, and is stored with its result."""
    await noting(app, "sync-ok", responseMode="sync")
    answer = await app.hook("sync-ok", {})
    assert (answer.status, answer.body) == (200, {"success": True, "data": {"reply": "sync-ok"}, "message": "Noted"})
    (kept,) = await stored(app, "sync-ok")
    assert (kept["state"], kept["messageType"], kept["attempt"]) == ("done", "NoteCommand", 1)
    whole = await app.cmd("GetInboundRequestByIdQuery", requestId=answer.headers["x-request-id"])
    assert whole["result"] == {"reply": "sync-ok"}


@pytest.mark.parametrize(
    ("key", "fields", "status", "message", "says"),
    [
        ("mapping", {"parameters": {"event": "{{payload.name}}"}}, 422, "", "name"),
        ("invalid", {"parameters": {"event": 7}}, 422, "Validation failed", "event:"),
        ("refused", {"commandName": "StumbleCommand", "parameters": {"event": "refused", "times": 9}}, 422, "Stumbled",
         "try 1 of refused"),
        ("crash", {"commandName": "CrashCommand", "parameters": {"event": "crash"}}, 500, "", "request id"),
    ],
)  # fmt: skip
async def test_a_failure_is_answered_and_undone(
    app: RunningApp, key: str, fields: dict[str, Any], status: int, message: str, says: str
) -> None:
    """To a known sender: what does not fit, is refused or breaks has its status, is stored, and left no effect."""
    key = f"sync-{key}"
    await noting(app, key, responseMode="sync", signature=SIGNED, **fields)
    answer = await app.hook(key, {"a": 1}, headers=SENT)
    assert (answer.status, answer.body["success"]) == (status, False)
    assert message in answer.message
    assert any(says in sentence for sentence in answer.errors)
    (kept,) = await stored(app, key)
    assert (kept["state"], kept["requestId"]) == ("failed", answer.headers["x-request-id"])
    assert kept["errors"]
    assert "ZeroDivisionError" not in str(answer.body)
    assert await runs(app, key.removeprefix("sync-")) == 0


async def test_an_effect_over_the_time_limit_goes_on(hurried_app: RunningApp) -> None:
    """A caller that would wait too long is answered 202 with the request's id, and the work is still done, once."""
    fields = {"commandName": "HoldCommand", "parameters": {"event": "long"}}
    await hurried_app.rule("long", **fields, responseMode="sync")
    answer = await hurried_app.hook("long", {})
    assert (answer.status, answer.message) == (202, "Accepted")
    (kept,) = await until(hurried_app, "long", "running")
    assert kept["requestId"] == answer.data["requestId"]
    probes.released["long"].set()
    await until(hurried_app, "long", "done")
    assert await runs(hurried_app, "long") == 1


async def test_what_was_accepted_after_the_time_limit_outlasts_an_outage(hurried_app: RunningApp) -> None:
    """Its caller was answered 202 and sends it no more: a database that was away meanwhile is no failure of it."""
    steps = [
        {"name": "first", "commandName": "HoldCommand", "parameters": {"event": "accepted"}},
        {"name": "second", "commandName": "OutageCommand", "parameters": {"event": "outlasted", "times": 1}},
    ]
    await hurried_app.rule("accepted", executionType=1, commandChain=steps, responseMode="sync", retry={"attempts": 1})
    assert (await hurried_app.hook("accepted", {})).status == 202
    probes.released["accepted"].set()
    await until(hurried_app, "accepted", "done")
    assert (probes.tries["outlasted"], probes.tries["accepted"]) == (2, 1)


@pytest.mark.embedded
async def test_an_effect_over_the_time_limit_is_taken_up_when_it_must_have_ended(hurried_app: RunningApp) -> None:
    """No worker begins what another process does, which has until the effect's own time limit."""
    fields = {"commandName": "HoldCommand", "parameters": {"event": "outlasting"}}
    await hurried_app.rule("outlasting", **fields, responseMode="sync")
    answer = await hurried_app.hook("outlasting", {})
    assert answer.status == 202
    wait = text("SELECT execute_after - created FROM pgqueuer WHERE dedupe_key = :key")
    key = Job("inbound", answer.data["requestId"], 0, utc_now(), 1).key
    found = await hurried_app.app.database.read(lambda tx: tx.connection.execute(wait, {"key": key}).scalars().all())
    assert [seconds > hurried_app.app.settings.effect_seconds for seconds in found] == [True]
    probes.released["outlasting"].set()
    await until(hurried_app, "outlasting", "done")
    assert await hurried_app.app.database.read(lambda tx: tx.connection.execute(wait, {"key": key}).all()) == []


@pytest.mark.parametrize(
    ("response", "status", "content_type", "body"),
    [
        ({"body": "Ok"}, 200, "text/plain; charset=utf-8", "Ok"),
        ({"body": {"n": "{{payload.n}}", "m": "{{request.method}}"}}, 200, "application/json", {"n": 7, "m": "POST"}),
        ({"body": "{{payload.list}}"}, 200, "application/json", [1, "2"]),
        ({"body": "{{payload.none.at.all}}!"}, 200, "text/plain; charset=utf-8", "!"),
        ({"status": 202, "contentType": "application/xml", "body": "<a>{{payload.n}}</a>"}, 202, "application/xml",
         "<a>7</a>"),
        ({"status": 201}, 201, "text/plain; charset=utf-8", ""),
        ({"status": 503, "body": "later"}, 503, "text/plain; charset=utf-8", "later"),
        ({"status": 204, "body": "lost"}, 204, None, ""),
    ],
)  # fmt: skip
async def test_a_prescribed_answer(
    app: RunningApp, response: dict[str, Any], status: int, content_type: str | None, body: Any
) -> None:
    """Both ways of executing answer what the rule prescribes, with the request's values; 204 never has a body."""
    for mode in ("async", "sync"):
        rule = await noting(app, f"prescribed-{mode}", responseMode=mode, response=response)
        answer = await app.hook(f"prescribed-{mode}", {"n": 7, "list": [1, "2"]})
        assert (answer.status, answer.headers.get("content-type"), answer.body) == (status, content_type, body)
        await app.cmd("DeleteWebHookConfigCommand", id=rule["id"])


async def test_a_prescribed_answer_sees_the_result(app: RunningApp) -> None:
    """A `sync` rule's answer may hold what its command returned."""
    response = {"body": "{{result.reply}} of {{path.shop}}"}
    await noting(app, "with-result", path="with-result/{shop}", responseMode="sync", response=response)
    assert (await app.hook("with-result/north%2Feast", {})).body == "with-result of north/east"


@pytest.mark.parametrize(
    ("source", "status", "headers", "body"),
    [
        ("reply(201, {'n': payload['n']}, {'X-Shop': 'é', 'X-Far': '€'})", 201,
         {"content-type": "application/json", "x-shop": "é", "x-far": "?"}, {"n": 7}),
        ("reply(200, 'Ok')", 200, {"content-type": "text/plain; charset=utf-8"}, "Ok"),
        ("reply(200, '<a/>', {'Content-Type': 'application/xml'})", 200, {"content-type": "application/xml"}, "<a/>"),
        ("reply(202)", 202, {"content-length": "0"}, ""),
        ("reply(204, 'lost')", 204, {}, ""),
        ("reply(200, 'four', {'Content-Length': '9', 'Transfer-Encoding': 'chunked', 'Connection': 'close'})", 200,
         {"content-length": "4"}, "four"),
        ("result = 5", 200, {"content-type": "application/json"}, None),
    ],
)  # fmt: skip
async def test_a_script_replies(app: RunningApp, source: str, status: int, headers: dict[str, str], body: Any) -> None:
    """A script's `reply` is the answer, but for what says where an answer ends; without one it is the envelope."""
    rule = await app.rule("replies", executionType=2, executionCode=source, responseMode="sync")
    try:
        answer = await app.hook("replies", {"n": 7})
    finally:
        await app.cmd("DeleteWebHookConfigCommand", id=rule["id"])
    assert answer.status == status
    assert {name: answer.headers.get(name) for name in headers} == headers
    assert "transfer-encoding" not in answer.headers
    assert answer.body == body if body is not None else answer.data == 5


@pytest.mark.parametrize(
    ("key", "fields", "status", "says"),
    [
        ("mapping", {"parameters": {"event": "{{payload.name}}"}}, 422, "payload.name"),
        ("script", {"executionType": 2, "executionCode": "x = payload['on_hand']"}, 422, "KeyError"),
        ("handler", {"commandName": "StumbleCommand", "parameters": {"event": "stranger", "times": 9}}, 422, "try 1"),
        ("chain", {"executionType": 1, "commandChain": [{"commandName": "NoteCommand", "name": "reserve",
         "parameters": {"event": "{{payload.name}}"}}]}, 422, "reserve"),
        ("crash", {"commandName": "CrashCommand", "parameters": {"event": "crash"}}, 500, "request id"),
    ],
)  # fmt: skip
async def test_a_stranger_is_not_told_what_failed(
    app: RunningApp, key: str, fields: dict[str, Any], status: int, says: str
) -> None:
    """Where nothing verifies callers they learn the status and the request's id; the request keeps the sentences."""
    key = f"stranger-{key}"
    command = {} if "executionType" in fields else {"commandName": "NoteCommand"}
    await app.rule(key, **command | fields, responseMode="sync")
    answer = await app.hook(key, {"a": 1})
    (kept,) = await stored(app, key)
    assert any(says in sentence for sentence in kept["errors"]) or status == 500
    assert answer.status == status
    told = f"The request id is {kept['requestId']}; whoever runs this address finds the reason there"
    assert answer.errors == [told]
    assert answer.message == ("The request could not be executed" if status < 500 else Defect().message)


async def test_a_stranger_is_told_what_is_wrong_with_a_field(app: RunningApp) -> None:
    """What is wrong with the own body is the sender's to know: it names a field and says nothing of what is stored."""
    await noting(app, "stranger-field", responseMode="sync", parameters={"event": 7})
    answer = await app.hook("stranger-field", {"a": 1})
    assert (answer.status, answer.message) == (422, "Validation failed")
    assert answer.errors[0].startswith("event:")


async def test_who_comes_from_a_listed_address_is_known(app: RunningApp) -> None:
    """A list of addresses tells strangers and senders apart as a signature does."""
    fields = {"executionType": 2, "executionCode": "x = payload['on_hand']", "responseMode": "sync"}
    await app.rule("listed", **fields, allowableIPs="127.0.0.1")
    assert "KeyError" in (await app.hook("listed", {})).errors[0]


async def test_a_script_that_fails_is_told(app: RunningApp) -> None:
    """A script's mistake is answered to a known sender with its line, and stored."""
    fields = {"executionType": 2, "executionCode": "a = 1\nb = a / 0", "responseMode": "sync"}
    await app.rule("mistake", **fields, signature=SIGNED)
    answer = await app.hook("mistake", {}, headers=SENT)
    assert (answer.status, answer.message) == (422, "Script failed")
    assert "line 2" in answer.errors[0]
    (kept,) = await stored(app, "mistake")
    assert (kept["state"], kept["errors"]) == ("failed", answer.errors)


async def test_all_kinds_of_requests_are_stored_together(app: RunningApp) -> None:
    """Waiting, unwaited, numbered and refused requests that come at the same moment do not disturb each other."""
    kinds: dict[str, tuple[dict[str, Any], int]] = {
        "mixed-async": ({}, 200),
        "mixed-sync": ({"responseMode": "sync"}, 200),
        "mixed-numbered": ({"deduplication": "body:id"}, 200),
        "mixed-both": ({"deduplication": "body:id", "responseMode": "sync"}, 200),
        "mixed-failing": ({"parameters": {"event": 7}, "responseMode": "sync"}, 422),
        "mixed-refused": ({"signature": {"scheme": "bearer", "secret": "s-of-eight"}}, 401),
    }
    for key, (fields, _) in kinds.items():
        await noting(app, key, **fields)
    sent = [(key, status, number) for number in range(10) for key, (_, status) in kinds.items()]
    answers = await asyncio.gather(*(app.hook(key, {"id": number}) for key, _, number in sent))
    assert [answer.status for answer in answers] == [status for _, status, _ in sent]
    for key in ("mixed-async", "mixed-sync", "mixed-numbered", "mixed-both"):
        await until(app, key, *["done"] * 10)
        assert await runs(app, key) == 10


async def test_what_could_not_be_settled_is_taken_up(app: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the outcome of an effect can't be written down, the caller is told to come again and a worker goes on."""
    fields = {"commandName": "HoldCommand", "parameters": {"event": "unsettled"}}
    await app.rule("unsettled", **fields, responseMode="sync")
    waiting = asyncio.create_task(app.hook("unsettled", {}))
    await until(app, "unsettled", "running")
    monkeypatch.setattr("bpm.store.writer.MAX_WAITING_UNITS", 0)
    probes.released["unsettled"].set()
    assert (await waiting).status == 503
    monkeypatch.undo()
    (kept,) = await until(app, "unsettled", "running")
    token = Job("inbound", kept["requestId"], 0, utc_now(), 1)
    await app.app.database.write(lambda tx: app.app.jobs.cancel(tx, token))
    await app.app.database.write(lambda tx: app.app.jobs.enqueue(tx, token))
    await until(app, "unsettled", "done")
    assert (probes.tries["unsettled"], await runs(app, "unsettled")) == (2, 1)


async def test_no_worker_takes_what_a_caller_waits_for(app: RunningApp) -> None:
    """A token for a request that is being executed at once changes nothing."""
    fields = {"commandName": "HoldCommand", "parameters": {"event": "mine"}}
    await app.rule("mine", **fields, responseMode="sync")
    waiting = asyncio.create_task(app.hook("mine", {}))
    (kept,) = await until(app, "mine", "running")
    token = Job("inbound", kept["requestId"], 0, utc_now(), 1)
    await app.app.database.write(lambda tx: app.app.jobs.cancel(tx, token))
    await app.app.database.write(lambda tx: app.app.jobs.enqueue(tx, token))
    await asyncio.sleep(0.1)  # a worker has time to take it
    probes.released["mine"].set()
    assert (await waiting).status == 200
    assert (probes.tries["mine"], await runs(app, "mine")) == (1, 1)


async def test_a_caller_that_goes_away_does_not_undo(app: RunningApp) -> None:
    """What a caller no longer waits for is still done."""
    fields = {"commandName": "HoldCommand", "parameters": {"event": "gone"}}
    await app.rule("gone", **fields, responseMode="sync")
    waiting = asyncio.create_task(app.hook("gone", {}))
    await until(app, "gone", "running")
    waiting.cancel()
    probes.released["gone"].set()
    await until(app, "gone", "done")
    assert await runs(app, "gone") == 1


@pytest.mark.parametrize("mode", ["async", "sync"])
async def test_a_template_that_does_not_fit_does_not_refuse_the_request(app: RunningApp, mode: str) -> None:
    """What was taken in is answered as taken in, else the caller would send it again."""
    key = f"unfit-{mode}"
    await noting(app, key, responseMode=mode, response={"body": "{{for i in 1..payload.n return i}}"})
    answer = await app.hook(key, {"n": 99999999})
    assert (answer.status, answer.body["success"]) == (200, True)
    await until(app, key, "done")
