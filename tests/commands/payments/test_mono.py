"""Mono's events, connections and accounts."""

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from bpm.app.settings import load_settings
from bpm.bus import Envelope
from bpm.bus.tables import AUDIT
from bpm.errors import Failed, Forbidden, Unavailable
from bpm.settings import Settings
from tests.commands.payments.conftest import MONO, STRANGER, PaymentsSender
from tests.payloads import payload

pytestmark = pytest.mark.anyio

PATH = "mono/callback"
ACCOUNT = "69a5551c7d1e4b0012ab34cd"


async def test_an_account_is_connected_and_updated(payments: PaymentsSender) -> None:
    """Connected, then updated: one account that knows everything, its numbers hidden in the list."""
    await payments.recorded(PATH, "mono_account_connected")
    await payments.recorded(PATH, "mono_account_updated")
    (account,) = await payments.listed("GetMonoAccountListQuery")
    assert account["accountId"] == ACCOUNT
    assert account["status"] == "connected"
    assert account["reference"] == "order-4711"
    assert account["customer"] == "69a5550a7d1e4b0012ab34aa"
    assert account["dataStatus"] == "AVAILABLE"
    assert account["balance"] == "33333350"
    assert account["accountNumber"] == "***4321"
    assert account["bvn"] == "***"
    assert (account["institutionName"], account["bankCode"]) == ("GTBank", "058")


async def test_an_event_counts_once(payments: PaymentsSender) -> None:
    """The same event again, even with another body, changes nothing and publishes nothing."""
    first = await payments.recorded(PATH, "mono_account_connected")
    again = json.loads(payload("mono_account_connected")) | {"data": {"id": "another"}}
    second = await payments.receive(PATH, json.dumps(again).encode())
    assert (first.duplicate, second.duplicate) == (False, True)
    assert [a["accountId"] for a in await payments.listed("GetMonoAccountListQuery")] == [ACCOUNT]
    assert len(await payments.events("mono.*")) == 1


async def test_events_are_published(payments: PaymentsSender) -> None:
    """Each event is published under its plain name with the account and the request it came with."""
    for name in ("mono_account_connected", "mono_direct_debit_payment_successful", "mono_mandate_ready"):
        await payments.recorded(PATH, name)
    events = await payments.listed("GetEventListQuery")
    assert [e["event"] for e in events] == [
        "mono.account_connected",
        "mono.direct_debit.payment_successful",
        "mono.mandates.ready",
    ]
    debit = events[1]["data"]
    assert debit["event"] == "direct_debit.payment_successful"
    assert debit["accountId"] == ACCOUNT
    assert debit["data"]["object"]["amount"] == 2500075
    assert debit["requestId"] == events[1]["correlationId"]


async def test_numbers_and_bvn_are_nowhere_to_be_read(payments: PaymentsSender) -> None:
    """Neither lists nor events nor the audit log show an account's number or a BVN."""
    for name in ("mono_account_updated", "mono_direct_debit_payment_successful", "mono_mandate_ready"):
        await payments.recorded(PATH, name)
    audit = await payments.database.read(lambda tx: tx.connection.execute(AUDIT.select()).mappings().all())
    shown = [await payments.listed("GetMonoAccountListQuery"), await payments.listed("GetEventListQuery"), audit]
    assert audit
    for secret in ("0987654321", "22212345678"):
        assert secret not in str(shown)


async def test_a_late_event_only_fills_gaps(payments: PaymentsSender) -> None:
    """An event older than what the account shows does not undo it."""
    await receive(payments, "mono.events.account_updated", "2026-03-02T10:00:00Z", account={"_id": "a", "balance": 5})
    await receive(payments, "mono.events.account_unlinked", "2026-03-03T10:00:00Z", account="a")
    late = {"_id": "a", "balance": 9, "name": "Ada"}
    await receive(payments, "mono.events.account_updated", "2026-03-01T10:00:00Z", account=late)
    (account,) = await payments.listed("GetMonoAccountListQuery")
    assert (account["status"], account["balance"], account["name"]) == ("unlinked", "5", "Ada")


async def test_the_status_follows_the_events(payments: PaymentsSender) -> None:
    """Reauthorisation and failed syncs show on the account, and a filter finds it."""
    await receive(payments, "mono.events.account_connected", None, id="a")
    await receive(payments, "mono.events.reauthorisation_required", None, account="a")
    await receive(payments, "mono.events.sync_failed", None, account="a")
    (account,) = await payments.listed("GetMonoAccountListQuery", status="reauthorisation_required")
    assert account["dataStatus"] == "FAILED"
    assert await payments.listed("GetMonoAccountListQuery", status="connected") == []


async def test_unknown_events_make_no_account(payments: PaymentsSender) -> None:
    """An unknown event is published and leaves the accounts alone."""
    await receive(payments, "brand.new", None, account="a")
    assert await payments.listed("GetMonoAccountListQuery") == []
    (told,) = await payments.events("mono.brand.new")
    assert told["accountId"] == "a"


