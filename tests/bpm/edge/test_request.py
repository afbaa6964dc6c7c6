"""What is read off a request before anything is done with it."""

import pytest

from bpm.edge.headers import read_headers
from bpm.edge.request import address_of, is_json, request_id_of
from bpm.security.proxies import Proxies

PROXIES = Proxies.parse("10.0.0.0/8", None)
NOBODY = Proxies.parse("", None)


@pytest.mark.parametrize(
    ("peer", "headers", "address"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", [(b"x-forwarded-for", b"198.51.100.1")], "203.0.113.9"),
        ("10.0.0.1", [(b"x-forwarded-for", b"198.51.100.1")], "198.51.100.1"),
        (
            "10.0.0.1",
            [(b"x-forwarded-for", b"1.2.3.4"), (b"x-forwarded-for", b"198.51.100.1, 10.0.0.2")],
            "198.51.100.1",
        ),
        ("10.0.0.1", [(b"x-forwarded-for", b"198.51.100.1"), (b"x-forwarded-for", b"10.0.0.2")], "198.51.100.1"),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, headers: list[tuple[bytes, bytes]], address: str) -> None:
    """The address is the peer's, or what trusted proxies say, over however many headers they spread it."""
    assert address_of({"client": (peer, 1)}, read_headers(headers), PROXIES) == address


def test_without_proxies_the_headers_are_not_read() -> None:
    """With no trusted proxy the peer's address stands; a local socket has none."""
    headers = {"x-forwarded-for": "198.51.100.1"}
    assert address_of({"client": ("10.0.0.1", 1)}, headers, NOBODY) == "10.0.0.1"
    assert address_of({"client": None}, headers, NOBODY) == ""


@pytest.mark.parametrize(
    ("content_type", "json"),
    [
        ("application/json", True),
        ("application/json;charset=utf8", True),
        ("application/json; odata=verbose", True),
        ("application/cloudevents+json; charset=utf-8", True),
        ("application/json; charset=utf-16", False),
        ("application/json, text/plain", False),
        ("application/jsonl", False),
        ("text/json", False),
        (None, False),
    ],
)
def test_json_is_known_by_its_content_type(content_type: str | None, json: bool) -> None:
    """`application/json` and `application/…+json` are JSON unless they name another encoding than UTF-8."""
    assert is_json(content_type) is json


@pytest.mark.parametrize(
    "given", ["a", "x" * 128, "01890a5d-ac96-774b-bcce-b302099a8057", "1-67891233-abcdef", "a=b@c"]
)
def test_sane_request_ids_are_kept(given: str) -> None:
    """Identifiers of the usual tools are taken as they are."""
    assert request_id_of(given) == given
