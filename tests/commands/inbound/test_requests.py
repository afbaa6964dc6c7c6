"""Captured requests: lists with filters, one request whole, and the signature doctor."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bpm.bus import Envelope
from bpm.errors import Forbidden, Invalid, NotFound
from router.tables.requests import INBOUND
from router.tables.revisions import REVISIONS
from tests.commands.sender import ADMIN, MessageSender, stranger

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

REVISION: dict[str, Any] = {
    "config_id": 1,
    "key": "orders",
    "revision": 1,
    "change": "created",
    "author_id": "user:1",
    "author_name": "admin",
    "definition": {},
    "created_at": NOON,
}


async def capture(sender: MessageSender, request_id: str, **changes: Any) -> None:
    """Store a request as the router does."""
    row = {
        "organization_id": 1,
        "request_id": request_id,
        "config_id": 1,
        "config_key": "orders",
        "method": "POST",
        "path": "orders/paid",
        "query": "token=canary-2&page=1",
        "headers": {"content-type": "application/json", "x-api-key": "canary-3"},
        "body": b'{"order": "A-1"}',
        "address": "10.0.0.1",
        "received_at": NOON,
        "state": "done",
        **changes,
    }
    await sender.database.append((INBOUND, row))


async def listed(sender: MessageSender, **wanted: Any) -> list[str]:
    found = await sender.send_fields("GetInboundRequestListQuery", wanted)
    return [item["requestId"] for item in found["items"]]


async def test_the_newest_come_first(sender: MessageSender) -> None:
    """A list shows state, verdict and circumstances of each request, the newest first, and no bodies."""
    await capture(sender, "r1")
    await capture(
        sender,
        "r2",
        received_at=NOON + timedelta(seconds=1),
        state="rejected",
        cause="signature",
        errors=["the header is missing"],
    )
    found = await sender.send("GetInboundRequestListQuery")
    assert [item["requestId"] for item in found["items"]] == ["r2", "r1"]
    refused, done = found["items"]
    assert (refused["state"], refused["verdict"], refused["errors"]) == (
        "rejected",
        "signature",
        ["the header is missing"],
    )
    assert (done["verdict"], done["configKey"], done["receivedAt"]) == ("passed", "orders", "2026-01-01T12:00:00.000Z")
    assert "body" not in done
    assert "canary" not in str(found)


NARROWED: list[tuple[dict[str, Any], set[str]]] = [
    ({"state": "dead"}, {"dead"}),
    ({"verdict": "address"}, {"refused"}),
    ({"verdict": "passed"}, {"dead", "other", "binary"}),
    ({"configId": 2}, {"other"}),
    ({"configKey": "orders"}, {"dead", "refused", "binary"}),
    ({"address": "10.9.9.9"}, {"refused"}),
    ({"searchText": "b-77"}, {"other"}),
    ({"searchText": "100%"}, {"dead"}),
    ({"startDate": "2026-02-01T00:00:00Z"}, {"other"}),
    ({"endDate": "2025-12-31"}, set()),
]


@pytest.mark.parametrize(("wanted", "ids"), NARROWED)
async def test_lists_are_narrowed(sender: MessageSender, wanted: dict[str, Any], ids: set[str]) -> None:
    """Requests are found by state, verdict, configuration, address, time and words of the body."""
    await sender.database.append((REVISIONS, REVISION))
    await capture(sender, "dead", state="dead", body=b'{"note": "100% sure"}')
    await capture(sender, "refused", state="rejected", cause="address", address="10.9.9.9")
    await capture(
        sender, "other", config_id=2, config_key="x", body=b'{"id": "B-77"}', received_at=NOON.replace(month=3)
    )
    await capture(sender, "binary", body=b"\xff\x00\xfe")
    assert set(await listed(sender, **wanted)) == ids


async def test_another_organisations_requests_are_not_seen(sender: MessageSender) -> None:
    """Neither list nor look-up shows what belongs to another organisation."""
    await capture(sender, "r1")
    assert (await sender.send("GetInboundRequestListQuery", stranger()))["totalCount"] == 0
    with pytest.raises(NotFound):
        await sender.send("GetInboundRequestByIdQuery", stranger(), requestId="r1")


async def test_an_unknown_state_is_refused(sender: MessageSender) -> None:
    """A state that does not exist is an error that names those which do."""
    with pytest.raises(Invalid, match="quarantined"):
        await listed(sender, state="lost")


async def test_a_request_is_shown_whole(sender: MessageSender) -> None:
    """One request is shown with body, headers and query, credentials redacted, and its result."""
    result = {"id": 1, "token": "canary-4"}
    await capture(sender, "r1", result=result, completed_at=NOON + timedelta(seconds=1))
    shown = await sender.send("GetInboundRequestByIdQuery", requestId="r1")
    assert (shown["body"], shown["bodyEncoding"]) == ('{"order": "A-1"}', "text")
    assert shown["query"] == {"token": "***", "page": "1"}
    assert shown["headers"]["content-type"] == "application/json"
    assert shown["result"] == {"id": 1, "token": "***"}
    assert [entry["event"] for entry in shown["timeline"]] == ["received", "judged", "completed"]
    assert shown["timeline"][0]["detail"] == "POST /orders/paid from 10.0.0.1"


async def test_a_body_that_is_no_text_is_shown_in_base64(sender: MessageSender) -> None:
    """Bytes that are not UTF-8 come as base64, and say so."""
    await capture(sender, "r1", body=b"\xff\x00")
    shown = await sender.send("GetInboundRequestByIdQuery", requestId="r1")
    assert (shown["body"], shown["bodyEncoding"]) == ("/wA=", "base64")


async def test_the_timeline_names_what_was_caused(sender: MessageSender) -> None:
    """Every command that a request caused stands in its timeline with its outcome, and the next attempt."""
    await capture(sender, "r1", state="failed", attempt=1, next_attempt_at=NOON + timedelta(minutes=1))
    message = sender.bus.registry.decode("LookupWebHookByKeyCommand", {"key": "none"})
    await sender.bus.execute(Envelope(message, ADMIN, "r1"))
    shown = await sender.send("GetInboundRequestByIdQuery", requestId="r1")
    details = [(entry["event"], entry["detail"]) for entry in shown["timeline"]]
    failed = "LookupWebHookByKeyCommand failed: No webhook configuration found with the specified key"
    assert details[2:] == [("command", failed), ("retry", "attempt 2 is due")]


async def test_an_unknown_request_is_not_found(sender: MessageSender) -> None:
    """An id that no request has is not found, by either message."""
    for name in ("GetInboundRequestByIdQuery", "ExplainSignatureQuery"):
        with pytest.raises(NotFound, match="No inbound request found with the specified ID"):
            await sender.send(name, requestId="none")


async def rule(sender: MessageSender, signature: dict[str, Any] | None) -> int:
    fields = {"key": "k", "description": "d", "isEnabled": True, "path": "p", "action": "POST", "executionType": 0}
    signed = {"signature": signature} if signature else {}
    config = {**fields, **signed, "commandName": "PingQuery"}
    return (await sender.send_fields("CreateWebHookConfigCommand", config))["id"]


async def test_the_doctor_knows_the_configured_secret(sender: MessageSender) -> None:
    """A request signed with the configured secret is right; one whose body changed names the body."""
    config_id = await rule(sender, {"scheme": "github", "secret": "s3cret-of-eight"})
    proof = hmac.new(b"s3cret-of-eight", b'{"a":1}', hashlib.sha256).hexdigest()
    headers = {"x-hub-signature-256": f"sha256={proof}"}
    await capture(sender, "right", config_id=config_id, body=b'{"a":1}', headers=headers)
    await capture(sender, "changed", config_id=config_id, body=b'{"a": 1}', headers=headers)
    right = await sender.send("ExplainSignatureQuery", requestId="right")
    assert (right["ok"], right["failed"], right["matchingSchemes"]) == (True, "", ["github", "meta"])
    changed = await sender.send("ExplainSignatureQuery", requestId="changed")
    assert (changed["ok"], changed["failed"]) == (False, "body")
    assert "s3cret" not in str(changed)


async def test_the_doctor_examines_a_draft(sender: MessageSender) -> None:
    """A signature sent along is tried instead of the configured one."""
    proof = hmac.new(b"other-of-eight", b"x", hashlib.sha256).hexdigest()
    await capture(sender, "r1", config_id=None, body=b"x", headers={"x-hub-signature-256": f"sha256={proof}"})
    draft = {"scheme": "github", "secret": "other-of-eight"}
    assert (await sender.send("ExplainSignatureQuery", requestId="r1", signature=draft))["ok"]
    with pytest.raises(Invalid, match="signature: is required"):
        await sender.send("ExplainSignatureQuery", requestId="r1")


async def test_the_doctor_says_when_the_evidence_is_not_kept(sender: MessageSender) -> None:
    """A static secret's header is never stored, and the explanation says that."""
    config_id = await rule(sender, {"scheme": "bearer", "secret": "s3cret-of-eight"})
    await capture(sender, "r1", config_id=config_id)
    found = await sender.send("ExplainSignatureQuery", requestId="r1")
    assert (found["ok"], found["failed"]) == (False, "header")
    assert any("never stored" in hint for hint in found["hints"])


async def test_a_draft_may_not_probe_the_server(sender: MessageSender) -> None:
    """A reference in a draft makes the server read a variable, so it needs the permission to save one."""
    await capture(sender, "r1")
    reader = stranger(permissions=frozenset({"inbound:read"}))
    await capture(sender, "r2", organization_id=2)
    draft = {"scheme": "github", "secret": "env:HOME"}
    with pytest.raises(Forbidden, match="the installation's"):
        await sender.send("ExplainSignatureQuery", reader, requestId="r2", signature=draft)
    draft = {"scheme": "github", "secret": "env:NO_SUCH_VARIABLE"}
    proof = {"x-hub-signature-256": "sha256=" + "0" * 64}
    await capture(sender, "r3", headers=proof)
    assert (await sender.send("ExplainSignatureQuery", requestId="r3", signature=draft))["failed"] == "secret"
