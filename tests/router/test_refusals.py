"""The guard: every cause with its answer and what is kept of it, and their order."""

from typing import Any

import pytest
import structlog

from bpm.signatures import SignatureConfig, sign
from bpm.testing import RunningApp
from router import quota
from tests.router.conftest import noting, rows, runs, send_from, settled, stored

pytestmark = pytest.mark.anyio

GITHUB = {"scheme": "github", "secret": "s3cret-of-GitHub"}
JSON = {"content-type": "application/json"}


def signed(body: bytes, now: float = 0) -> dict[str, str]:
    return {**JSON, **sign(SignatureConfig.model_validate(GITHUB), body, now)}


CAUSES: dict[str, tuple[dict[str, Any], dict[str, Any], int, str, str]] = {
    "disabled": ({"isEnabled": False}, {}, 404, "quarantined", "not active"),
    "method": ({}, {"method": "PUT"}, 405, "rejected", "answers POST"),
    "address": ({"allowableIPs": "10.1.0.0/16"}, {}, 403, "rejected", "192.0.2.1"),
    "rate": ({"rateLimit": "1/hour"}, {"times": 2}, 429, "rejected", "1 per 1 hour"),
    "size": ({"maxBodyBytes": 5}, {"body": b'"12345"'}, 413, "rejected", "5 bytes"),
    "signature": ({"signature": GITHUB}, {}, 401, "rejected", "X-Hub-Signature-256"),
    "malformed": ({}, {"body": b"{"}, 400, "rejected", "JSON"),
}
"""Fields of a rule; the request; its answer's status, its state, and a word of the detail."""


@pytest.mark.parametrize("cause", CAUSES)
async def test_a_refused_request_is_answered_and_kept_with_its_cause(app: RunningApp, cause: str) -> None:
    """Each check refuses with its status in the common envelope, and keeps the request with the cause."""
    fields, request, status, state, word = CAUSES[cause]
    key = f"guard-{cause}"
    rule = await noting(app, key, **fields)
    content = {"content": request.get("body", b"{}"), "method": request.get("method", "POST")}
    for _ in range(request.get("times", 1) - 1):
        await send_from(app, "192.0.2.1", key, JSON, **content)
    with structlog.testing.capture_logs() as lines:
        answer = await send_from(app, "192.0.2.1", key, JSON, **content)
    assert answer.status == status
    said = {"rule": key, "cause": cause, "request_id": answer.headers["x-request-id"], "log_level": "warning"}
    assert [line for line in lines if said.items() <= line.items()]
    assert (answer.body["success"], answer.body["data"]) == (False, None)
    assert answer.errors
    kept = (await stored(app, key))[-1]
    assert (kept["state"], kept["verdict"], kept["configId"], kept["revision"]) == (state, cause, rule["id"], 1)
    assert answer.headers["x-request-id"] == kept["requestId"]
    assert any(word in sentence for sentence in kept["errors"])
    await settled(app, key)
    assert await runs(app, key) == request.get("times", 1) - 1


async def test_an_unknown_address_is_quarantined(app: RunningApp) -> None:
    """A path that no rule has is 404, and the request is kept whole to be driven again."""
    answer = await app.hook("nobody/is/here?x=1", {"order": 1}, {"x-api-key": "canary", "x-event": "paid"})
    assert (answer.status, answer.errors) == (404, ["There is no webhook here"])
    (row,) = await rows(app, path="nobody/is/here")
    assert (row.state, row.cause, row.body, row.query) == ("quarantined", "unknown", b'{"order":1}', "x=1")
    assert row.headers["x-event"] == "paid"
    assert "canary" not in str(row)


async def test_what_a_method_refusal_allows_is_named(app: RunningApp) -> None:
    """405 names the methods of every active rule at the address."""
    for method, enabled in (("POST", True), ("PUT", True), ("DELETE", False)):
        await noting(app, f"methods-{method}", path="methods", action=method, isEnabled=enabled)
    for method in ("GET", "HEAD", "OPTIONS", "PATCH", "TRACE"):
        answer = await app.request(method, "/api/webhooks/methods")
        assert (answer.status, answer.headers["allow"]) == (405, "POST, PUT"), method
    assert (await app.request("DELETE", "/api/webhooks/methods")).status == 404


