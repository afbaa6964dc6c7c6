"""The addresses below `/api/webhooks/`: odd paths, questions of providers, bodies that come slowly or not at all."""

import asyncio
from itertools import product
from typing import Any

import pytest

from bpm.testing import RunningApp, ServerProcess
from tests.connections import listening
from tests.router.conftest import noting, rows, runs, send_from, stored, until

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def values(app: RunningApp) -> None:
    """A rule with a parameter that answers with its value."""
    fields = {"responseMode": "sync", "response": {"body": "{{path.value}}"}, "parameters": {"event": "value"}}
    await noting(app, "values", path="values/{value}/x", **fields)


@pytest.mark.usefixtures("values")
@pytest.mark.parametrize(
    ("address", "status", "value"),
    [
        ("webhooks/values/1/x", 200, "1"),
        ("webhook/values/1/x", 200, "1"),
        ("webhooks/values/1/x/", 200, "1"),
        ("webhooks/%76alues/1/%78", 200, "1"),
        ("webhooks/values/INV%2F2026%2f7/x", 200, "INV/2026/7"),
        ("webhooks/values/100%25/x", 200, "100%"),
        ("webhooks/values/%252F/x", 200, "%2F"),
        ("webhooks/values/a%20b+c/x", 200, "a b+c"),
        ("webhooks/values/caf%C3%A9/x", 200, "café"),
        ("webhooks/values/%F0%9F%8E%89/x", 200, "🎉"),
        ("webhooks/values/%FF/x", 200, "\ufffd"),
        ("webhooks/values/%00/x", 200, "\0"),
        ("webhooks/values/%2e%2e/x", 200, ".."),
        ("webhooks/values/{value}/x", 200, "{value}"),
        ("webhooks/values/a;b=1,2:3@4/x", 200, "a;b=1,2:3@4"),
        (f"webhooks/values/{'y' * 5_000}/x", 200, "y" * 5_000),
        ("webhooks/values//x", 404, None),
        ("webhooks//values/1/x", 404, None),
        ("webhooks/values/1%2Fx", 404, None),
        ("webhooks%2Fvalues/1/x", 404, None),
        ("webhooks//api/webhook/values/1/x", 404, None),
        ("webhooks/values/1/X", 404, None),
        ("webhooks/", 404, None),
        ("webhooks/%E2%82", 404, None),
        (f"webhooks/{'z/' * 5_000}", 404, None),
    ],
)
async def test_an_address_is_read_as_it_was_meant(
    app: RunningApp, address: str, status: int, value: str | None
) -> None:
    """Percent-encoding is undone inside a segment and makes no new one; what is not there is 404."""
    answer = await app.request("POST", f"/api/{address}", b"1", {"content-type": "text/plain"})
    assert answer.status == status
    if value is not None:
        assert answer.body == value


