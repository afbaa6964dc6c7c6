"""A request as the router sees it."""

import base64
import gzip
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bpm.expressions import compile_template
from router.request import MAX_QUERY_FIELDS, InboundCall
from router.request_secrets import RequestSecrets

JSON = {"content-type": "application/json"}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def call(**changes: Any) -> InboundCall:
    whole = InboundCall("POST", "p", {}, "", "", NOON, b"", "id")
    return replace(whole, **changes)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", {}),
        ("a=1&a=2&b=", {"a": ["1", "2"], "b": ""}),
        ("caf%C3%A9=%E2%82%AC+1&x", {"café": "€ 1", "x": ""}),
        ("a=%FF%00", {"a": "\ufffd\0"}),
        ("&".join(f"k{n}=1" for n in range(MAX_QUERY_FIELDS)), {f"k{n}": "1" for n in range(MAX_QUERY_FIELDS)}),
    ],
)
def test_a_query_is_read(written: str, read: dict[str, str | list[str]]) -> None:
    """Fields are decoded, empty ones kept; one that stands twice is a list, whose last counts where one is needed."""
    request = call(query_string=written)
    assert request.query == read
    assert request.parameters == {name: value if isinstance(value, str) else value[-1] for name, value in read.items()}


def test_a_query_of_too_many_fields_is_refused() -> None:
    """More fields than a limit are refused with the limit."""
    with pytest.raises(ValueError, match="more than 1000 fields"):
        _ = call(query_string="a&" * MAX_QUERY_FIELDS).query


HEADERS = {
    "authorization": "Bearer canary",
    "cookie": "canary",
    "mono-webhook-secret": "canary",
    "x-api-key": "canary",
    "x-gitlab-token": "canary",
    "x-shop-password": "canary",
    "x-hub-signature-256": "sha256=canary",
    "x-checksum": "canary",
    "referer": "https://user:canary@shop.example/?token=canary&page=1",
    "x-event": "paid",
}


def test_templates_do_not_see_credentials() -> None:
    """What a mapping, a script or a process is given holds no credential, however the request is executed."""
    confidential = RequestSecrets(credentials=frozenset({"x-checksum"}))
    scope = call(headers=HEADERS, query_string="token=canary&page=1").scope({}, confidential)
    assert "canary" not in str(scope)
    assert scope["headers"] == {"referer": "https://***@shop.example/?token=***&page=1", "x-event": "paid"}
    assert scope["query"] == {"page": "1"}


def test_templates_see_the_bytes_of_a_body() -> None:
    """As text, and in base64 when it is none; fields that prove the sender are written over in both."""
    made = compile_template({"text": "{{request.body}}", "bytes": "{{request.bodyBase64}}"})
    seen = made.render(call(body=b"\x00\xff").scope({}, RequestSecrets()))
    assert seen == {"text": "\x00\ufffd", "bytes": "AP8="}
    packed = call(body=gzip.compress(b'{"proof":"canary"}'), headers={"content-encoding": "gzip", **JSON})
    seen = made.render(packed.scope({}, RequestSecrets(fields=frozenset({"proof"}))))
    assert base64.b64decode(seen["bytes"]).decode() == seen["text"] == '{"proof":"******"}'