async def test_head_is_answered_where_get_is(app: RunningApp) -> None:
    """HEAD tells whether GET is answered here, to this address; nothing is verified, executed or kept."""
    signature = {"scheme": "bearer", "secret": "s3cret-of-eight"}
    rule = await noting(app, "looked-at", action="GET", signature=signature, allowableIPs="10.1.2.3")
    answer = await send_from(app, "10.1.2.3", "looked-at", method="HEAD")
    assert (answer.status, answer.body) == (200, "")
    assert (await send_from(app, "10.1.2.4", "looked-at", method="HEAD")).status == 403
    await app.cmd("DeactivateWebHookConfigCommand", id=rule["id"])
    assert (await send_from(app, "10.1.2.3", "looked-at", method="HEAD")).status == 404
    assert (await runs(app, "looked-at"), await rows(app, config_id=rule["id"])) == (0, [])
    await noting(app, "got", action="GET")
    assert (await app.hook("got", {})).headers["allow"] == "GET, HEAD"


async def test_a_rate_says_when_to_come_again(app: RunningApp) -> None:
    """429 carries the seconds until the window ends; another rule's window is its own."""
    await noting(app, "rate-one", rateLimit="2/minute")
    await noting(app, "rate-other", rateLimit="2/minute")
    answers = [await app.hook("rate-one", {}) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert (await app.hook("rate-other", {})).status == 200


@pytest.mark.parametrize(
    ("allowed", "peer", "headers", "status"),
    [
        ("10.1.2.3", "10.1.2.3", {}, 200),
        ("10.1.2.3", "::ffff:10.1.2.3", {}, 200),
        ("::ffff:10.1.0.0/112", "10.1.2.3", {}, 200),
        ("2001:db8::/32, 10.1.2.3", "2001:db8::7", {}, 200),
        ("10.1.2.3", "10.1.2.4", {}, 403),
        ("10.1.2.3", "192.0.2.1", {"x-forwarded-for": "10.1.2.3"}, 403),
        ("10.1.2.3", "192.0.2.1", {"forwarded": "for=10.1.2.3"}, 403),
        ("10.1.2.3", "10.9.0.1", {"x-forwarded-for": "10.1.2.3"}, 200),
        ("10.1.2.3", "10.9.0.1", {"forwarded": 'for="10.1.2.3:80";proto=https'}, 200),
        ("10.1.2.3", "10.9.0.1", {"x-forwarded-for": "10.1.2.3, 192.0.2.1"}, 403),
        ("10.1.2.3", "10.9.0.1", {"x-forwarded-for": "192.0.2.1, 10.1.2.3, 10.9.0.2"}, 200),
        ("10.1.2.3", "10.9.0.1", {}, 403),
        ("10.9.0.1", "10.9.0.1", {"x-forwarded-for": "nonsense"}, 403),
    ],
)
async def test_the_clients_address_counts(
    app: RunningApp, allowed: str, peer: str, headers: dict[str, str], status: int
) -> None:
    """It is the socket's, or behind a trusted proxy the last one the proxy vouches for; a forged header is nothing."""
    rule = await noting(app, "from", allowableIPs=allowed)
    try:
        assert (await send_from(app, peer, "from", headers)).status == status
    finally:
        await app.cmd("DeleteWebHookConfigCommand", id=rule["id"])


async def test_a_mapped_address_is_kept_as_ipv4(app: RunningApp) -> None:
    """However the socket writes an IPv4 address, it is stored in one form."""
    await noting(app, "mapped")
    await send_from(app, "::ffff:192.0.2.77", "mapped")
    assert [request["address"] for request in await stored(app, "mapped")] == ["192.0.2.77"]


async def test_the_checks_have_an_order(app: RunningApp) -> None:
    """A request that fails every check is refused by the first, and as each is mended by the next."""
    fields = {
        "action": "POST",
        "allowableIPs": "10.1.0.1",
        "rateLimit": "2/hour",
        "maxBodyBytes": 40,
        "signature": GITHUB,
        "deduplication": "body:id",
    }
    rule = await noting(app, "order", isEnabled=False, **fields)
    large, wrong, right = b'{"id":"%b"}' % (b"x" * 50), b"{'id':1}", b'{"id":1}'
    assert (await send_from(app, "10.1.0.2", "order", content=large, method="PUT")).status == 404
    await app.cmd("ActivateWebHookConfigCommand", id=rule["id"])
    assert (await send_from(app, "10.1.0.2", "order", content=large, method="PUT")).status == 405
    assert (await send_from(app, "10.1.0.2", "order", content=large)).status == 403
    assert (await send_from(app, "10.1.0.1", "order", JSON, content=large)).status == 413
    assert (await send_from(app, "10.1.0.1", "order", JSON, content=wrong)).status == 401
    assert (await send_from(app, "10.1.0.1", "order", signed(wrong), content=wrong)).status == 400
    assert (await send_from(app, "10.1.0.1", "order", signed(right), content=right)).status == 200
    assert (await send_from(app, "10.1.0.1", "order", signed(right), content=right)).status == 200
    assert (await send_from(app, "10.1.0.1", "order", signed(right), content=right)).status == 429
    causes = [request["verdict"] for request in await stored(app, "order")]
    refused = ["disabled", "method", "address", "size", "signature", "malformed"]
    assert causes == [*refused, "passed", "duplicate", "rate"]


async def test_a_size_is_known_from_the_declaration_or_while_reading(app: RunningApp) -> None:
    """A body over the limit is refused with 413 whether its length is declared or it comes in chunks."""
    await noting(app, "sizes", maxBodyBytes=100)

    async def chunks(count: int) -> Any:
        for _ in range(count):
            yield b"x" * 50

    assert (await send_from(app, "192.0.2.1", "sizes", content=chunks(2))).status == 200
    assert (await send_from(app, "192.0.2.1", "sizes", content=chunks(3))).status == 413
    assert (await send_from(app, "192.0.2.1", "sizes", content=b"x" * 100)).status == 200
    assert (await send_from(app, "192.0.2.1", "sizes", content=b"x" * 101)).status == 413
    too_large = await rows(app, config_key="sizes", cause="size")
    assert [row.body for row in too_large] == [b"", b""]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b""),
        ("application/json", b"a=1"),
        ("application/json", b'{"a": "\xff"}'),
        ("application/json", b'{"a": 1, "a": 2}'),
        ("application/json", b'{"a": 1e999}'),
        ("application/json", b'{"a": "\\ud800"}'),
        ("application/json; charset=utf-8", '{"a": 1}'.encode("utf-16")),
        ("application/cloudevents+json", b"<a/>"),
        ("application/x-www-form-urlencoded", b"a=%ff&b=\xff"),
        ("application/x-www-form-urlencoded", b"a=1&" * 1000),
        ("text/plain", b"\xff"),
    ],
)
async def test_a_body_is_what_its_content_type_says(app: RunningApp, content_type: str, body: bytes) -> None:
    """A body that is not what was announced is 400 with a sentence, kept as it came, and never taken for another."""
    key = "announced"
    if app.app.routes.find(key) is None:
        await noting(app, key)
    answer = await app.request("POST", f"/api/webhooks/{key}", body, {"content-type": content_type})
    if not body:
        assert answer.status == 200  # no body is nothing to be misread
        return
    assert (answer.status, len(answer.errors)) == (400, 1)
    row = (await rows(app, config_key=key, cause="malformed"))[-1]
    assert (row.body, row.errors) == (body, answer.errors)