async def raw(server: ServerProcess, *requests: bytes) -> bytes:
    """Write requests to a socket in one go and return everything that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"".join(requests))
    await writer.drain()
    async with asyncio.timeout(30):
        answer = await reader.read()
    writer.close()
    return answer


def post(path: str, body: bytes = b"{}", *headers: bytes) -> bytes:
    length = b"content-length: %d" % len(body)
    lines = [b"POST /api/webhooks/" + path.encode() + b" HTTP/1.1", b"host: x", b"content-type: application/json"]
    return b"\r\n".join([*lines, length, *headers, b"", b""]) + body


async def test_pipelined_requests_are_answered_in_order(server: ServerProcess) -> None:
    """Requests sent without waiting for answers get them in order, and each is executed."""
    await noting(server, "piped", responseMode="sync", parameters={"event": "piped", "text": "{{payload.n}}!"})
    requests = [post("piped", b'{"n":%d}' % n) for n in range(4)]
    answer = await raw(server, *requests, post("piped", b'{"n":4}', b"connection: close"))
    assert answer.count(b"HTTP/1.1 200 OK") == 5
    assert [answer.index(b'"%d!"' % n) for n in range(5)] == sorted(answer.index(b'"%d!"' % n) for n in range(5))
    assert await runs(server, "piped") == 5


BAD_HTTP = {
    "raw UTF-8 in the path": (b"POST /api/webhooks/caf\xc3\xa9 HTTP/1.1\r\nhost: x\r\n\r\n", 400),
    "unknown method": (b"BREW /api/webhooks/x HTTP/1.1\r\nhost: x\r\n\r\n", 400),
    "two lengths": (post("x", b"{}", b"content-length: 3"), 400),
    "endless length": (
        b"POST /api/webhooks/x HTTP/1.1\r\nhost: x\r\ncontent-length: " + b"9" * 5_000 + b"\r\n\r\n",
        400,
    ),
    "negative length": (b"POST /api/webhooks/x HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400),
    "bad chunk": (b"POST /api/webhooks/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400),
    "long path": (post("a" * 60_000, b"{}", b"connection: close"), 404),
    "many headers": (post("x", b"{}", b"connection: close", *[b"x-more: 2"] * 500), 404),
}


@pytest.mark.parametrize("kind", BAD_HTTP)
async def test_bad_http_is_refused(server: ServerProcess, kind: str) -> None:
    """What is no sound HTTP, or sound but monstrous, is refused with a 4xx, and the server goes on."""
    request_text, status = BAD_HTTP[kind]
    answer = await raw(server, request_text)
    assert int(answer.split(b" ", 2)[1]) == status
    assert (await server.request("GET", "/livez")).status == 200


async def test_a_forged_forwarded_address_changes_nothing(server: ServerProcess) -> None:
    """Over a real socket, too, a client's own word about its address is not believed."""
    await noting(server, "forged", allowableIPs="10.1.2.3")
    forged = {"x-forwarded-for": "10.1.2.3", "forwarded": "for=10.1.2.3", "x-real-ip": "10.1.2.3"}
    assert (await server.hook("forged", {}, forged)).status == 403
    assert [request["address"] for request in await stored(server, "forged")] == ["127.0.0.1"]


async def test_a_client_that_goes_away_leaves_nothing(server: ServerProcess) -> None:
    """A connection that ends in the middle of a body is no request, and holds nothing up."""
    await noting(server, "halfway")
    for beginning in (post("halfway", b'{"n": 1}')[:-3], post("halfway", b"{}")[:-2]):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(beginning)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
    assert (await server.hook("halfway", {})).status == 200
    await until(server, "halfway", "done")


async def test_a_body_that_does_not_come_is_given_up(app: RunningApp) -> None:
    """408 with a clear sentence for a body that is not whole in time, whether the address is known or not."""
    await noting(app, "slow")
    async with listening(app.app, body_seconds=0.05) as port:
        for path, beginning in product(("slow", "slow-unknown"), (b"", b"{")):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(post(path, beginning + b"12345")[:-5])
            answer = await asyncio.wait_for(reader.readuntil(b"]}"), 60)
            writer.close()
            assert answer.startswith(b"HTTP/1.1 408")
            assert b"did not arrive within 0.05 seconds" in answer
            assert b"connection: close" in answer
    assert await stored(app, "slow") == []


async def test_a_query_of_thousands_of_fields_is_refused(app: RunningApp) -> None:
    """Too many fields are 400 with the limit, kept with their cause, also where a handshake looks at them first."""
    await noting(app, "fields")
    await noting(app, "fields-greeting", handshake={"kind": "meta", "verifyToken": "t"})
    for key in ("fields", "fields-greeting"):
        answer = await app.hook(f"{key}?{'a&' * 5_000}", {})
        assert (answer.status, answer.errors) == (400, ["the query has more than 1000 fields"])
        assert [request["verdict"] for request in await stored(app, key)] == ["malformed"]


