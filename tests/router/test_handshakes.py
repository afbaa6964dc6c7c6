"""Handshakes: each provider's question gets its answer, and nothing else does."""

import base64
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bpm.edge.answer import Answer
from bpm.security.references import References
from bpm.settings import ReferenceSettings
from router.handshakes import HandshakeConfig, handshake

META = HandshakeConfig(kind="meta", verify_token="token")
SLACK = HandshakeConfig(kind="slack")
CLOUDEVENTS = HandshakeConfig(kind="cloudevents")
ECHO = HandshakeConfig.model_validate(
    {
        "kind": "echo",
        "when": "payload.type == 'ping' or query.challenge != null",
        "body": {"pong": "{{payload.data ?? query.challenge}}"},
        "contentType": "application/json",
    }
)


def ask(
    config: HandshakeConfig, method: str = "GET", query: Any = None, headers: Any = None, body: bytes = b""
) -> Answer | None:
    """The answer to a request, to a rule of the installation."""
    resolve = References(ReferenceSettings()).resolver(1)
    return handshake(config, method, query or {}, headers or {}, body, resolve)


def answered(
    config: HandshakeConfig, method: str = "GET", query: Any = None, headers: Any = None, body: bytes = b""
) -> Answer:
    """The answer to a request that is a question of its kind."""
    answer = ask(config, method, query, headers, body)
    assert answer is not None
    return answer


def meta_query(**changes: str) -> dict[str, str]:
    """Meta's query, changed."""
    query = {"hub.mode": "subscribe", "hub.verify_token": "token", "hub.challenge": "1158201444"}
    return {**query, **{name.replace("_", ".", 1): value for name, value in changes.items()}}


def test_meta_gets_its_challenge() -> None:
    """Meta's challenge comes back as plain text, for the right token only."""
    answer = answered(META, query=meta_query())
    assert (answer.status, answer.body, answer.content_type) == (200, b"1158201444", "text/plain; charset=utf-8")
    for wrong in ("tokem", "", "tokentoken"):
        assert answered(META, query=meta_query(hub_verify_token=wrong)).status == 403


def test_meta_token_may_be_a_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verify token may be a reference; one that leads nowhere refuses."""
    monkeypatch.setenv("META_TOKEN", "token")
    assert answered(HandshakeConfig(kind="meta", verify_token="env:META_TOKEN"), query=meta_query()).status == 200
    assert answered(HandshakeConfig(kind="meta", verify_token="env:ABSENT"), query=meta_query()).status == 403


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("POST", meta_query()),
        ("GET", {}),
        ("GET", meta_query(hub_mode="unsubscribe")),
        ("GET", {"hub.mode": "subscribe", "hub.verify_token": "token"}),
        ("GET", meta_query(hub_challenge="x" * 5000)),
    ],
)
def test_meta_other_requests_go_on(method: str, query: Any) -> None:
    """A request that is not Meta's question is no handshake."""
    assert ask(META, method, query) is None


def test_slack_gets_its_challenge() -> None:
    """Slack's challenge comes back as plain text that no browser takes for a page."""
    body = json.dumps({"type": "url_verification", "challenge": "<b>3eZbrw</b>", "token": "t"}).encode()
    answer = answered(SLACK, "POST", body=body)
    assert (answer.status, answer.body) == (200, b"<b>3eZbrw</b>")
    assert ("x-content-type-options", "nosniff") in answer.headers
    assert answered(HandshakeConfig(kind="slack", verify_token="t"), "POST", body=body).status == 200
    assert answered(HandshakeConfig(kind="slack", verify_token="u"), "POST", body=body).status == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"url_verification",
        b'"url_verification"',
        b'{"type":"event_callback","text":"url_verification"}',
        b'{"type":"url_verification"}',
        b'{"type":"url_verification","challenge":7}',
        b'{"type":"url_verification","challenge":"a","challenge":"b"}',
    ],
)
def test_slack_other_requests_go_on(body: bytes) -> None:
    """A request that is not Slack's question is no handshake."""
    assert ask(SLACK, "POST", body=body) is None


def test_cloudevents_grants_permission() -> None:
    """An OPTIONS request with an origin is granted, at the configured rate and for the allowed origins."""
    headers = {"webhook-request-origin": "eventemitter.example.com", "webhook-request-rate": "120"}
    granted = dict(answered(CLOUDEVENTS, "OPTIONS", headers=headers).headers)
    assert granted == {"allow": "POST", "webhook-allowed-origin": "*", "webhook-allowed-rate": "*"}
    strict = HandshakeConfig(kind="cloudevents", allowed_origins=["eventemitter.example.com"], allowed_rate=60)
    granted = dict(answered(strict, "OPTIONS", headers=headers).headers)
    assert granted["webhook-allowed-origin"] == "eventemitter.example.com"
    assert granted["webhook-allowed-rate"] == "60"
    assert answered(strict, "OPTIONS", headers={"webhook-request-origin": "other.example.com"}).status == 403
    assert ask(CLOUDEVENTS, "OPTIONS") is None
    assert ask(CLOUDEVENTS, "POST", headers=headers) is None


