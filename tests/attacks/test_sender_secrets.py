"""What proves a request's sender is used once, at the door, and told to nobody behind it."""

import base64
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from bpm.client import BusClient
from bpm.signatures import SignatureConfig, sign
from bpm.testing import RunningApp, running_app

CANARY = "canary-zq9x7-4711"
SCRIPT = {"executionType": 2, "executionCode": "return {'h': dict(headers), 'q': dict(query)}"}
CHAIN: dict[str, Any] = {"executionType": 1, "commandChain": [{"commandName": "PingQuery", "parameters": {}}]}
EVENT = {
    "commandName": "PublishEventCommand",
    "parameters": {"event": "seen", "data": {"headers": "{{headers}}", "query": "{{query}}"}},
}
STATIC = {"scheme": "custom", "type": "static", "encoding": "text", "secret": CANARY}
SCHEMES: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({**STATIC, "header": "X-Gitlab-Token"}, {"X-Gitlab-Token": CANARY}),
    ({**STATIC, "header": "X-Weird"}, {"X-Weird": CANARY, "X-Copy": f"again {CANARY}"}),
    ({"scheme": "bearer", "secret": CANARY}, {"Authorization": f"bearer {CANARY}"}),
    (
        {"scheme": "basic", "username": "u", "secret": CANARY},
        {"Authorization": "Basic " + base64.b64encode(f"u:{CANARY}".encode()).decode()},
    ),
    ({"scheme": "flutterwave-v3", "secret": CANARY}, {"verif-hash": CANARY}),
]


@pytest.fixture
async def app() -> Any:
    """An application of its own, so that all that it stored can be looked through."""
    async with running_app() as running:
        yield running


async def everything(app: RunningApp) -> str:
    """Return every row of every table, and what the answers about requests, runs and the audit log show."""
    tables = await app.app.database.read(_rows)
    seen = [
        await app.cmd("GetAuditLogQuery", pageSize=100),
        await app.cmd("GetEventListQuery", pageSize=100),
        *[
            await app.cmd("GetInboundRequestByIdQuery", requestId=request["requestId"])
            for request in await app.requests()
        ],
        *[
            await app.cmd("GetCodeRunByIdQuery", runId=run["runId"])
            for run in (await app.cmd("GetCodeRunListQuery"))["items"]
        ],
    ]
    return tables + json.dumps(seen)


def _rows(tx: Any) -> str:
    from sqlalchemy import inspect, text

    names = inspect(tx.connection).get_table_names()
    return "".join(str(tx.connection.execute(text(f'SELECT * FROM "{name}"')).all()) for name in names)  # noqa: S608


@pytest.mark.parametrize("mode", ["async", "sync"])
@pytest.mark.parametrize(("signature", "headers"), SCHEMES, ids=lambda value: str(value)[:40])
async def test_a_static_secret_is_nowhere(
    app: RunningApp, mode: str, signature: dict[str, Any], headers: dict[str, str]
) -> None:
    """Whatever executes the request, no store and no answer holds what the sender proved itself by."""
    for key, kind in {"script": SCRIPT, "chain": CHAIN, "event": EVENT}.items():
        await app.rule(key, **kind, signature=signature, responseMode=mode)
        assert (await app.hook(key, {"a": 1}, headers)).status == 200
        assert (await app.hook(key, {"a": 1}, {**headers, "X-Event": "wrong"} | _wrong(headers))).status == 401
    await app.settled()
    found = await everything(app)
    encoded = base64.b64encode(f"u:{CANARY}".encode()).decode()
    assert CANARY not in found
    assert encoded not in found


def _wrong(headers: dict[str, str]) -> dict[str, str]:
    name = next(iter(headers))
    return {name: headers[name] + "x"}


HEADERS = ["Authorization", "Cookie", "X-Api-Key", "X-Auth", "X-Hook-Secret", "X-Session-Token", "Proxy-Authorization"]
ADDRESSES = ["Referer", "X-Original-URL", "X-Original-URI", "X-Forwarded-Uri"]