async def test_a_charset_that_is_not_read_is_refused(app: RunningApp) -> None:
    """415 names the charset; what a form in another one says is read."""
    await noting(app, "charsets", parameters={"event": "charsets", "text": "{{payload.name}}"})
    for kind in ("application/xml", "application/x-www-form-urlencoded"):
        answer = await app.request(
            "POST", "/api/webhooks/charsets", b"<a/>", {"content-type": f"{kind};charset=x-klingon"}
        )
        assert (answer.status, "'x-klingon' is not supported" in answer.errors[0]) == (415, True)
    headers = {"content-type": "application/x-www-form-urlencoded; charset=windows-1252"}
    assert (await app.request("POST", "/api/webhooks/charsets", b"name=Ren%E9", headers)).status == 200
    await settled(app, "charsets")
    (event,) = (await app.cmd("GetEventListQuery", event="charsets"))["items"]
    assert event["data"] == {"text": "René"}


async def test_a_body_in_an_unknown_coding_is_refused(app: RunningApp) -> None:
    """A body that nobody here can expand is 415 with what to do, and never taken for text."""
    await noting(app, "packed")
    headers = {"content-type": "text/plain", "content-encoding": "compress"}
    answer = await app.request("POST", "/api/webhooks/packed", b"\x1f\x8b\x08", headers)
    assert (answer.status, "send the body as it is" in answer.errors[0]) == (415, True)
    for plain in ("identity", "", "identity, identity", "UTF-8"):
        headers["content-encoding"] = plain
        assert (await app.request("POST", "/api/webhooks/packed", b"hello", headers)).status == 200, plain
    assert [request["verdict"] for request in await stored(app, "packed")] == ["malformed", *["passed"] * 4]


