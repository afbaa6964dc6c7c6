"""What is signed besides the body: listed headers, the address alone, its digest in a token, JSON inside of a form."""

import hashlib
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwk, jws
from pydantic import ValidationError

from bpm.signatures import DETAILS, RequestAddress
from router.deduplication import locator_of
from tests.attacks.test_signature_schemes import BODY, HERE, NOW, custom, digest, judged

FORM = {"content-type": "application/x-www-form-urlencoded"}
LIST = "x-a,x-list,x-time"


def by_list(**fields: Any) -> Any:
    content = {"signedContent": "{method}\n{path}\n{headers:x-list}\n{body}"}
    return custom(header="X-Sign", timestampHeader="X-Time", **(content | fields))


def listed(lines: str, **headers: str) -> dict[str, str]:
    signed = digest(f"POST\n{HERE.path}\n{lines}\n".encode() + BODY).hex()
    return {"X-List": LIST, "X-Time": str(NOW), "X-A": "1", "X-Sign": signed} | headers


def test_the_headers_that_a_header_lists() -> None:
    """Sorted by name, in whatever order and case they are listed; each of them is signed."""
    right = listed(f"x-a:1;x-list:{LIST};x-time:{NOW}")
    assert judged(by_list(), right).ok
    turned = "X-Time, x-list,X-A"
    assert judged(by_list(), listed(f"x-a:1;x-list:{turned};x-time:{NOW}", **{"X-List": turned})).ok
    for changed in ({"X-A": "2"}, {"X-Time": str(NOW + 1)}, {"X-List": "x-a,x-time"}):
        assert not judged(by_list(), right | changed).ok
    assert not judged(by_list(), right, BODY + b" ").ok


def test_a_list_of_headers_can_be_read_in_one_way_only() -> None:
    """No value holds the separator, none is missing or listed twice, and the time is always among them."""
    sliding = listed(f"x-a:1;x-b:2;x-list:x-a,x-list,x-time;x-time:{NOW}", **{"X-A": "1;x-b:2"})
    assert "separates" in judged(by_list(), sliding).cause
    unlisted = listed("x-a:1;x-list:x-a,x-list", **{"X-List": "x-a,x-list"})
    assert "x-time among them" in judged(by_list(), unlisted).cause
    twice = listed("x-a:1", **{"X-List": "x-a,x-time,x-a"})
    assert "different headers" in judged(by_list(), twice).cause
    many = listed("x-a:1", **{"X-List": "x-time," + ",".join(f"x-{number}" for number in range(60))})
    assert "at most 50" in judged(by_list(), many).cause
    absent = listed("x-a:1", **{"X-List": "x-a,x-nothing,x-time"})
    assert "x-nothing" in judged(by_list(), absent).cause
    without = {name: value for name, value in listed("").items() if name != "X-List"}
    assert "x-list is missing" in judged(by_list(), without).cause
    with pytest.raises(ValidationError, match="separator"):
        by_list(signedContent="{headers:x-list}{body}")


def test_only_the_address_is_signed() -> None:
    """As of a request by GET: with a body, of which nothing is signed, it is refused."""
    config = custom(header="X-Sign", signedContent="{method}{url}")
    address = RequestAddress("GET", "/api/webhooks/p", "a=1&b=%20", "https://hooks.example.com")
    headers = {"X-Sign": digest("GEThttps://hooks.example.com/api/webhooks/p?a=1&b=%20").hex()}
    assert judged(config, headers, b"", address).ok
    assert not judged(config, headers, b"", address._replace(query="a=2&b=%20")).ok
    assert "may have no body" in judged(config, headers, b"{}", address).cause
    assert not list(config.warnings())
    with pytest.raises(ValidationError, match=r"of requests without a body \{url\} or \{query\}"):
        custom(header="X-Sign", signedContent="{method}{path}")


