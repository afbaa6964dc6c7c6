"""A request as the router sees it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from router.request import MAX_QUERY_FIELDS, InboundCall

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def call(**changes: Any) -> InboundCall:
    return InboundCall(
        **{"method": "POST", "path": "p", "headers": {}, "query_string": "", "address": "", "received_at": NOON}
        | changes
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", {}),
        ("a=1&a=2&b=", {"a": "2", "b": ""}),
        ("caf%C3%A9=%E2%82%AC+1&x", {"café": "€ 1", "x": ""}),
        ("a=%FF%00", {"a": "\ufffd\0"}),
        ("&".join(f"k{n}=1" for n in range(MAX_QUERY_FIELDS)), {f"k{n}": "1" for n in range(MAX_QUERY_FIELDS)}),
    ],
)
def test_a_query_is_read(written: str, read: dict[str, str]) -> None:
    """Fields are decoded, empty ones kept, and of one that stands twice the last one counts."""
    assert call(query_string=written).query == read


def test_a_query_of_too_many_fields_is_refused() -> None:
    """More fields than a limit are refused with the limit."""
    with pytest.raises(ValueError, match="more than 1000 fields"):
        _ = call(query_string="a&" * MAX_QUERY_FIELDS).query


HEADERS = {
    "authorization": "Bearer canary",
    "cookie": "canary",
    "proxy-authorization": "canary",
    "mono-webhook-secret": "canary",
    "verif-hash": "canary",
    "x-api-key": "key",
    "x-gitlab-token": "token",
    "x-shop-password": "pass",
    "x-hub-signature-256": "sha256=00",
    "content-type": "text/plain",
}


def test_credentials_are_not_among_the_stored_headers() -> None:
    """Headers that are secrets themselves are left out, the rule's own among them; signatures stay."""
    stored = call(headers=HEADERS).stored_headers("x-api-key")
    assert set(stored) == {"x-gitlab-token", "x-shop-password", "x-hub-signature-256", "content-type"}


def test_a_request_of_no_rule_is_stored_without_what_is_called_a_secret() -> None:
    """Where no rule says which header is a secret, its name does."""
    assert set(call(headers=HEADERS).harmless_headers()) == {"x-hub-signature-256", "content-type"}


def test_templates_do_not_see_credentials() -> None:
    """What a mapping, a script or a process is given holds no credential, however the request is executed."""
    headers = {"authorization": "Bearer canary", "cookie": "canary", "x-event": "paid"}
    call = InboundCall("POST", "a", headers, "", "127.0.0.1", datetime.now(UTC))
    assert "canary" not in str(dict(call.scope({})["headers"]))
    assert call.scope({})["headers"]["x-event"] == "paid"
