"""Headers of prescribed answers: templates, bounded, and never those that are the server's or a browser keeps."""

from typing import Any

import pytest

from bpm.testing import RunningApp
from router.handshakes import HandshakeConfig, handshake
from tests.router.conftest import noting

pytestmark = pytest.mark.anyio

LONG = {f"X-{number}": "x" * 1_000 for number in range(8)}
MANY = {f"X-{number}": "x" for number in range(51)}
FORBIDDEN: list[tuple[dict[str, str], str]] = [
    ({"Set-Cookie": "a=b"}, "Set-Cookie"),
    ({"Content-Length": "7"}, "content-length"),
    ({"transfer-encoding": "chunked"}, "transfer-encoding"),
    ({"Content-Security-Policy": "default-src *"}, "content-security-policy"),
    ({"X-Request-Id": "mine"}, "x-request-id"),
    ({"Content-Type": "text/html"}, "contentType"),
    ({"NEL": "{{payload.id}}"}, "NEL"),
    ({"X-Id": "one\r\nSet-Cookie: a=b"}, "not valid"),
    ({"X Id": "1"}, "not valid"),
    ({"": "1"}, "not valid"),
    ({"X-Id": "1", "x-id": "2"}, "x-id once"),
    ({"X-Id": "{{payload.}}"}, "X-Id".lower()),
    (LONG, "characters of headers"),
    (MANY, "50 headers"),
]


async def test_an_answer_has_its_headers(app: RunningApp) -> None:
    """Values are templates: a number is written, and what is missing leaves its header out."""
    headers = {"X-Ref": "ref-{{payload.id}}", "X-Count": "{{payload.count}}", "X-Gone": "{{payload.gone}}"}
    await noting(app, "headers", response={"status": 201, "headers": headers, "body": "Ok"})
    answer = await app.hook("headers", {"id": 7, "count": 10})
    assert (answer.status, answer.body) == (201, "Ok")
    assert (answer.headers["x-ref"], answer.headers["x-count"]) == ("ref-7", "10")
    assert "x-gone" not in answer.headers


async def test_a_repetition_gets_them_again(app: RunningApp) -> None:
    """The first answer is kept whole, with headers that belong to the first request."""
    fields = {"deduplication": "body:id", "response": {"headers": {"X-First": "{{request.id}}"}, "body": "Ok"}}
    await noting(app, "headers-again", **fields)
    first, again = [(await app.hook("headers-again", {"id": 1})).headers for _ in range(2)]
    assert first["x-first"] == again["x-first"] == first["x-request-id"]


async def test_a_sync_answer_sees_the_result(app: RunningApp) -> None:
    """As the body does."""
    response = {"headers": {"X-Result": "{{result.reply}}"}, "body": "{{result}}"}
    await noting(app, "headers-sync", responseMode="sync", response=response)
    answer = await app.hook("headers-sync", {})
    assert answer.headers["x-result"] == answer.body["reply"] == "headers-sync"


@pytest.mark.parametrize(("headers", "word"), FORBIDDEN)
@pytest.mark.parametrize("place", ["response", "handshake"])
async def test_what_no_answer_may_have_is_refused_when_saved(
    app: RunningApp, place: str, headers: dict[str, str], word: str
) -> None:
    """The sentence says which header and why."""
    echo = {"kind": "echo", "when": "true"} if place == "handshake" else {}
    fields: dict[str, Any] = {place: {**echo, "headers": headers, "body": "Ok"}}
    answer = await app.send(
        "CreateWebHookConfigCommand",
        {
            "key": "never",
            "description": "d",
            "isEnabled": True,
            "path": "never",
            "action": "POST",
            "executionType": 0,
            "commandName": "PingQuery",
            **fields,
        },
    )
    assert answer.status == 422
    assert any(word in sentence and place in sentence for sentence in answer.errors), answer.errors


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b=c", "\0", ["a"], {"a": 1}, "x" * 4_001])
async def test_a_request_can_put_nothing_else_into_them(app: RunningApp, value: Any) -> None:
    """What no header can hold leaves the whole prescribed answer out: the request was taken in all the same."""
    key = "headers-injected"
    rule = await noting(app, key, response={"headers": {"X-Id": "{{payload.id}}"}, "body": "Ok"})
    try:
        answer = await app.hook(key, {"id": value})
        assert (answer.status, answer.body["message"]) == (200, "Accepted")
        assert {"x-id", "set-cookie"}.isdisjoint(answer.headers)
    finally:
        await app.cmd("DeleteWebHookConfigCommand", id=rule["id"])


async def test_a_page_stays_isolated(app: RunningApp) -> None:
    """A rule's headers lift no policy."""
    await noting(app, "headers-page", response={"contentType": "text/html", "headers": {"X-A": "1"}, "body": "<p>"})
    assert (await app.hook("headers-page", {})).headers["content-security-policy"] == "sandbox"


def test_a_question_that_makes_no_header_is_none() -> None:
    """A handshake whose header could not be sent is not answered."""
    fields = {"kind": "echo", "when": "true", "body": "", "headers": {"X-Secret": "{{headers.x}}"}}
    config = HandshakeConfig.model_validate(fields)
    assert handshake(config, "POST", {}, {"x": "a\nb"}, b"") is None
    found = handshake(config, "POST", {}, {"x": "ab"}, b"")
    assert found is not None
    assert ("x-secret", "ab") in found.headers