def test_a_body_behind_a_separator_may_begin_as_it_likes() -> None:
    """What an address can't hold tells where it ends, unless it stands in a group that may be left out."""
    body = b"a=1"
    config = custom(header="X-Sign", signedContent="{path}|{query}|{body}")
    assert judged(config, {"X-Sign": digest(b"/api/webhooks/p||a=1").hex()}, body).ok
    for content, signed in (
        ("{path}|{query}{body}", b"/api/webhooks/p|a=1"),
        ("{url}{?|{header.x-no}.?}{body}", b"https://hooks.example.com/api/webhooks/pa=1"),
        ("{url}.{body}", b"https://hooks.example.com/api/webhooks/p.a=1"),
    ):
        config = custom(header="X-Sign", signedContent=content)
        assert "at its border" in judged(config, {"X-Sign": digest(signed).hex()}, body).cause


def token(**claims: Any) -> dict[str, str]:
    text = jws.serialize_compact(
        {"alg": "HS256"},
        json.dumps({"iss": "MessageBird", "nbf": NOW, "exp": NOW + 60, **claims}),
        jwk.OctKey.import_key("k" * 32),
        algorithms=["HS256"],
    )
    return {"X-Token": text}


def sha256(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def test_a_token_about_an_address_and_a_body() -> None:
    """Both digests count; without a body there is none of it."""
    config = custom(
        type="jwt", header="X-Token", algorithms=["HS256"], bodyClaim="body", urlClaim="url", secret="k" * 32
    )
    url = "https://hooks.example.com/api/webhooks/p"
    assert judged(config, token(url=sha256(url), body=sha256(BODY))).ok
    assert judged(config, token(url=sha256(url)), b"").ok
    assert judged(config, token(url=sha256(url)), BODY).cause == "the body is not the one of the token's claim body"
    assert "claim body" in judged(config, token(url=sha256(url), body=sha256(BODY)), b"").cause
    for wrong in ({"url": sha256(url + "?a=1")}, {}, {"url": 5}):
        found = judged(config, token(**wrong, body=sha256(BODY)))
        assert found.cause == "the address is not the one of the token's claim url"


def test_a_signature_in_the_json_of_a_forms_field() -> None:
    """The path goes on behind the field's name; a field that is called like the whole path makes it two."""
    config = custom(signatureIn="body:json.event.hash", signedContent="{body:json.event.type}")
    inner = json.dumps({"event": {"type": "sent", "hash": digest("sent").hex()}})
    right = urlencode({"json": inner})
    assert judged(config, FORM, right.encode()).ok
    multipart = f'--b\r\nContent-Disposition: form-data; name="json"\r\n\r\n{inner}\r\n--b--\r\n'.encode()
    assert judged(config, {"content-type": "multipart/form-data; boundary=b"}, multipart).ok
    forged = urlencode({"json": '{"event":{"type":"paid"}}', "json.event.type": "sent"})
    both = f"{forged}&{urlencode({'json.event.hash': digest('sent').hex()})}"
    assert "more than once" in judged(config, FORM, both.encode()).cause
    assert "more than once" in judged(config, FORM, f"{right}&{right}".encode()).cause
    for broken in ("json=%7B", "json=5", "json=", "json=%7B%22event%22%3A%5B%5D%7D", "a=1"):
        assert "missing or empty" in judged(config, FORM, broken.encode()).cause


def test_an_id_in_the_json_of_a_forms_field() -> None:
    """Repetitions are known by it; what is no JSON has none."""
    find = locator_of(["body:json.event.id"])
    assert find is not None
    assert find({}, {}, lambda: {"json": '{"event":{"id":"7"}}'}) == "7"
    for nothing in ("{", '"7"', "[1]", "\ud800", ""):
        assert find({}, {}, lambda nothing=nothing: {"json": nothing}) is None


@pytest.mark.parametrize("name", sorted(DETAILS))
def test_what_a_preset_shows_can_be_written_into_a_rule(name: str) -> None:
    """Its handshake and its answer have the names of the wire, where others are refused."""
    for shown in (DETAILS[name].handshake, DETAILS[name].response):
        assert not [field for field in shown or {} if "_" in field]