async def test_a_body_is_described_twice_in_the_same_words(app: RunningApp) -> None:
    """Two equal Content-Types are one; two that differ are 400, as is any other header that must stand once."""
    await app.rule("twice", executionType=2, executionCode="return [payload, query]", responseMode="sync")
    json, text = ("content-type", "application/json"), ("content-type", "text/plain")
    same = [json, json, ("content-encoding", "identity"), ("content-encoding", "identity")]
    answer = await send_from(app, "127.0.0.1", "twice?id=1&id=2&a=x", same, content=b'{"a":1}')
    assert (answer.status, answer.body["data"]) == (200, [{"a": 1}, {"id": ["1", "2"], "a": "x"}])
    assert (await send_from(app, "127.0.0.1", "twice", [json, text], content=b"{}")).status == 400
    asking = [json, ("authorization", "Bearer x"), ("authorization", "Bearer x")]
    assert (await send_from(app, "127.0.0.1", "twice", asking, content=b"{}")).status == 400


async def test_a_full_queue_turns_away_what_it_can_not_keep(app: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """When nothing more can be written, good requests are told to come again, and bad ones are still refused."""
    await noting(app, "full", signature=GITHUB)
    await noting(app, "full-sync", responseMode="sync")
    monkeypatch.setattr("bpm.store.writer.MAX_WAITING_UNITS", 0)
    for key, headers, status in (("full", signed(b"{}"), 503), ("full-sync", JSON, 503), ("full", JSON, 401)):
        answer = await app.hook(key, b"{}", headers)
        assert answer.status == status
        assert ("retry-after" in answer.headers) == (status == 503)
    monkeypatch.undo()
    assert await stored(app, "full") == await stored(app, "full-sync") == []
    assert await runs(app, "full-sync") == 0


async def test_only_so_many_refusals_of_one_source_are_kept(app: RunningApp) -> None:
    """What one address sends amiss is answered every time, but kept only until its share is full."""
    await noting(app, "share", signature=GITHUB)
    answers = [await send_from(app, "192.0.2.250", "share", content=b"{}") for _ in range(quota.PER_SOURCE + 5)]
    assert {answer.status for answer in answers} == {401}
    assert len(await rows(app, config_key="share")) == quota.PER_SOURCE
    assert (await send_from(app, "192.0.2.251", "share", content=b"{}")).status == 401
    assert len(await rows(app, config_key="share")) == quota.PER_SOURCE + 1


async def test_a_secret_in_a_header_is_never_stored(app: RunningApp) -> None:
    """The header of a static scheme is left out of what is stored, whether it was right or wrong."""
    scheme = {"scheme": "custom", "type": "static", "encoding": "text", "header": "X-Our-Secret", "secret": "canary-1"}
    await noting(app, "static", signature=scheme)
    secrets = {"authorization": "Basic canary", "cookie": "canary"}
    for given in ("canary-1", "canary-2"):
        await app.hook("static", {"a": 1}, {**secrets, "x-our-secret": given, "x-other": "kept"})
    kept = await rows(app, config_key="static")
    assert [row.cause for row in kept] == [None, "signature"]
    assert all(row.headers["x-other"] == "kept" for row in kept)
    assert "canary" not in str(kept)