def test_echo_answers_by_template() -> None:
    """An echo answers by its template when its condition holds, and only then."""
    answer = answered(ECHO, "POST", body=b'{"type":"ping","data":[1]}')
    assert (answer.status, json.loads(answer.body)) == (200, {"pong": [1]})
    assert answer.content_type.startswith("application/json")
    assert json.loads(answered(ECHO, query={"challenge": "c"}).body) == {"pong": "c"}
    assert ask(ECHO, "POST", body=b'{"type":"other"}') is None
    assert ask(ECHO, "POST", body=b"not json") is None


def test_echo_of_text() -> None:
    """A template that gives text is sent as it is."""
    config = HandshakeConfig(kind="echo", when="method == 'GET'", body="{{query.c}}")
    assert answered(config, query={"c": "é"}).body == "é".encode()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "meta"}, "verifyToken is required"),
        ({"kind": "echo", "when": "true"}, "when and body are required"),
        ({"kind": "echo", "body": "x"}, "when and body are required"),
        ({"kind": "echo", "when": "query.", "body": "x"}, "expected a name"),
        ({"kind": "echo", "when": "true", "body": "{{x"}, "is not closed"),
        ({"kind": "echo", "when": "true", "body": "x", "contentType": "text/html"}, "text/plain"),
        ({"kind": "other"}, "meta"),
    ],
)
def test_incomplete_configuration_is_refused(fields: dict[str, Any], sentence: str) -> None:
    """A handshake that lacks something is refused with a sentence."""
    with pytest.raises(ValidationError) as caught:
        HandshakeConfig.model_validate(fields)
    assert sentence in str(caught.value)


@given(
    config=st.sampled_from([META, SLACK, CLOUDEVENTS, ECHO]),
    method=st.sampled_from(["GET", "POST", "OPTIONS"]),
    query=st.dictionaries(st.sampled_from(["hub.mode", "hub.challenge", "hub.verify_token", "challenge"]), st.text()),
    origin=st.text(),
    body=st.binary() | st.text().map(lambda text: json.dumps({"type": "url_verification", "challenge": text}).encode()),
)
def test_any_request_is_survived(config: HandshakeConfig, method: str, query: Any, origin: Any, body: bytes) -> None:
    """Whatever is asked, the answer is a short yes or no to a question of that kind, or the request goes on."""
    answer = ask(config, method, query, {"webhook-request-origin": origin}, body)
    if answer is None:
        return
    assert answer.status in (200, 403)
    assert isinstance(answer.body, bytes)
    if answer.status == 200 and config is META:
        assert (method, answer.body.decode()) == ("GET", query["hub.challenge"])
    if config is CLOUDEVENTS:
        assert method == "OPTIONS"
    if config is SLACK:
        assert json.loads(body)["challenge"] in answer.body.decode()


ZOOM = HandshakeConfig.model_validate(
    {
        "kind": "crc",
        "when": 'payload.event == "endpoint.url_validation"',
        "challenge": "{{payload.payload.plainToken}}",
        "secret": "a-secret-of-the-tests",
        "body": {"plainToken": "{{payload.payload.plainToken}}", "encryptedToken": "{{digest}}"},
        "contentType": "application/json",
    }
)


def test_a_challenge_is_signed() -> None:
    """Zoom's validation, as it documents it; in base64 for X."""
    question = {"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}}
    answer = answered(ZOOM, "POST", body=json.dumps(question).encode())
    proof = hmac.digest(b"a-secret-of-the-tests", b"qgg8vlvZRS6UYooatFL8Aw", "sha256")
    assert json.loads(answer.body) == {"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": proof.hex()}
    x = ZOOM.model_copy(
        update={"when": "query.crc_token != null", "challenge": "{{query.crc_token}}", "encoding": "base64"}
    )
    x = HandshakeConfig.model_validate({**x.model_dump(by_alias=True), "body": {"response_token": "sha256={{digest}}"}})
    right = base64.b64encode(hmac.digest(b"a-secret-of-the-tests", b"abc=", "sha256")).decode()
    assert json.loads(answered(x, query={"crc_token": "abc="}).body) == {"response_token": f"sha256={right}"}


@pytest.mark.parametrize(
    "token", ['{"event":"x"}', "v0:1700000000:{}", "a.b", "a b", "", "é", "a" * 300, "a=b", 7, None]
)
def test_nothing_that_could_be_a_request_is_signed(token: str | int | None) -> None:
    """Whoever asks gets no signature of a body of their own."""
    question = {"event": "endpoint.url_validation", "payload": {"plainToken": token}}
    assert ask(ZOOM, "POST", body=json.dumps(question).encode()) is None


@pytest.mark.parametrize("missing", ["secret", "challenge", "when", "body"])
def test_a_crc_is_whole(missing: str) -> None:
    """Each of its fields is needed, and the secret only there."""
    fields = {**ZOOM.model_dump(by_alias=True), missing: None}
    with pytest.raises(ValidationError, match="required with the handshake crc"):
        HandshakeConfig.model_validate(fields)
    with pytest.raises(ValidationError, match="only there"):
        HandshakeConfig(kind="slack", secret="a-secret-of-the-tests", challenge="x")
