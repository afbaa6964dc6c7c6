"""Sending a captured request again as a new one, edited by hand."""

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bpm.client import ServerRefused
from bpm.signatures import SignatureConfig, sign
from bpm.testing import RunningApp, running_app
from tests.attacks.people import names, person

pytestmark = pytest.mark.anyio

SECRET = "resend-secret-of-32-characters-ok"
PUBLISH = {"commandName": "PublishEventCommand", "parameters": {"event": "paid", "data": "{{payload}}"}}
SIGNED = {**PUBLISH, "signature": {"scheme": "github", "secret": SECRET}, "deduplication": "body:id"}


@pytest.fixture
async def app() -> AsyncIterator[RunningApp]:
    async with running_app() as running:
        yield running


async def captured(app: RunningApp, key: str, payload: Any) -> dict[str, Any]:
    """Send a signed request and return it as it is stored."""
    body = json.dumps(payload).encode()
    headers = sign(SignatureConfig.model_validate(SIGNED["signature"]), body, time.time())
    reply = await app.hook(key, body, {**headers, "Content-Type": "application/json", "X-Kind": "payment"})
    assert reply.ok
    await app.settled()
    return await app.cmd("GetInboundRequestByIdQuery", requestId=reply.data["requestId"])


async def resend(app: RunningApp, request: dict[str, Any], **edit: Any) -> dict[str, Any]:
    """Send it again and return the new one as it is stored at last."""
    made = await app.cmd("ResendInboundRequestCommand", requestId=request["requestId"], **edit)
    await app.settled()
    return await app.cmd("GetInboundRequestByIdQuery", requestId=made["requestId"])


async def data_of_events(app: RunningApp) -> list[Any]:
    """What was published, the newest first."""
    return [event["data"] for event in (await app.cmd("GetEventListQuery"))["items"]]


async def test_an_edited_request_is_a_new_one(app: RunningApp) -> None:
    """No signature proves it and no id makes it a repetition; it says of which it was made, and by whom."""
    await app.rule("paid", **SIGNED)
    request = await captured(app, "paid", {"id": 1, "amount": 5})
    new = await resend(app, request, body='{"id": 1, "amount": 50}', headers={"X-Extra": "yes"}, query="a=1")
    assert (new["state"], new["resentOf"], new["resentBy"]) == ("done", request["requestId"], "admin")
    assert (new["body"], new["query"], new["address"]) == ('{"id": 1, "amount": 50}', {"a": "1"}, "by hand")
    assert (new["headers"]["x-extra"], new["headers"]["x-kind"]) == ("yes", "payment")
    assert "x-hub-signature-256" not in new["headers"]
    assert await data_of_events(app) == [{"id": 1, "amount": 50}, {"id": 1, "amount": 5}]
    kept = await app.cmd("GetInboundRequestByIdQuery", requestId=request["requestId"])
    assert (kept["body"], kept["resentOf"], kept["replayCount"]) == (request["body"], None, 0)


async def test_what_is_not_edited_stays(app: RunningApp) -> None:
    """Also a body that is no text; and such a request can be replayed and resent itself."""
    await app.rule("paid", **SIGNED)
    request = await captured(app, "paid", {"id": 1})
    again = await resend(app, request)
    assert (again["body"], again["state"]) == (request["body"], "done")
    assert (await app.cmd("ReplayInboundRequestCommand", requestId=again["requestId"], force=True))["replayed"]
    await app.settled()
    packed = base64.b64encode(b'{"id": 2}').decode()
    last = await resend(app, again, body=packed, bodyEncoding="base64")
    assert (last["body"], last["resentOf"]) == ('{"id": 2}', again["requestId"])
    assert (await data_of_events(app))[0] == {"id": 2}


async def test_secrets_of_the_body_stay_hidden_and_go_along(app: RunningApp) -> None:
    """A body that is not edited is sent with them; nobody sees them in the new request, or in the audit."""
    await app.rule("paid", **SIGNED)
    request = await captured(app, "paid", {"id": 1, "password": "correct-horse-77"})
    again = await resend(app, request)
    assert again["body"] == '{"id": 1, "password": "****************"}'
    await resend(app, request, body='{"password": "battery-staple-88"}')
    audit = json.dumps(await app.cmd("GetAuditLogQuery", pageSize=100))
    assert "battery-staple-88" not in audit


async def test_who_may_not_write_rules_forges_nothing(app: RunningApp) -> None:
    """To replay is one thing; to put other words into a provider's mouth needs `webhooks:write` as well."""
    await app.rule("paid", **SIGNED)
    request = await captured(app, "paid", {"id": 1})
    key = await app.cmd("CreateApiKeyCommand", name="replays", scopes=["inbound:read", "inbound:write"])
    fields = {"requestId": request["requestId"], "body": "{}"}
    reply = await app.send("ResendInboundRequestCommand", fields, {"Authorization": f"Bearer {key['key']}"})
    assert reply.status == 403
    assert "webhooks:write" in "; ".join(reply.errors)


async def test_what_no_rule_takes_is_not_sent(app: RunningApp) -> None:
    """Each refusal says what to do: no rule, one that is off or deleted, a body that is too large."""
    rule = await app.rule("paid", **SIGNED, maxBodyBytes=100)
    request = await captured(app, "paid", {"id": 1})
    await app.hook("nowhere", {})
    (stranger,) = await app.requests(state="quarantined")

    async def refused(request_id: str, **edit: Any) -> str:
        with pytest.raises(ServerRefused) as caught:
            await app.cmd("ResendInboundRequestCommand", requestId=request_id, **edit)
        return str(caught.value)

    assert "came to no rule" in await refused(stranger["requestId"])
    assert "has 101 bytes, the rule takes 100" in await refused(request["requestId"], body="x" * 101)
    assert "is not base64" in await refused(request["requestId"], body="ä", bodyEncoding="base64")
    await app.cmd("DeactivateWebHookConfigCommand", id=rule["id"])
    assert "switched off" in await refused(request["requestId"])
    await app.cmd("DeleteWebHookConfigCommand", id=rule["id"])
    assert "was deleted" in await refused(request["requestId"])


MAPPED = {name: f"{{{{payload.{name}}}}}" for name in ("username", "password", "roles")}


async def test_what_was_made_by_hand_does_nothing_that_its_maker_may_not(app: RunningApp) -> None:
    """A signed rule of an administrator's makes nobody administrator because an operator wrote a body for it."""
    making = {"commandName": "CreateUserCommand", "parameters": MAPPED, "signature": SIGNED["signature"]}
    await app.rule("people", **making, retry={"attempts": 1})
    person_ = {"password": "Correct-horse-battery-7"}
    request = await captured(app, "people", {**person_, "username": "good", "roles": ["viewer"]})
    op = await person(app, "op", "operator")
    evil = json.dumps({**person_, "username": "evil", "roles": ["admin"]})
    made = await op.client.cmd("ResendInboundRequestCommand", requestId=request["requestId"], body=evil)
    await app.settled()
    new = await app.cmd("GetInboundRequestByIdQuery", requestId=made["requestId"])
    assert new["state"] == "dead"
    assert "users:write, which 'op' does not have" in str(new["errors"])
    await app.cmd("ReplayInboundRequestCommand", requestId=made["requestId"], force=True)
    await app.settled()
    assert "evil" not in await names(app)
    assert "good" in await names(app)
