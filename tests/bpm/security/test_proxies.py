"""The client's address behind proxies."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpm.security.net import AddressList
from bpm.security.proxies import UNKNOWN, Proxies
from tests.effort import effort_below

TRUSTED = "10.0.0.0/8, 2001:db8:aaaa::/48"
PROXIES = Proxies.parse(TRUSTED, None)


@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        ("198.51.100.1", {}, "198.51.100.1"),
        ("198.51.100.1", {"x-forwarded-for": "1.2.3.4"}, "198.51.100.1"),
        ("10.0.0.1", {}, "10.0.0.1"),
        ("10.0.0.1", {"x-forwarded-for": "1.2.3.4"}, "1.2.3.4"),
        ("10.0.0.1", {"x-forwarded-for": "6.6.6.6, 1.2.3.4, 10.0.0.2"}, "1.2.3.4"),
        ("10.0.0.1", {"x-forwarded-for": "10.0.0.3, 10.0.0.2"}, "10.0.0.3"),
        ("::ffff:10.0.0.1", {"x-forwarded-for": "::ffff:1.2.3.4"}, "1.2.3.4"),
        ("10.0.0.1", {"x-forwarded-for": "1.2.3.4:5678"}, "1.2.3.4"),
        ("10.0.0.1", {"x-forwarded-for": "[2001:db8::1]:443"}, "2001:db8::1"),
        ("10.0.0.1", {"x-forwarded-for": "2001:db8::1"}, "2001:db8::1"),
        ("10.0.0.1", {"x-forwarded-for": "1.2.3.4, unknown, 10.0.0.2"}, UNKNOWN),
        ("10.0.0.1", {"x-forwarded-for": "1.2.3.4, <script>"}, UNKNOWN),
        ("10.0.0.1", {"x-forwarded-for": " , "}, UNKNOWN),
        ("2001:db8:aaaa::1", {"x-forwarded-for": "1.2.3.4"}, "1.2.3.4"),
        ("10.0.0.1", {"forwarded": "for=1.2.3.4;proto=https;by=10.0.0.1"}, "1.2.3.4"),
        ("10.0.0.1", {"forwarded": 'for=6.6.6.6, proto=http;FOR="[2001:db8:cafe::17]:4711"'}, "2001:db8:cafe::17"),
        ("10.0.0.1", {"forwarded": "for=1.2.3.4, for=10.0.0.2"}, "1.2.3.4"),
        ("10.0.0.1", {"forwarded": "for=1.2.3.4, for=_hidden"}, UNKNOWN),
        ("10.0.0.1", {"forwarded": 'for="1.2.3.4'}, UNKNOWN),
        ("10.0.0.1", {"x-forwarded-for": "1.2.3.4", "forwarded": "for=1.2.3.4"}, "1.2.3.4"),
        ("10.0.0.1", {"x-forwarded-for": "6.6.6.6", "forwarded": "for=1.2.3.4"}, UNKNOWN),
        ("10.0.0.1", {"x-forwarded-for": "1.2.3.4", "forwarded": "for=unknown"}, UNKNOWN),
        ("10.0.0.1", {"x-forwarded-for": "1.2.3.4", "forwarded": "for=10.0.0.1"}, UNKNOWN),
        ("10.0.0.1", {"x-forwarded-for": "1.2.3.4", "forwarded": ""}, UNKNOWN),
        ("10.0.0.1", {"x-forwarded-for": "10.0.0.9," * 60}, UNKNOWN),
        ("10.0.0.1", {"x-forwarded-for": "6.6.6.6," * 60 + "1.2.3.4"}, "1.2.3.4"),
        ("10.0.0.1", {"forwarded": "for=1.2.3.4, proto=https"}, UNKNOWN),
        ("10.0.0.1", {"forwarded": "for=1.2.3.4;for=6.6.6.6"}, UNKNOWN),
        ("10.0.0.1", {"forwarded": "for=1.2.3.4;"}, UNKNOWN),
        ("10.0.0.1", {"forwarded": 'for=1.2.3.4;host="x, for=6.6.6.6"'}, "1.2.3.4"),
        ("10.0.0.1", {"forwarded": 'for=1.2.3.4;host="x\\", for=6.6.6.6"'}, "1.2.3.4"),
        ("10.0.0.1", {"forwarded": 'host="x" ;for=1.2.3.4 , for=10.0.0.2'}, "1.2.3.4"),
        ("", {"x-forwarded-for": "1.2.3.4"}, ""),
    ],
)
def test_client_behind_proxies(peer: str, headers: dict[str, str], client: str) -> None:
    """Only a trusted peer's headers count, and of them the rightmost entry that is not trusted."""
    assert PROXIES.client(peer, headers) == client


@given(st.text(), st.text(), st.text())
def test_any_header_is_survived(peer: str, chain: str, forwarded: str) -> None:
    """Whatever peer and headers say, an answer comes, and without trust it is the peer's."""
    headers = {"x-forwarded-for": chain, "forwarded": forwarded}
    assert isinstance(PROXIES.client("10.0.0.1", headers), str)
    nobody = Proxies(AddressList.parse(""))
    assert nobody.client(peer, headers) == nobody.client(peer, {})


def test_long_headers_cost_little() -> None:
    """A header of a megabyte is read with the work of milliseconds."""
    with effort_below(5):
        for chain in ("1.2.3.4," * 130_000, "for=" * 250_000, 'for="' * 200_000, ";" * 1_000_000, " " * 1_000_000):
            PROXIES.client("10.0.0.1", {"x-forwarded-for": chain, "forwarded": chain})


@pytest.mark.parametrize(
    ("header", "headers", "client"),
    [
        ("x-forwarded-for", {"x-forwarded-for": "1.2.3.4", "forwarded": "for=6.6.6.6"}, "1.2.3.4"),
        ("forwarded", {"x-forwarded-for": "6.6.6.6", "forwarded": "for=1.2.3.4"}, "1.2.3.4"),
        ("forwarded", {"x-forwarded-for": "6.6.6.6"}, UNKNOWN),
        ("x-forwarded-for", {"forwarded": "for=6.6.6.6"}, UNKNOWN),
        ("x-forwarded-for", {}, UNKNOWN),
    ],
)
def test_one_header_can_be_named(header: str, headers: dict[str, Any], client: str) -> None:
    """Of a proxy whose header is named no other counts; without it the address is unknown, not the proxy's."""
    assert Proxies.parse(TRUSTED, header).client("10.0.0.1", headers) == client


def test_nobody_allows_an_unknown_address() -> None:
    """A list of everything does not hold what is unknown."""
    assert not AddressList.parse("0.0.0.0/0, ::/0").allows(UNKNOWN)
