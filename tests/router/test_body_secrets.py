"""Secrets in bodies are found by the names of their fields, written over, and put together again."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpm.security.secrets import SecretBox
from router.body_secrets import MAX_LOOKED_THROUGH, mask, secret_spans
from router.mapping import decode_body
from router.request import InboundCall
from router.request_seal import RequestSeal
from router.request_secrets import ALWAYS, RequestSecrets

JSON, FORM, XML = "application/json", "application/x-www-form-urlencoded", "application/soap+xml"
SEAL = RequestSeal(SecretBox(b"k" * 32))


@pytest.mark.parametrize(
    ("kind", "body", "stored"),
    [
        (JSON, b'{"a": "x", "password": "x\\"y z"}', b'{"a": "x", "password": "******"}'),
        (JSON, b'{"api_key":{"k":["v",1]},"b":"c"}', b'{"api_key":{"*":["*",*]},"b":"c"}'),
        (JSON, b'[{"pin":1234,"token":null,"tokenType":"t"}]', b'[{"pin":****,"token":null,"tokenType":"t"}]'),
        (JSON, b'{"p\\u0061ssword":"x"}', b'{"p\\u0061ssword":"*"}'),
        (JSON, b'{"bvn":"22212345678"}', b'{"bvn":"22212345678"}'),
        (FORM, b"a=1&pass%77ord=a%20b&x=2", b"a=1&pass%77ord=*****&x=2"),
        (XML, b'<a><w:Password T="x">pw</w:Password></a>', b'<a><w:Password T="x">**</w:Password></a>'),
        (XML, b'<a><b token="t" id="1"/></a>', b'<a><b token="*" id="1"/></a>'),
        (XML, b"<r><PIN>1234</PIN><pinCount>1</pinCount></r>", b"<r><PIN>****</PIN><pinCount>1</pinCount></r>"),
        (XML, b"<r><secret><![CDATA[a<b]]></secret></r>", b"<r><secret><![CDATA[***]]></secret></r>"),
        (XML, b"<r><secret><!-- x --><v>a</v>b</secret>c</r>", b"<r><secret><!-- x --><v>*</v>*</secret>c</r>"),
        (XML, b"<r><secret>a</r><b>c</b>", b"<r><secret>*</r><b>c</b>"),
        (
            XML,
            b'<f name="password">pw</f><f id="pwd" value=\'v\'/>',
            b'<f name="password">**</f><f id="pwd" value=\'*\'/>',
        ),
        (XML, b"\xef\xbb\xbf<token>" + b"x" * 9_000, b"\xef\xbb\xbf<token>" + b"*" * 9_000),
        ("text/plain", b'{"secret":"x"}', b'{"secret":"*"}'),
        ("text/plain", b"a=1&password=x", b"*" * 14),
        ("multipart/related", b'--b\r\nname="pin"\r\n\r\n1', b"*" * 20),
        ("text/xml; charset=utf-16", "<token>x</token>".encode("utf-16"), b"*" * 34),
        (f"{JSON}; charset=utf-16", '{"token":"x"}'.encode("utf-16"), b"*" * 28),
        (f"{JSON}; charset=cp932", b'{"a":"\x83\x5c","token":"x"}', b"*" * 22),
        (f"{JSON}; charset=cp932", b'{"a":"\x83\x5c"}', b'{"a":"\x83\x5c"}'),
        (f"{FORM}; charset=utf-16", "token=x".encode("utf-16"), b"*" * 16),
        ("text/plain; charset=cp932", b'{"a":"\x83\x5c","token":"x"}', b"*" * 22),
        ("text/plain", b"nothing to hide", b"nothing to hide"),
        (JSON, b'{"token":"' + b"x" * MAX_LOOKED_THROUGH + b'"}', b"*" * (MAX_LOOKED_THROUGH + 12)),
    ],
)
def test_secrets_are_written_over(kind: str, body: bytes, stored: bytes) -> None:
    """Values of secret names become stars, to the byte; what is larger than is looked through becomes stars whole."""
    assert mask(body, secret_spans(body, decode_body(kind, body))) == stored


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON, b'{"password": "x",}'),
        (JSON, '{"password": "x"}'.encode("utf-16")),
        (FORM, b"password=%ff"),
        ("text/xml; charset=utf-7", b"<password>x</password>"),
    ],
)
def test_a_body_that_can_not_be_read_is_written_over_whole(kind: str, body: bytes) -> None:
    """It is kept, and nothing tells which of it is secret; it comes back to the byte."""
    call = InboundCall("POST", "p", {"content-type": kind}, "", "", datetime.now(UTC), body)
    row: Any = SimpleNamespace(
        method="POST", address="", received_at=call.received_at, request_id=call.id, **SEAL.columns(call, ALWAYS)
    )
    assert row.body == b"*" * len(body)
    assert SEAL.whole(row).body == body


NAMES = st.sampled_from(["a", "token", "p w", "secret"])
VALUES: Any = st.recursive(
    st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)
)


@given(VALUES)
def test_what_is_stored_is_put_together_again(value: Any) -> None:
    """Whatever a body holds, the captured request is the one that came."""
    headers = {"content-type": JSON, "x-api-key": "k", "a": "b"}
    body = json.dumps({"x": value}).encode()
    call = InboundCall("POST", "p", headers, "token=1&b=2", "", datetime.now(UTC), body)
    row: Any = SimpleNamespace(
        method="POST", address="", received_at=call.received_at, request_id=call.id, **SEAL.columns(call, ALWAYS)
    )
    found = SEAL.whole(row)
    assert (found.body, found.headers, found.query_string) == (call.body, call.headers, call.query_string)
    assert len(row.body) == len(call.body)


def test_what_proves_the_sender_is_kept_from_scripts() -> None:
    """A scheme's own field of the body is in neither the payload nor the body that templates see."""
    call = InboundCall("POST", "p", {"content-type": JSON}, "", "", datetime.now(UTC), b'{"token":"t-1","type":"e"}')
    scope = call.scope({}, RequestSecrets(fields=frozenset({"token"})))
    assert scope["payload"] == {"type": "e"}
    assert "t-1" not in scope["request"]["body"]