@pytest.mark.parametrize("mode", ["async", "sync"])
async def test_credentials_that_no_scheme_asks_for_are_nowhere(app: RunningApp, mode: str) -> None:
    """Headers and parameters that are called like credentials are hidden, whoever the request belongs to."""
    await app.rule("script", **SCRIPT, responseMode=mode)
    await app.rule("event", **EVENT, responseMode=mode)
    query = f"?token={CANARY}&api_key={CANARY}&sig={CANARY}&X-Amz-Signature={CANARY}&p%61ssword={CANARY}&page=1"
    headers = dict.fromkeys(HEADERS, f"k {CANARY}")
    headers |= dict.fromkeys(ADDRESSES, f"https://u:{CANARY}@a.example/p?token={CANARY}")
    for path in ("script", "event", "nowhere", f"nowhere;password={CANARY}", f"nowhere%3Ftoken={CANARY}"):
        await app.hook(path + query, {"a": 1}, headers)
    await app.settled()
    assert CANARY not in await everything(app)
    (event,) = (await app.cmd("GetEventListQuery", event="seen"))["items"]
    assert event["data"]["query"] == {"page": "1"}


async def test_a_viewer_sees_no_signature(app: RunningApp) -> None:
    """A signature would let whoever reads it send the body again: it is sealed, and verified from there."""
    await app.rule("signed", **EVENT, signature={"scheme": "github", "secret": CANARY})
    headers = sign(SignatureConfig.model_validate({"scheme": "github", "secret": CANARY}), b'{"a":1}', 0)
    await app.request("POST", "/api/webhooks/signed", b'{"a":1}', {"content-type": "application/json", **headers})
    (request,) = await app.requests()
    proof = next(iter(headers.values()))
    assert proof not in await everything(app)
    explained = await app.cmd("ExplainSignatureQuery", requestId=request["requestId"])
    assert explained["ok"]


async def test_a_draft_finds_out_no_credential(app: RunningApp) -> None:
    """Who may only read can't find out a header by asking a draft for one beginning after another."""
    await app.rule("open", **EVENT)
    await app.hook("open", {}, {"X-Api-Key": CANARY, "X-Signature": CANARY})
    (request,) = await app.requests()
    await app.cmd("CreateUserCommand", username="view", password="viewer-pass-1234", roles=["viewer"])
    answers: set[str] = set()
    for header in ("X-Api-Key", "X-Signature"):
        for prefix in ("canary", "other"):
            for kind in ({"type": "static", "encoding": "text"}, {"type": "hmac"}):
                draft = {"scheme": "custom", "header": header, "prefix": prefix, "secret": "guess-of-mine-123", **kind}
                async with _viewer(app) as viewer:
                    found = await viewer.cmd("ExplainSignatureQuery", requestId=request["requestId"], signature=draft)
                answers.add(found["cause"].replace(prefix, "").replace(header, ""))
    assert len(answers) <= 2  # one for each kind of scheme, whatever the beginning was


@asynccontextmanager
async def _viewer(app: RunningApp) -> AsyncGenerator[BusClient]:
    transport = httpx.ASGITransport(app=app.app, client=("127.0.0.1", 4))
    async with httpx.AsyncClient(transport=transport, base_url="http://bpm.test") as http:
        client = BusClient(http)
        await client.sign_in("view", "viewer-pass-1234")
        yield client


PLACES: dict[str, Any] = {
    "body:proof": {"proof": CANARY, "a": 1},
    "body:meta.proof": {"meta": {"proof": CANARY}, "a": 1},
    "body:list[0].proof": {"list": [{"proof": CANARY}], "a": 1},
}
TYPES = ("application/json", "text/plain", "text/plain; charset=latin-1", "application/xml", "application/octet-stream")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("content_type", TYPES)
async def test_a_proof_in_the_body_is_not_seen_by_templates(app: RunningApp, place: str, content_type: str) -> None:
    """Wherever in a body the proof stands, and whatever its sender calls the body, the proof ends at the door."""
    data = {"data": "{{payload}}", "body": "{{request.body}}", "bytes": "{{request.bodyBase64}}"}
    event = {"commandName": "PublishEventCommand", "parameters": {"event": "seen", "data": data}}
    await app.rule("proven", **event, signature={**STATIC, "signatureIn": place})
    code = {"executionType": 2, "executionCode": "return [payload, request['body']]"}
    await app.rule("script", **code, signature={**STATIC, "signatureIn": place}, responseMode="sync")
    body = json.dumps(PLACES[place]).encode()
    for key in ("proven", "script"):
        answer = await app.request("POST", f"/api/webhooks/{key}", body, {"content-type": content_type})
        assert answer.status == 200
        assert CANARY not in str(answer.body)
    await app.settled()
    assert CANARY not in await everything(app)
    (event_,) = (await app.cmd("GetEventListQuery", event="seen"))["items"]
    assert '"a": 1' in event_["data"]["body"]
