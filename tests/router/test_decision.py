"""One judgement: live traffic, dry runs, replays and back-tests decide alike about generated rules and requests."""

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from bpm.security.secrets import SecretBox, load_secret_key
from bpm.signatures import SignatureConfig, sign
from bpm.testing import RunningApp
from router.backtest import Examiner
from router.replay import Judge
from router.request_seal import RequestSeal
from router.tables import requests
from router.tables.requests import INBOUND
from tests.router.conftest import noting, rows, send_from

pytestmark = pytest.mark.anyio

SECRET = "s3cret-of-eight"
SIGNED: dict[str, Any] = {"scheme": "github", "secret": SECRET}
PEERS = ("192.0.2.1", "198.51.100.7")
SLACK = b'{"type":"url_verification","challenge":"c"}'
BODIES = (b"{}", b'{"id":1}', b'{"id":2}', b"{", b'"' + b"x" * 40 + b'"', SLACK)


def made_up_rule(chance: random.Random) -> dict[str, Any]:
    """Return fields of a configuration, each there or not."""
    possible: dict[str, Any] = {
        "isEnabled": False,
        "signature": SIGNED,
        "allowableIPs": "192.0.2.0/24",
        "maxBodyBytes": 30,
        "deduplication": "body:id",
        "contentType": chance.choice(["text/plain", "application/x-www-form-urlencoded", "application/xml"]),
        "handshake": {"kind": "slack"},
        "response": {"status": 202, "body": "{{payload.id}}"},
        "moreMethods": ["PATCH", "DELETE"],
        "expiresAt": chance.choice(["2020-01-01T00:00:00Z", "2090-01-01T00:00:00Z"]),
    }
    chosen = {name: value for name, value in possible.items() if chance.random() < 0.3}
    if chance.random() < 0.5:
        chosen |= {"when": chance.choice(["payload.id == 1", "payload.id > 1", "true"]), "order": 10}
    return {**chosen, "action": chance.choice(["POST", "POST", "PUT", "GET"])}


def made_up_request(chance: random.Random) -> dict[str, Any]:
    """Return a request that may or may not be what such a configuration takes."""
    body = chance.choice(BODIES)
    headers = {"content-type": "application/json"}
    if chance.random() < 0.6:
        headers |= sign(SignatureConfig.model_validate(SIGNED), body, 0)
    return {
        "method": chance.choice(["POST", "POST", "PUT", "PATCH", "GET", "HEAD"]),
        "address": chance.choice(PEERS),
        "headers": headers,
        "body": body,
    }


@pytest.mark.parametrize("seed", range(40))
async def test_everybody_decides_alike(app: RunningApp, seed: int) -> None:
    """What the dry run says comes true, and replay and back-test say of the stored request what came true."""
    chance = random.Random(seed)  # noqa: S311 no secret
    key = f"alike-{seed}"
    rule = await noting(app, key, **made_up_rule(chance))
    for request in [made_up_request(chance) for _ in range(6)]:
        foretold = await dry(app, rule["id"], request)
        came_true = await live(app, key, request)
        assert foretold == came_true, request
    kept = [row for row in await rows(app, path=key) if row.config_id == rule["id"]]
    await replays_and_back_tests_agree(app, rule["id"], kept)


async def dry(app: RunningApp, rule_id: int, request: dict[str, Any]) -> str | None:
    """Return the cause that a dry run of a request foretells."""
    sample = {**request, "body": request["body"].decode()}
    return (await app.cmd("TestWebHookConfigCommand", id=rule_id, request=sample))["verdict"]["cause"]


async def live(app: RunningApp, key: str, request: dict[str, Any]) -> str | None:
    """Send a request, and return the cause with which it was stored; one that is only asked is not stored."""
    before = len(await rows(app, path=key))
    answer = await send_from(
        app, request["address"], key, request["headers"], method=request["method"], content=request["body"]
    )
    after = await rows(app, path=key)
    if len(after) > before:
        return after[-1].cause
    if request["method"] != "HEAD":
        return "handshake"
    return "head" if answer.status == 200 else {403: "address", 404: "disabled", 405: "method"}[answer.status]


async def replays_and_back_tests_agree(app: RunningApp, rule_id: int, kept: list[Any]) -> None:
    """Judge stored requests again: whatever was refused is refused for the same cause, whatever passed passes."""
    compiled = app.app.routes.by_id(rule_id)
    assert compiled is not None
    seal = RequestSeal(SecretBox(load_secret_key(app.app.settings)))
    judge = Judge(app.app.routes, app.app.fixed, seal, app.app.settings.max_body_bytes)
    examiner = Examiner(compiled, None, app.app.registry, seal, app.app.routes.rules_beside(compiled))
    for row in kept:
        if row.cause not in ("duplicate", "size"):
            assert judge.decide(row).verdict.cause == row.cause
        if row.cause not in ("disabled", "size", "duplicate") and compiled.enabled:
            assert examiner.examine(row).now.verdict == (row.cause or requests.PASSED)


async def test_an_id_is_forgotten_by_everybody_alike(app: RunningApp) -> None:
    """An id that was seen eight days ago is new again: for the dry run as for the request itself."""
    rule = await noting(app, "forgotten", deduplication="body:id")
    headers = {"content-type": "application/json"}
    request = {"method": "POST", "address": PEERS[0], "headers": headers, "body": b'{"id":7}'}
    assert await live(app, "forgotten", request) is None
    assert await dry(app, rule["id"], request) == "duplicate"
    (row,) = await rows(app, path="forgotten")
    long_ago = row.received_at - timedelta(days=8)
    statement = update(INBOUND).where(INBOUND.c.request_id == row.request_id).values(received_at=long_ago)
    await app.app.database.write(lambda tx: tx.connection.execute(statement))
    assert await dry(app, rule["id"], request) is None
    assert (await send_from(app, PEERS[0], "forgotten", headers, content=request["body"])).status == 200
    assert [row.cause for row in await rows(app, path="forgotten")] == [None, None]


async def test_no_handshake_is_shown_to_an_address_that_is_refused(app: RunningApp) -> None:
    """The dry run asks for the address before it shows how a question is answered, as live traffic does."""
    rule = await noting(app, "asked", allowableIPs="192.0.2.0/24", handshake={"kind": "slack"})
    sample = {"address": PEERS[1], "body": SLACK.decode(), "headers": {"content-type": "application/json"}}
    found = await app.cmd("TestWebHookConfigCommand", id=rule["id"], request=sample)
    assert (found["handshake"], found["verdict"]["cause"]) == (None, "address")