META = {"kind": "meta", "verifyToken": "t0ken"}
QUESTION = "?hub.mode=subscribe&hub.verify_token={}&hub.challenge=1158201444"
SLACK = {"type": "url_verification", "token": "x", "challenge": "3eZbrw1aB"}


@pytest.mark.parametrize(
    ("handshake", "method", "query", "body", "headers", "expected"),
    [
        (META, "GET", QUESTION.format("t0ken"), None, {}, (200, "1158201444")),
        (META, "GET", QUESTION.format("wrong"), None, {}, (403, "The verify token is not the configured one")),
        ({"kind": "slack"}, "POST", "", SLACK, {}, (200, "3eZbrw1aB")),
        ({"kind": "cloudevents"}, "OPTIONS", "", None, {"webhook-request-origin": "shop.example"}, (200, "")),
        ({"kind": "echo", "when": "payload.kind == 'hello'", "body": "{{payload.nonce}}"}, "POST", "",
         {"kind": "hello", "nonce": "n-1"}, {}, (200, "n-1")),
    ],
    ids=["meta", "meta wrong", "slack", "cloudevents", "echo"],
)  # fmt: skip
async def test_a_providers_question_is_answered(
    app: RunningApp, handshake: Any, method: str, query: str, body: Any, headers: Any, expected: Any
) -> None:
    """The question is answered before any rule runs, unsigned and unstored; every other request is judged as ever."""
    signature = {"scheme": "bearer", "secret": "s3cret-of-eight"}
    rule = await noting(app, "questioned", handshake=handshake, signature=signature)
    try:
        answer = await app.request(method, f"/api/webhooks/questioned{query}", body, headers)
        assert (answer.status, answer.body) == expected
        assert await rows(app, config_id=rule["id"]) == []
        assert (await app.hook("questioned", {"type": "event"})).status == 401
        proof = {"authorization": "Bearer s3cret-of-eight"}
        assert (await app.hook("questioned", {"type": "event"}, proof)).status == 200
        assert (await app.request("PUT", "/api/webhooks/questioned", {})).headers["allow"] == "POST"
        assert (await app.hook("questioned", b"x" * 2_000_000)).status == 413
        causes = [row.cause for row in await rows(app, config_id=rule["id"])]
        assert causes == ["signature", None, "method", "size"]
        await app.cmd("DeactivateWebHookConfigCommand", id=rule["id"])
        assert (await app.request(method, f"/api/webhooks/questioned{query}", body, headers)).status == 404
    finally:
        await app.cmd("DeleteWebHookConfigCommand", id=rule["id"])


async def test_questions_are_heard_beside_another_rule(app: RunningApp) -> None:
    """The rule that answers a question need not be the one for the question's method."""
    await noting(app, "beside-get", path="beside", action="GET")
    await noting(app, "beside-post", path="beside", handshake=META)
    answer = await app.request("GET", f"/api/webhooks/beside{QUESTION.format('t0ken')}")
    assert (answer.status, answer.body) == (200, "1158201444")
    assert (await app.request("GET", "/api/webhooks/beside")).message == "Accepted"


async def test_a_question_from_a_forbidden_address_is_refused(app: RunningApp) -> None:
    """A handshake is not for those whose requests are not allowed either."""
    await noting(app, "asked-from", handshake=META, allowableIPs="10.1.2.3")
    for peer, status in (("10.1.2.3", 200), ("10.1.2.4", 405)):
        assert (await send_from(app, peer, "asked-from" + QUESTION.format("t0ken"), method="GET")).status == status


async def test_a_server_that_stops_says_so(app: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the server drains, requests are sent elsewhere with 503 and `Retry-After`, and none is half accepted."""
    await noting(app, "draining")
    monkeypatch.setattr(app.app.lifecycle, "_draining", True)
    answer = await app.hook("draining", {})
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert await rows(app, config_key="draining") == []