async def test_a_failing_event_leaves_nothing(payments: PaymentsSender) -> None:
    """When the sender may not do this, neither event nor account is kept."""
    message = payments.message(
        "ProcessMonoEventCommand", event="mono.events.account_connected", eventId="e", data={"id": "a"}
    )
    with pytest.raises(Forbidden):
        await payments.bus.send(message, STRANGER)
    assert await payments.listed("GetMonoAccountListQuery") == []
    assert await payments.events() == []


async def test_an_operator_needs_no_leave_to_publish(payments: PaymentsSender) -> None:
    """Who may process payments may do so although the event is published along the way."""
    view = await payments.result("ProcessMonoEventCommand", event="x", eventId="e1")
    assert view.published_as == "mono.x"
    assert len(await payments.events("mono.x")) == 1


async def test_a_code_becomes_an_account(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """Mono is asked with the secret key, and the account it names is kept and published with the reference."""
    httpserver.expect_oneshot_request(
        "/v2/accounts/auth", "POST", json={"code": "c1"}, headers={"mono-sec-key": "test_sk"}
    ).respond_with_json({"status": "successful", "message": "Account linked", "data": {"id": "acc_1"}})
    view = await connect(payments, code="c1", reference="order-1")
    assert (view.status, view.account_id) == ("connected", "acc_1")
    (account,) = await payments.listed("GetMonoAccountListQuery")
    assert (account["accountId"], account["status"], account["reference"]) == ("acc_1", "connected", "order-1")
    (told,) = await payments.events("mono.connection_connected")
    assert (told["accountId"], told["reference"]) == ("acc_1", "order-1")


async def test_connecting_does_not_undo_what_an_event_said(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """The details of an account stay when the browser comes back after Mono's own events."""
    await payments.recorded(PATH, "mono_account_updated")
    httpserver.expect_request("/v2/accounts/auth").respond_with_json({"id": ACCOUNT})
    await connect(payments, code="c1")
    (account,) = await payments.listed("GetMonoAccountListQuery")
    assert account["name"] == "ADA LOVELACE OBI"


async def test_a_refused_code_is_a_failed_connection(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """When Mono refuses the code its reason is kept and published, and nothing is tried again."""
    httpserver.expect_request("/v2/accounts/auth").respond_with_json({"message": "Invalid or expired code"}, status=400)
    view = await connect(payments, code="c1", reference="r")
    assert (view.status, view.account_id) == ("failed", None)
    assert "Invalid or expired code" in view.reason
    (told,) = await payments.events("mono.connection_failed")
    assert told["reference"] == "r"


async def test_a_visit_without_a_code_asks_nobody(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """A closed connection is kept and published, and Mono is left alone."""
    view = await connect(payments, status="cancelled", reason="user closed", reference="r")
    assert (view.status, view.reason) == ("closed", "user closed")
    assert len(await payments.events("mono.connection_closed")) == 1
    assert httpserver.log == []


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, "oops"), (502, "{}"), (429, "{}"), (200, "<html>"), (200, "{}"), (200, "[1]"), (200, "x" * 100_000)],
)
async def test_what_may_pass_is_tried_again(
    payments: PaymentsSender, httpserver: HTTPServer, status: int, body: str
) -> None:
    """Errors, throttling, garbage and endless answers of Mono's are a failure that the worker tries again."""
    httpserver.expect_request("/v2/accounts/auth").respond_with_data(body, status=status)
    with pytest.raises(Unavailable):
        await connect(payments, code="c1")
    assert await payments.events() == []


async def test_a_wrong_key_is_named(payments: PaymentsSender, httpserver: HTTPServer) -> None:
    """When Mono does not accept the key, the error names the setting."""
    httpserver.expect_request("/v2/accounts/auth").respond_with_json({"message": "Unauthorized"}, status=401)
    with pytest.raises(Failed, match="BPM_MONO__SECRET_KEY"):
        await connect(payments, code="c1")


async def test_the_code_is_not_in_the_audit_log(payments: PaymentsSender) -> None:
    """The audit log shows that a connection was completed, but not its code."""
    outcome = await payments.bus.execute(
        Envelope(payments.message("CompleteMonoConnectionCommand", code="c-canary"), MONO)
    )
    assert not outcome.ok
    rows = await payments.database.read(lambda tx: tx.connection.execute(AUDIT.select()).all())
    assert [row.type for row in rows] == ["CompleteMonoConnectionCommand"]
    assert "c-canary" not in str(rows)


class TestWithoutASecretKey:
    @pytest.fixture
    def settings(self, tmp_path: Any) -> Settings:
        return load_settings(data_dir=tmp_path, mono={"webhook_secret": "s"}, remita={"header_secret": "s"})

    async def test_the_missing_key_is_named(self, payments: PaymentsSender) -> None:
        """Without the key a code can't be exchanged, and the error names the setting."""
        with pytest.raises(Failed, match="BPM_MONO__SECRET_KEY"):
            await connect(payments, code="c1")


async def receive(payments: PaymentsSender, event: str, timestamp: str | None, **data: Any) -> Any:
    body = {"event": event, "timestamp": timestamp, "data": data}
    return await payments.receive(PATH, json.dumps(body).encode())


async def connect(payments: PaymentsSender, **fields: Any) -> Any:
    return await payments.result("CompleteMonoConnectionCommand", MONO, **fields)
