"""The fixed endpoints of a running application: what is answered, what is stored, what becomes of it."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from bpm.testing import RunningApp, running_app, until
from router.tables.requests import INBOUND
from tests.payloads import payload

pytestmark = pytest.mark.anyio

MONO, REMITA = "/api/webhooks/mono/callback", "/api/webhooks/remita"
COLLECTION = f"{REMITA}/collection-notification"
SECRET = {"mono-webhook-secret": "mono-canary"}


@pytest.fixture
async def app(httpserver: HTTPServer) -> AsyncIterator[RunningApp]:
    base_url = httpserver.url_for("")
    mono = {
        "webhook_secret": "mono-canary",
        "secret_key": "sk",
        "base_url": base_url,
        "redirect_url": "https://shop.example/done",
    }
    remita = {
        "allowed_ips": "127.0.0.1",
        "header_secret": "remita-canary",
        "merchant_id": "1",
        "api_key": "2",
        "base_url": base_url,
    }
    async with running_app(mono=mono, remita=remita) as running:
        yield running


async def rows(app: RunningApp) -> list[Any]:
    found = await app.app.database.read(lambda tx: tx.connection.execute(INBOUND.select()).all())
    return sorted(found, key=lambda row: row.received_at)


async def settled(app: RunningApp) -> list[Any]:
    """Wait until no request waits for the worker, and return them all."""
    return await until(lambda: rows(app), lambda found: not any(row.state in ("pending", "running") for row in found))


async def first(app: RunningApp, query: str, **fields: Any) -> Any:
    """Wait until a list has an item."""
    return (await until(lambda: app.cmd(query, **fields), lambda page: page["items"]))["items"][0]


async def counted(app: RunningApp, query: str) -> int:
    return (await app.cmd(query))["totalCount"]


async def test_an_event_of_monos_is_stored_and_executed_once(app: RunningApp) -> None:
    """Three deliveries of one event are one execution, and the secret is not stored with any of them."""
    for _ in range(3):
        answer = await app.request("POST", MONO, payload("mono_account_updated"), SECRET)
        assert (answer.status, answer.body) == (200, "OK")
    stored = await settled(app)
    assert [row.state for row in stored] == ["done", "duplicate", "duplicate"]
    assert stored[0].body == payload("mono_account_updated")
    assert stored[0].message_type == "ProcessMonoEventCommand"
    assert "mono-canary" not in str(stored)
    assert await counted(app, "GetMonoAccountListQuery") == 1


async def test_a_wrong_secret_is_kept_as_refused(app: RunningApp) -> None:
    """A request without the secret is answered 401 and kept with its cause, but not executed."""
    for headers in ({}, {"mono-webhook-secret": "mono-canarx"}):
        assert (await app.request("POST", MONO, payload("mono_account_updated"), headers)).status == 401
    assert [(row.state, row.cause) for row in await rows(app)] == [("rejected", "signature")] * 2
    assert await counted(app, "GetMonoAccountListQuery") == 0


async def test_a_notification_is_kept_and_confirmed(app: RunningApp, httpserver: HTTPServer) -> None:
    """Remita is answered `Ok`; its payments are kept raw and normalised, linked, and confirmed by the worker."""
    token = hashlib.sha512(b"13000761234521").hexdigest()
    httpserver.expect_request(f"/1/130007612345/{token}/status.reg", "GET").respond_with_json(
        {"status": "01", "amount": 20000}
    )
    answer = await app.request("POST", REMITA, payload("remita_payments"), {"x-remita-secret": "remita-canary"})
    assert (answer.status, answer.body) == (200, "Ok")
    assert answer.headers["content-type"].startswith("text/plain")
    (stored,) = await settled(app)
    assert "remita-canary" not in str(stored)
    confirmed = await first(app, "GetRemitaPaymentListQuery", status="confirmed")
    assert (confirmed["rrr"], confirmed["confirmedAmount"]) == ("130007612345", "20000")
    assert confirmed["requestId"] == stored.request_id


async def test_collections_are_kept(app: RunningApp) -> None:
    """The collection endpoint answers `Ok` and keeps what was collected."""
    answer = await app.request(
        "POST", COLLECTION, payload("remita_collection_debit"), {"x-remita-secret": "remita-canary"}
    )
    assert (answer.status, answer.body) == (200, "Ok")
    await settled(app)
    assert await counted(app, "GetRemitaCollectionListQuery") == 2


async def test_remita_is_refused_in_its_words(app: RunningApp) -> None:
    """Without the header, or with a body that is nothing, the answer is `Not Ok` and the cause is kept."""
    for path in (REMITA, COLLECTION):
        missing = await app.request("POST", path, b"{}")
        assert (missing.status, missing.body) == (401, "Not Ok")
        garbage = await app.request("POST", path, b"<xml/>", {"x-remita-secret": "remita-canary"})
        assert (garbage.status, garbage.body) == (400, "Not Ok")
    assert [row.cause for row in await rows(app)] == ["signature", "malformed"] * 2


async def test_a_browser_is_sent_on_and_its_code_exchanged(app: RunningApp, httpserver: HTTPServer) -> None:
    """The browser goes to the configured address, also when it reloads, while the code is exchanged once."""
    httpserver.expect_request("/v2/accounts/auth").respond_with_json({"data": {"id": "acc_9"}})
    for _ in range(2):
        answer = await app.request("GET", f"{MONO}?code=c9&ref=r9")
        assert answer.status == 303
        assert answer.headers["location"] == "https://shop.example/done?reference=r9"
    await settled(app)
    (account,) = (await app.cmd("GetMonoAccountListQuery"))["items"]
    assert (account["accountId"], account["reference"]) == ("acc_9", "r9")
    assert len(httpserver.log) == 1


async def test_a_failed_exchange_waits_for_its_next_try(app: RunningApp, httpserver: HTTPServer) -> None:
    """When Mono is away the browser is thanked all the same, and the code is tried again later."""
    httpserver.expect_request("/v2/accounts/auth").respond_with_data("", status=503)
    assert (await app.request("GET", f"{MONO}?code=c9")).status == 303
    (stored,) = await settled(app)
    assert (stored.state, stored.attempt) == ("failed", 1)
    assert stored.next_attempt_at is not None


async def test_too_many_parameters_are_refused(app: RunningApp) -> None:
    """A query with thousands of parameters is a 400, not a crash."""
    answer = await app.request("GET", MONO + "?" + "&".join(f"a{i}=1" for i in range(2000)))
    assert answer.status == 400


async def test_other_addresses_are_refused_before_their_body() -> None:
    """From outside the list the answer is 403 and `Not Ok`, with the cause kept."""
    async with running_app(remita={"allowed_ips": "203.0.113.7"}) as app:
        answer = await app.request("POST", REMITA, payload("remita_payments"))
        assert (answer.status, answer.body) == (403, "Not Ok")
        assert [(row.state, row.cause) for row in await rows(app)] == [("rejected", "address")]


async def test_a_forged_forwarded_address_changes_nothing() -> None:
    """An address in a header counts only if a trusted proxy wrote it."""
    forged = {"x-forwarded-for": "203.0.113.7"}
    async with running_app(remita={"allowed_ips": "203.0.113.7"}) as app:
        assert (await app.request("POST", REMITA, b'{"rrr": "1"}', forged)).status == 403
    async with running_app(remita={"allowed_ips": "203.0.113.7"}, trusted_proxies="127.0.0.1") as app:
        assert (await app.request("POST", REMITA, b'{"rrr": "1"}', forged)).status == 200


async def test_endpoints_are_off_until_configured() -> None:
    """Without settings every fixed address is a 404, and the status names what switches it on."""
    async with running_app() as app:
        for path in (MONO, REMITA, COLLECTION):
            assert (await app.request("POST", path, b"{}", SECRET)).status == 404
        off = (await app.cmd("GetSystemStatusQuery"))["endpointsOff"]
    assert "BPM_MONO__WEBHOOK_SECRET" in off["mono"]
    assert "BPM_REMITA__ALLOWED_IPS" in off["remita"]
