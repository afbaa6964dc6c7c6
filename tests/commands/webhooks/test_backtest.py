"""Back-tests of webhook configurations, in the whole application, on requests that came in."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bpm.client import ServerRefused
from bpm.signatures import SignatureConfig, sign
from bpm.testing import RunningApp, running_app, until
from tests.crowd import fill

pytestmark = pytest.mark.anyio

SECRET = "back-test-secret-of-32-characters"
PUBLISH = {"commandName": "PublishEventCommand", "parameters": {"event": "paid", "data": {"id": "{{payload.id}}"}}}
RULE = {"description": "d", "isEnabled": True, "path": "paid", "action": "POST", "executionType": 0, **PUBLISH}


@pytest.fixture
async def server() -> AsyncIterator[RunningApp]:
    async with running_app() as server:
        yield server


async def post(server: RunningApp, path: str = "paid", headers: dict[str, str] | None = None, **payload: Any) -> None:
    await server.hook(path, payload, headers)


def github(secret: str) -> SignatureConfig:
    return SignatureConfig.model_validate({"scheme": "github", "secret": secret})


async def back_test(server: RunningApp, **fields: Any) -> Any:
    await server.settled()
    return await server.cmd("BackTestWebHookConfigCommand", **fields)


def counted(found: Any) -> dict[str, int]:
    return {change: count for change, count in found["counts"].items() if count}


async def test_a_saved_configuration_changes_nothing(server: RunningApp) -> None:
    """What it did is what it would do, and looking leaves nothing behind."""
    made = await server.cmd("CreateWebHookConfigCommand", key="paid", **RULE)
    for number in range(5):
        await post(server, id=number)
    found = await back_test(server, id=made["id"])
    assert (counted(found), found["total"], found["changed"]) == ({"same": 5}, 5, [])
    assert (await server.cmd("GetEventListQuery"))["totalCount"] == 5
    assert (await server.cmd("GetInboundRequestListQuery"))["totalCount"] == 5


async def test_what_an_answer_shows_is_a_draft(server: RunningApp) -> None:
    """What the query shows is tried, and compared, as it is."""
    made = await server.cmd("CreateWebHookConfigCommand", key="paid", **RULE)
    await post(server, id=1)
    shown = await server.cmd("GetWebHookConfigByIdQuery", id=made["id"])
    found = await back_test(server, id=made["id"], config=shown)
    assert counted(found) == {"same": 1}
    tried = await server.cmd("TestWebHookConfigCommand", id=made["id"], config=shown, request={"body": {"id": 2}})
    assert tried["verdict"]["passed"] is True


async def test_a_draft_is_compared_request_by_request(server: RunningApp) -> None:
    """Other fields, another message, no message and a refusal are told apart, with what was and what would be."""
    made = await server.cmd("CreateWebHookConfigCommand", key="paid", **RULE)
    await post(server, id=1, name="Ada")
    await post(server, id=2)
    data = {"id": "{{payload.id}}", "name": "{{payload.name}}"}
    draft = {**RULE, "parameters": {"event": "paid", "data": data}}
    found = await back_test(server, id=made["id"], config=draft)
    assert counted(found) == {"fields": 1, "failing": 1}
    first, second = found["changed"]
    assert (first["change"], first["fields"], first["now"]["messageType"]) == (
        "fields",
        ["data"],
        "PublishEventCommand",
    )
    assert second["then"] == {
        "verdict": "passed",
        "detail": "",
        "messageType": "PublishEventCommand",
        "error": None,
    }
    assert "name" in second["now"]["error"]
    other = await back_test(server, id=made["id"], config={**RULE, "commandName": "PingQuery", "parameters": {}})
    assert counted(other) == {"message": 2}
    refusing = await back_test(server, id=made["id"], config={**RULE, "allowableIPs": "10.0.0.0/8"})
    assert counted(refusing) == {"refused": 2}
    assert refusing["changed"][0]["now"]["verdict"] == "address"


async def test_signatures_are_checked_as_they_came(server: RunningApp) -> None:
    """The stored body and headers are enough for an HMAC, long after the timestamp; a new secret refuses them all."""
    scheme = {"scheme": "github", "secret": SECRET}
    made = await server.cmd("CreateWebHookConfigCommand", key="paid", **RULE, signature=scheme)
    body = b'{"id": 1}'
    await server.hook("paid", body, {"content-type": "application/json", **sign(github(SECRET), body, 0)})
    await post(server, id=2)
    assert counted(await back_test(server, id=made["id"])) == {"same": 2}
    draft = {**RULE, "signature": {"scheme": "github", "secret": "another-secret-of-32-characters!"}}
    assert counted(await back_test(server, id=made["id"], config=draft)) == {"same": 1, "refused": 1}
    open_to_all = await back_test(server, id=made["id"], config={**RULE, "signature": None})
    assert counted(open_to_all) == {"same": 1, "accepted": 1}


async def test_what_is_never_stored_is_not_held_against_a_request(server: RunningApp) -> None:
    """A secret that is sent itself is not kept, so a request counts as proven, and the answer says so."""
    scheme = {"scheme": "bearer", "secret": SECRET}
    made = await server.cmd("CreateWebHookConfigCommand", key="paid", **RULE, signature=scheme)
    await post(server, headers={"authorization": f"Bearer {SECRET}"}, id=1)
    found = await back_test(server, id=made["id"])
    assert (counted(found), found["unchecked"]) == ({"same": 1}, {"signature": 1})


async def test_requests_that_nobody_answered_count_for_a_new_draft(server: RunningApp) -> None:
    """A draft without an id is tried on what came to its address when nothing answered there."""
    await post(server, "orders/7", id=1)
    await post(server, "elsewhere", id=1)
    found = await back_test(server, config={**RULE, "path": "orders/{id}"})
    assert (counted(found), found["changed"][0]["then"]["verdict"]) == ({"accepted": 1}, "unknown")


async def test_ids_that_repeat_are_found(server: RunningApp) -> None:
    """A draft that names where the provider's id stands shows which requests would have been repetitions."""
    made = await server.cmd("CreateWebHookConfigCommand", key="paid", **RULE)
    for number in (1, 2, 1):
        await post(server, id=number)
    found = await back_test(server, id=made["id"], config={**RULE, "deduplication": "body:id"})
    assert counted(found) == {"same": 2, "refused": 1}
    assert found["changed"][0]["now"]["verdict"] == "duplicate"


async def test_filters_narrow_the_requests(server: RunningApp) -> None:
    """Count, states, path and time choose which requests are looked at; limit and offset which are shown."""
    made = await server.cmd("CreateWebHookConfigCommand", key="paid", **{**RULE, "path": "paid/{by}"})
    for number in range(6):
        await post(server, f"paid/{number % 2}", id=number)
    draft = {**RULE, "path": "paid/{by}", "allowableIPs": "10.0.0.0/8"}
    same = {"id": made["id"], "config": draft}
    assert (await back_test(server, **same, count=4))["total"] == 4
    assert (await back_test(server, **same, path="paid/1"))["total"] == 3
    assert (await back_test(server, **same, path="paid/*"))["total"] == 6
    assert (await back_test(server, **same, states=["dead"]))["total"] == 0
    assert (await back_test(server, **same, since="2100-01-01"))["total"] == 0
    shown = await back_test(server, **same, limit=2, offset=3)
    assert (shown["changedCount"], [each["path"] for each in shown["changed"]]) == (6, ["paid/1", "paid/0"])


async def test_a_script_is_run_when_asked(server: RunningApp) -> None:
    """Scripts run as if, only when asked: what they send is undone, what they raise is the difference."""
    script = {**RULE, "executionType": 2, "executionCode": "return payload['id']"}
    del script["commandName"], script["parameters"]
    made = await server.cmd("CreateWebHookConfigCommand", key="paid", **script)
    await post(server, id=1)
    await post(server, id=2)
    draft = {**script, "executionCode": "send('PublishEventCommand', {'event': 'x'})\nreturn 1 / (payload['id'] - 2)"}
    assert counted(await back_test(server, id=made["id"], config=script)) == {"same": 2}
    assert counted(await back_test(server, id=made["id"], config=draft)) == {"fields": 2}
    found = await back_test(server, id=made["id"], config=draft, runScripts=True)
    assert counted(found) == {"fields": 1, "failing": 1}
    assert "ZeroDivisionError" in found["changed"][1]["now"]["error"]
    assert (await server.cmd("GetEventListQuery"))["totalCount"] == 0


async def test_many_requests_are_compared_in_the_background(server: RunningApp) -> None:
    """More than a thousand requests are a job: the command answers at once, a query tells how far it is."""
    made = await server.cmd("CreateWebHookConfigCommand", key="paid", **RULE)
    shared: dict[str, Any] = {"config_id": made["id"], "path": "paid", "state": "done", "cause": None}
    await fill(server.app.database, 1_500, **shared)
    begun = await server.cmd("BackTestWebHookConfigCommand", id=made["id"], count=2_000)
    assert begun["state"] == "waiting"
    found = await finished(server, begun["backTestId"])
    assert (found["state"], found["total"], found["compared"]) == ("done", 1_500, 1_500)
    assert counted(found) == {"failing": 1_500}
    assert (found["changedCount"], len(found["changed"])) == (1_500, 20)


async def finished(server: RunningApp, back_test_id: str) -> Any:
    return await until(
        lambda: server.cmd("GetBackTestQuery", backTestId=back_test_id),
        lambda found: found["state"] in ("done", "failed"),
        seconds=60,
    )


async def test_nonsense_is_refused_with_sentences(server: RunningApp) -> None:
    """What can't be compared is an error that says what to do."""
    with pytest.raises(ServerRefused) as nothing:
        await back_test(server, states=["lost"])
    assert [sentence.split(":")[0] for sentence in nothing.value.reply.errors] == ["id", "states"]
    with pytest.raises(ServerRefused, match="at most 200 when runScripts"):
        await back_test(server, id=1, runScripts=True, count=500)
    with pytest.raises(ServerRefused, match="not found"):
        await back_test(server, id=99)
    with pytest.raises(ServerRefused, match="No back-test"):
        await server.cmd("GetBackTestQuery", backTestId="none")
